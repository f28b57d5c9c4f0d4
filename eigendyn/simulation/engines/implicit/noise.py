r"""Find how far the round-off of stiff rates moves states, below which no step can be judged.

Forces that hold modes together are small differences of large terms. Their round-off δ moves the
states by |(z − J)⁻¹ δ| within a time τ, J being the rates' Jacobian and |z| = 1/τ;
more within a short time, if they drift back afterwards. With z = (1 + i)/√2τ neither what grows
nor what swings resonates. An implicit step that must be more accurate than that finds noise in
the place of convergence, and shrinks until J no longer matters: it would take as many steps as
explicit ones do.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

TRIALS = 4
TIMES = 6  # τ that are looked at
UNITS = 1  # in the last place, by which states are varied
EPSILON = float(np.finfo(float).eps)


def moved_by_round_off(
    rates: Callable[[float, NDArray], NDArray],
    jacobian: NDArray,
    time: float,
    states: NDArray,
    within: float,
) -> NDArray:
    """Largest |(z − J)⁻¹ δ| of each state (numbers,), over times and states close by.

    Args:
        rates: Rates of change (numbers,) at a time, in states (numbers,).
        jacobian: J, their slopes (numbers, numbers).
        time: When.
        states: Where.
        within: The longest time τ that a step might take.
    """
    rng = np.random.default_rng(0)
    units = EPSILON * rng.integers(-UNITS, UNITS + 1, (TRIALS, states.size))
    here = rates(time, states)
    errors = np.stack([rates(time, states * (1 + each)) - here for each in units], axis=1)
    fastest = max(np.abs(jacobian).sum(axis=1).max(), 1 / within)
    turned = np.exp(0.25j * np.pi) * np.eye(states.size)
    moved = [
        np.abs(np.linalg.solve(rate * turned - jacobian, errors))
        for rate in np.geomspace(1 / within, fastest, TIMES)
    ]
    return np.max(moved, axis=(0, 2))
