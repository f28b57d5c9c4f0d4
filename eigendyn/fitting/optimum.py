"""Find the likeliest numbers by Fisher scoring from several starts at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.likelihood import WORST, Likelihood, Local

DAMPINGS = np.array([0.1, 1.0, 10.0, 100.0])  # times the damping before, tried together
ENOUGH = 1e-3  # of −ln likelihood that a step could still gain
MOST_ROUNDS = 60
PATIENCE = 8  # steps that other starts may take after the first has arrived
LONGEST = 2.0  # step of a coordinate


@dataclass(frozen=True)
class Optimum:
    """Where a search has ended.

    Args:
        place: Coordinates (7,).
        local: The likelihood there.
        converged: Whether nothing more was to be gained.
        rounds: How many steps were taken.
    """

    place: NDArray
    local: Local
    converged: bool
    rounds: int


def optimum(likelihood: Likelihood, starts: NDArray, free: NDArray) -> Optimum:
    """Descend −ln likelihood from every start (starts, 7), and keep the best end.

    Args:
        likelihood: Of the record.
        starts: Coordinates; those that are not free stay.
        free: Which coordinates are looked for (7,).
    """
    places = np.clip(starts, likelihood.low, likelihood.high)
    local = likelihood.around(places, free)
    damping = np.full(len(places), 1e-2)
    active = local.value < WORST
    converged = np.zeros(len(places), bool)
    rounds, patience = 0, PATIENCE
    while active.any() and rounds < MOST_ROUNDS:
        rounds += 1
        rows = np.flatnonzero(active)
        tried, gains = _steps(likelihood, places[rows], local, rows, free, damping[rows])
        values = likelihood.values(tried.reshape(-1, tried.shape[-1])).reshape(tried.shape[:2])
        best = values.argmin(axis=1)
        lower = values[np.arange(len(rows)), best]
        better = lower < local.value[rows]
        still = gains < ENOUGH
        converged[rows[still]] = True
        damping[rows] = np.clip(damping[rows] * np.where(better, DAMPINGS[best], 1e3), 1e-9, 1e12)
        stuck = ~better & (damping[rows] > 1e9)
        converged[rows[stuck]] = gains[stuck] < 10 * ENOUGH
        moved = rows[better]
        if moved.size:
            places[moved] = tried[np.flatnonzero(better), best[better]]
            new = likelihood.around(places[moved], free)
            local.value[moved], local.slope[moved] = new.value, new.slope
            local.information[moved] = new.information
        active[rows[still | stuck]] = False
        if converged.any():  # others may still catch up, for a while
            patience = patience - 1
            active &= patience > 0
    best = int(np.argmin(local.value))
    at = Local(*(part[best] for part in local))
    return Optimum(places[best], at, bool(converged[best]), rounds)


def movable(likelihood: Likelihood, place: NDArray, slope: NDArray, free: NDArray) -> NDArray:
    """Which coordinates may move: free ones, but for those that press against their bounds."""
    room = 1e-9 * (1 + np.abs(place))
    below = (place <= likelihood.low + room) & (slope > -ENOUGH)
    above = (place >= likelihood.high - room) & (slope < ENOUGH)
    return free & ~below & ~above


def _steps(
    likelihood: Likelihood,
    places: NDArray,
    local: Local,
    rows: NDArray,
    free: NDArray,
    damping: NDArray,
) -> tuple[NDArray, NDArray]:
    """Damped steps (starts, dampings, 7), and what the undamped one promises to gain."""
    tried = np.repeat(places[:, None], len(DAMPINGS), axis=1)
    gains = np.zeros(len(places))
    for one, row in enumerate(rows):
        slope, information = local.slope[row], local.information[row]
        moves = movable(likelihood, places[one], slope, free)
        if not moves.any():
            continue
        g, h = slope[moves], information[np.ix_(moves, moves)]
        scale = np.sqrt(np.maximum(np.diag(h), 1e-12))
        g, h = g / scale, h / np.outer(scale, scale)
        for column, factor in enumerate(DAMPINGS):
            step = -np.linalg.solve(h + factor * damping[one] * np.eye(len(g)), g) / scale
            step *= min(1.0, LONGEST / max(np.abs(step).max(), 1e-300))
            tried[one, column, moves] += step
        gains[one] = 0.5 * g @ np.linalg.pinv(h, rcond=1e-9, hermitian=True) @ g
    return np.clip(tried, likelihood.low, likelihood.high), gains
