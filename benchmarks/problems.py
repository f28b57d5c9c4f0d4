"""Define the problems that ensembles are timed on, and how their error is measured.

    E   dλ/dt = 2λ²(1 − λ)                              euclidean, α = 1, no noise: modes apart
    C   dλ/dt = 2λ²(S₃ − λ S₂)/(S₃^{3/2} S₁^{1/2})      cosine, mean field, S_n = Σ λⁿ: coupled
    X   dλ/dt = 2 G1(λ)                                 cosine, exact closure by quadrature

for t ∈ [0, 60], 101 saved times, starts λ = exp(uniform(log 1e-2, log 3)); λ = v as α = 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TIMES = np.linspace(0.0, 60.0, 101)
FLOOR = 1e-3  # the tolerances of the table, rtol = 1e-6 and atol = 1e-9, have this ratio
WATCHED_TRAJECTORIES, WATCHED_MODES = 200, 1000


@dataclass(frozen=True)
class Problem:
    """One size of one problem.

    Args:
        name: "E", "C" or "X".
        modes: M.
        trajectories: B.
    """

    name: str
    modes: int
    trajectories: int

    def starts(self, trajectories: int | None = None) -> NDArray:
        """The first initial values (trajectories, modes), always the same ones."""
        rng = np.random.default_rng(7)
        shape = (trajectories or self.trajectories, self.modes)
        return np.exp(rng.uniform(np.log(1e-2), np.log(3.0), shape))

    @property
    def watched(self) -> tuple[slice, slice]:
        """Trajectories, the first ones, and modes, evenly spread, whose error is measured."""
        limit = 8 if self.name == "X" else WATCHED_TRAJECTORIES
        return slice(min(limit, self.trajectories)), slice(
            None, None, -(-self.modes // WATCHED_MODES)
        )


def error(values: NDArray, reference: NDArray) -> float:
    """Largest |y − y_ref| / (|y_ref| + 1e-3), over watched trajectories, modes, saved times.

    At 1e-6, every value is within atol + rtol·|y| for rtol = 1e-6, atol = 1e-9.
    """
    scaled = np.abs(values - reference) / (np.abs(reference) + FLOOR)
    return float("inf") if np.isnan(scaled).any() else float(scaled.max())
