"""Say how far a sweep has come, and what became of the trajectories that are done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.sweeping.layout import Layout
from eigendyn.sweeping.store import Store, read_store
from eigendyn.sweeping.sweep import read_sweep

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class Status:
    """How far a sweep has come.

    Args:
        path: Its store.
        dataset: It, read when it is asked for numbers.
        layout: Its grid, and how that is cut.
        done: Whether each chunk is done (chunks,).
        counts: How many trajectories ended how, by "status", and modes, by "outcome" if it is kept.
    """

    path: Path
    dataset: xarray.Dataset
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

    @property
    def axes(self) -> list[str]:
        """Names of the axes."""
        return [str(name) for name in self.dataset["status"].dims]

    def box(self, number: int) -> dict[str, Any]:
        """First and last value of a chunk along every axis."""
        found = {}
        for name, some in zip(self.axes, self.layout.box(number), strict=True):
            ends = [some.start, some.stop - 1]
            values = self.dataset[name].values[ends] if name in self.dataset.coords else ends
            found[name] = [str(one) if isinstance(one, str) else float(one) for one in values]
        return found


def status(path: Path) -> Status:
    """Say how far a sweep has come.

    Raises:
        UnreadableFile: There is no such store.
    """
    store = read_store(path)
    dataset = read_sweep(path)
    layout = Layout(dataset["status"].shape, store.chunks("status"))
    done = store.marks()
    counted = [name for name in ("status", "outcome") if name in dataset]
    counts = {name: _counts(store, layout, name, done) for name in counted}
    return Status(path, dataset, layout, done, counts)


def _counts(store: Store, layout: Layout, name: str, done: NDArray) -> dict[str, int]:
    """How many numbers stand for each word, chunk by chunk, so that memory is that of one."""
    counts: Counter[int] = Counter()
    for number in np.flatnonzero(done).tolist():
        values, times = np.unique(store.read(name, layout.place(number)), return_counts=True)
        counts.update(dict(zip(values.tolist(), times.tolist(), strict=True)))
    words = store.words(name)
    return {words[value]: times for value, times in sorted(counts.items())}
