"""Cut the grid of a sweep into chunks: one task and one chunk of the store each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

LARGEST = 2**16  # trajectories of a chunk …
WORK = 2**20  # … or fewer where they take more work than this, so that a killed one is soon made up


@dataclass(frozen=True)
class Layout:
    """A grid, and how it is cut.

    Args:
        shape: Points along each axis.
        chunks: Points of a chunk along each axis.
    """

    shape: tuple[int, ...]
    chunks: tuple[int, ...]

    @property
    def grid(self) -> tuple[int, ...]:
        """Number of chunks along each axis."""
        return tuple(-(-size // chunk) for size, chunk in zip(self.shape, self.chunks, strict=True))

    @property
    def count(self) -> int:
        """Number of all chunks."""
        return math.prod(self.grid)

    @property
    def trajectories(self) -> int:
        """Number of all points."""
        return math.prod(self.shape)

    def place(self, number: int) -> tuple[int, ...]:
        """Where a chunk stands in the grid of chunks."""
        return tuple(int(one) for one in np.unravel_index(number, self.grid)) if self.grid else ()

    def box(self, number: int) -> tuple[slice, ...]:
        """The points of a chunk, along each axis."""
        return tuple(
            slice(place * chunk, min((place + 1) * chunk, size))
            for place, chunk, size in zip(self.place(number), self.chunks, self.shape, strict=True)
        )

    def points(self, number: int) -> int:
        """How many points a chunk has."""
        return math.prod(one.stop - one.start for one in self.box(number))


def cut(
    shape: tuple[int, ...], inner: tuple[bool, ...], bytes_each: int, work_each: int, memory: int
) -> Layout:
    """Cut a grid, as evenly as it goes.

    Args:
        shape: Points along each axis.
        inner: Whether one call of an engine can follow several points of the axis.
        bytes_each: What is kept of one trajectory.
        work_each: What one trajectory takes, in units of a mode whose end alone is kept.
        memory: Bytes that what is kept of a chunk may take.
    """
    rows = max(1, min(LARGEST, WORK // work_each, memory // bytes_each))
    chunks = []
    for size, several in zip(reversed(shape), reversed(inner), strict=True):
        most = max(1, min(size, rows)) if several else 1
        even = -(-size // -(-size // most))
        chunks.append(even)
        rows = max(1, rows // even)
    return Layout(shape, tuple(reversed(chunks)))
