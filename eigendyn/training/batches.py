"""Draw the batches of an epoch: every image once, augmented twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from numpy.random import Generator
from numpy.typing import NDArray

from eigendyn.data.augmentations import Step, drawn

NUMBERS = 2**24  # of views that are held at a time, at most: memory does not grow with the data


@dataclass(frozen=True)
class Views:
    """Draws pairs of views.

    Images are augmented as they are, so that what they move away from is black, as in a photograph;
    then the mean image is subtracted.

    Args:
        images: Images (images, pixels), from 0, black.
        shape: Of one image.
        first: Augmentations of the first view.
        second: Those of the second.
        dtype: Of the views.
    """

    images: NDArray
    shape: tuple[int, ...]
    first: tuple[Step, ...]
    second: tuple[Step, ...]
    dtype: str

    @cached_property
    def mean(self) -> NDArray:
        """The mean image (pixels,)."""
        return self.images.mean(axis=0)

    def centred(self, images: NDArray) -> NDArray:
        """Images (images, pixels) as the network takes them, less the mean image."""
        return (images - self.mean).astype(self.dtype)

    def pairs(self, rows: NDArray, rng: Generator) -> tuple[NDArray, NDArray]:
        """One pair of views (rows, pixels) of each image of these rows."""
        one, other = (
            self.centred(drawn(self.images[rows], steps, self.shape, rng))
            for steps in (self.first, self.second)
        )
        return one, other

    def epoch(self, batch: int, rng: Generator) -> Iterator[tuple[NDArray, NDArray]]:
        """All batches of an epoch, several at a time: pairs of views (steps, batch, pixels).

        What is left over of the last batch is dropped.
        """
        count, pixels = self.images.shape
        steps = count // batch
        order = rng.permutation(count)[: steps * batch].reshape(steps, batch)
        at_a_time = max(1, NUMBERS // (2 * batch * pixels))
        for start in range(0, steps, at_a_time):
            rows = order[start : start + at_a_time]
            first, second = self.pairs(rows.ravel(), rng)
            yield first.reshape(*rows.shape, pixels), second.reshape(*rows.shape, pixels)
