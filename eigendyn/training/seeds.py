"""Train the networks of all seeds, one after the other, and label what they did."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import jax
from tqdm.auto import tqdm

from eigendyn.settings.device import find_device
from eigendyn.training.checkpoint import Progress, read_checkpoint
from eigendyn.training.course import course_of, told
from eigendyn.training.loop import train_one
from eigendyn.training.result import labelled

if TYPE_CHECKING:
    import xarray

    from eigendyn.settings.training import Training
    from eigendyn.theory.losses import SymbolicLoss
    from eigendyn.training.images import Images


def train_seeds(
    chosen: Training,
    loss: str | SymbolicLoss,
    images: Images,
    seeds: int,
    path: Path | None,
    progress: bool,
) -> xarray.Dataset:
    """Train as many networks, from a checkpoint if there is one; see `train`."""
    course = course_of(chosen, loss, images)
    asked = told(course)
    device = find_device(chosen.device)
    reached = Progress() if path is None else read_checkpoint(path, asked)
    # A bar is for terminals; warnings stand in a log too.
    total = seeds * chosen.epochs
    bar = tqdm(total=total, unit="epoch", disable=None if progress else True)

    def tell(warning: str) -> None:
        if progress:
            bar.write(warning, file=sys.stderr)

    with bar, jax.default_device(device):
        bar.update(min(reached.seed, seeds) * chosen.epochs + reached.epoch)
        while reached.seed < seeds:
            reached = train_one(course, reached, bar, tell, path, asked)
    return labelled(course, reached.done[:seeds], str(device))
