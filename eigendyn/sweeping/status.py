"""Say how far a sweep has come, and what became of the trajectories that are done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.sweeping.layout import Layout
from eigendyn.sweeping.store import Store, read_store


@dataclass(frozen=True)
class Status:
    """How far a sweep has come.

    Args:
        path: Its store.
        axes: By name, values along each axis, or numbers of the points where it has none.
        modes: Number of modes.
        layout: Its grid, and how that is cut.
        done: Whether each chunk is done (chunks,).
        counts: How many trajectories ended how, by "status", and modes, by "outcome" if it is kept.
    """

    path: Path
    axes: Mapping[str, NDArray]
    modes: int
    layout: Layout
    done: NDArray
    counts: Mapping[str, Mapping[str, int]]

    @property
    def missing(self) -> list[int]:
        """Numbers of chunks that are not done."""
        return np.flatnonzero(~self.done).tolist()

    @property
    def trajectories(self) -> int:
        """How many are done."""
        return sum(self.layout.points(number) for number in np.flatnonzero(self.done).tolist())

    def box(self, number: int) -> dict[str, list[Any]]:
        """First and last value of a chunk along every axis."""
        some = zip(self.axes.items(), self.layout.box(number), strict=True)
        return {name: [values[one.start], values[one.stop - 1]] for (name, values), one in some}


def status(path: Path) -> Status:
    """Say how far a sweep has come.

    Raises:
        UnreadableFile: There is no such store.
    """
    store = read_store(path)
    shape, chunks, names = store.grid("status")
    layout, done = Layout(shape, chunks), store.marks()
    axes = {
        name: store.values(name) if name in store.group else np.arange(size)
        for name, size in zip(names, shape, strict=True)
    }
    modes = len(store.values("mode"))
    counted = [name for name in ("status", "outcome") if name in store.group]
    counts = {name: _counts(store, layout, name, done) for name in counted}
    return Status(path, axes, modes, layout, done, counts)


def _counts(store: Store, layout: Layout, name: str, done: NDArray) -> dict[str, int]:
    """How many numbers stand for each word, chunk by chunk, so that memory is that of one."""
    counts: Counter[int] = Counter()
    for number in np.flatnonzero(done).tolist():
        values, times = np.unique(store.read(name, layout.place(number)), return_counts=True)
        counts.update(dict(zip(values.tolist(), times.tolist(), strict=True)))
    words = store.words(name)
    return {words[value]: times for value, times in sorted(counts.items())}
