"""Find profile-likelihood intervals: how far a number goes while all others make up for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.likelihood import Likelihood, Local
from eigendyn.fitting.optimum import Optimum
from eigendyn.fitting.told import Combination

DROP = 0.5 * 1.959964**2  # of the log-likelihood at the ends of a 95 % interval
CLOSE = 0.03  # of the log-likelihood, to which ends are found
LOOSE = 0.5  # of the same, beyond which an end was not found: the parabola's is taken
ROUNDS = 12
RIDGE = 1e-6  # of the largest information
FARTHEST = 1.0  # step of a coordinate in one round


def intervals(
    likelihood: Likelihood, best: Optimum, quantities: Sequence[Combination], free: NDArray
) -> NDArray:
    r"""95 % intervals (quantities, 2) of functions of the numbers.

    At an end the gradient of the log-likelihood ℓ is along that of the quantity g, and ℓ is 1.92
    below its largest value. Each round solves that for the parabola of Fisher's information F at
    hand, δ = −F⁻¹∇ℓ̃ ± κ F⁻¹∇g with ℓ̃ = −ln likelihood.

    Args:
        likelihood: Of the record.
        best: Where it is largest.
        quantities: What the intervals are of.
        free: Which coordinates may move (7,).

    Source: Venzon and Moolgavkar 1988, Appl. Statist. 37, 87.
    """
    if not quantities:
        return np.empty((0, 2))
    signs = np.tile([-1.0, 1.0], len(quantities))
    each = [quantity for quantity in quantities for _ in signs[:2]]
    places = np.repeat(best.place[None], len(each), axis=0)
    local = Local(*(np.repeat(part[None], len(each), axis=0) for part in best.local))
    target = best.local.value + DROP
    waiting = np.full(len(each), True)
    rough = np.empty(len(each))  # ends of the parabola at the optimum
    for round_ in range(ROUNDS):
        for row in np.flatnonzero(waiting):
            at = Local(*(part[row] for part in local))
            places[row] += _step(likelihood, each[row], places[row], at, target, signs[row], free)
        places = np.clip(places, likelihood.low, likelihood.high)
        if round_ == 0:
            rough[:] = [one.value(place) for one, place in zip(each, places, strict=True)]
        rows = np.flatnonzero(waiting)
        new = likelihood.around(places[rows], free)
        for part, values in zip(local, new, strict=True):
            part[rows] = values
        waiting[rows] = np.abs(new.value - target) > CLOSE
        if not waiting.any():
            break
    ends = np.array([one.value(place) for one, place in zip(each, places, strict=True)])
    lost = local.value > target + LOOSE
    return np.where(lost, rough, ends).reshape(-1, 2)


def _step(
    likelihood: Likelihood,
    quantity: Combination,
    place: NDArray,
    local: Local,
    target: float,
    sign: float,
    free: NDArray,
) -> NDArray:
    """One round of one end (7,)."""
    along = quantity.slope(place)
    room = 1e-9 * (1 + np.abs(place))
    moves = free.copy()
    step = np.zeros_like(place)
    for _ in range(len(place)):
        g, h = local.slope[moves], local.information[np.ix_(moves, moves)]
        scale = np.sqrt(np.maximum(np.diag(h), 1e-9))
        # the ridge holds directions of which nothing is known where they are
        inverse = np.linalg.inv(h / np.outer(scale, scale) + RIDGE * np.eye(len(g)))
        inverse /= np.outer(scale, scale)
        down, across = -inverse @ g, inverse @ along[moves]
        curve = along[moves] @ across
        left = target - local.value + 0.5 * g @ inverse @ g
        kappa = np.sqrt(max(left, 0.0) * 2 / curve) if curve > 0 else 0.0
        step[:] = 0.0
        step[moves] = down + sign * kappa * across
        blocked = moves & (
            ((place <= likelihood.low + room) & (step < 0))
            | ((place >= likelihood.high - room) & (step > 0))
        )
        if not blocked.any():
            break
        moves &= ~blocked
    return step * min(1.0, FARTHEST / max(np.abs(step).max(), 1e-300))
