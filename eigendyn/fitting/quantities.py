"""Take together what a record tells under a loss: numbers alone, and combinations of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.numbers import NUMBERS, PROCESS, SPREADS
from eigendyn.fitting.optimum import movable
from eigendyn.fitting.search import Found
from eigendyn.fitting.told import Combination, alone, told


@dataclass(frozen=True)
class Quantities:
    """What a record tells under a loss.

    Args:
        is_told: Which numbers are told by themselves (numbers,).
        at_bound: Which numbers lie at their bounds (numbers,).
        single: Rows of numbers that have intervals.
        combinations: What is told only together.
    """

    is_told: NDArray
    at_bound: NDArray
    single: list[int]
    combinations: list[Combination]

    @classmethod
    def of(cls, best: Found) -> Quantities:
        """Find out at an optimum."""
        free, place, local = best.candidate.free, best.optimum.place, best.optimum.local
        theory = np.arange(len(NUMBERS)) < PROCESS
        moves = movable(best.likelihood, place, local.slope, free)
        is_told, combinations = told(place, local.information, moves | (free & theory))
        is_told |= moves & np.isin(np.arange(len(NUMBERS)), list(SPREADS.values()))
        single = np.flatnonzero(free & is_told).tolist()
        return cls(is_told, free & ~moves, single, combinations)

    @property
    def all(self) -> list[Combination]:
        """Functions of the numbers, of which intervals are looked for."""
        return [*map(alone, self.single), *self.combinations]

    def within(self, best: Found, ends: NDArray) -> dict[str, Any]:
        """Bounds of numbers (numbers, 2) and combinations with theirs, of ends (quantities, 2)."""
        bounds = np.full((len(NUMBERS), 2), np.nan)
        bounds[self.single] = ends[: len(self.single)]
        pairs = zip(self.combinations, ends[len(self.single) :], strict=True)
        place = best.optimum.place
        return {
            "bounds": bounds,
            "combinations": [(each.name, each.value(place), *pair) for each, pair in pairs],
        }
