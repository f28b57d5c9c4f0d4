"""Put together what one training consists of, and check that its parts fit."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from eigendyn.data.asked import read_augmentations, written
from eigendyn.settings.training import Training
from eigendyn.theory.loss_writer import write_loss
from eigendyn.theory.losses import SymbolicLoss, chosen_loss
from eigendyn.training.batches import Views
from eigendyn.training.exported import BatchLoss, batch_loss
from eigendyn.training.foretell import FORECAST_SHARE
from eigendyn.training.images import (
    Images,
    check_augmentations,
    check_batch,
    check_network,
)


@dataclass(frozen=True)
class Course:
    """One training, but for its seed.

    Args:
        chosen: Settings; `steps` is the length of the training.
        loss: Mean loss of a batch.
        images: What is trained and tested on.
        views: What draws views of the training images.
        given: The loss as it was given, by its name or in symbols.
        saved: Epochs after which is measured, from 0.
        forecast_epoch: The one of these at which the theory foretells the rest.
    """

    chosen: Training
    loss: BatchLoss
    images: Images
    views: Views
    given: str | SymbolicLoss
    saved: tuple[int, ...]
    forecast_epoch: int

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in an epoch."""
        return len(self.images.train) // self.chosen.batch


def course_of(chosen: Training, given: str | SymbolicLoss, images: Images) -> Course:
    """Check that images, network and augmentations fit, and count the steps."""
    check_network(images, chosen.network)
    check_batch(images, chosen.batch)
    first = read_augmentations(chosen.augment, "augment")
    second = first
    if chosen.augment2 is not None:
        second = read_augmentations(chosen.augment2, "augment2")
    check_augmentations(images, (*first, *second))
    steps = chosen.epochs * (len(images.train) // chosen.batch)
    chosen = replace(chosen, steps=steps, augment=written(first), augment2=written(second))
    views = Views(images.train, images.shape, first, second, chosen.dtype)
    saved = np.unique(np.linspace(0, chosen.epochs, min(chosen.saves, chosen.epochs + 1)).round())
    early = saved[saved >= FORECAST_SHARE * chosen.epochs][0]
    loss = batch_loss(chosen_loss(given, chosen))
    epochs = tuple(int(one) for one in saved)
    return Course(chosen, loss, images, views, given, epochs, int(early))


def told(course: Course) -> dict[str, Any]:
    """What a checkpoint must agree with: settings, loss and images."""
    loss = chosen_loss(course.given, course.chosen)
    pixels = np.concatenate([course.images.train, course.images.test])
    numbers = hashlib.sha256(np.ascontiguousarray(pixels).tobytes())
    for part in (course.images.train_labels, course.images.test_labels):
        numbers.update(b"" if part is None else np.ascontiguousarray(part).tobytes())
    settings = asdict(course.chosen)
    del settings["device"]
    return {
        **settings,
        "loss": write_loss(loss.expression),
        "parameters": [list(pair) for pair in loss.parameters],
        "images": numbers.hexdigest()[:12],
    }
