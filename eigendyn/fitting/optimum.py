"""Find the likeliest numbers by Fisher scoring from several starts at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.likelihood import WORST, Likelihood, Local

DAMPINGS = np.array([0.1, 1.0, 10.0, 100.0])  # times the damping before, tried together with …
SHARES = np.array([1.0, 0.3, 0.1, 0.03])  # … of the undamped step, for valleys that bend
ENOUGH = 1e-5  # of −ln likelihood that a step could still gain
LITTLE = 1e-4  # gained in each of …
SLOW = 3  # … so many steps in a row, after which a search has arrived
PRESSED = 1e-3  # slope against a bound, below which a coordinate is free to leave it
MOST_ROUNDS = 60
PATIENCE = 8  # steps that other starts may take after the first has arrived
LONGEST = 2.0  # step of a coordinate
RIDGE = 1e-6  # of the largest information: nothing is gained along directions of less


class Objective(Protocol):
    """What is made small, in one problem for each row."""

    @property
    def likelihood(self) -> Likelihood:
        """The likelihood that it is made of."""
        ...

    def values(self, tried: NDArray, rows: NDArray) -> NDArray:
        """Values (rows, tries) at coordinates (rows, tries, numbers)."""
        ...

    def around(self, places: NDArray, rows: NDArray, free: NDArray) -> Local:
        """Value, gradient and curvature at coordinates (rows, numbers)."""
        ...


@dataclass(frozen=True)
class Plain:
    """−ln likelihood, in every row."""

    likelihood: Likelihood

    def values(self, tried: NDArray, rows: NDArray) -> NDArray:
        """Its values."""
        del rows
        return self.likelihood.values(tried.reshape(-1, tried.shape[-1])).reshape(tried.shape[:2])

    def around(self, places: NDArray, rows: NDArray, free: NDArray) -> Local:
        """Its value, gradient and Fisher information."""
        del rows
        return self.likelihood.around(places, free)


class Descended(NamedTuple):
    """Where every start has ended.

    Args:
        places: Coordinates (starts, numbers).
        local: What is made small, there.
        converged: Whether nothing more was to be gained (starts,).
        rounds: How many steps were taken.
    """

    places: NDArray
    local: Local
    converged: NDArray
    rounds: int


@dataclass(frozen=True)
class Optimum:
    """The best end of a search.

    Args:
        place: Coordinates (numbers,).
        local: The likelihood there.
        converged: Whether nothing more was to be gained.
        rounds: How many steps were taken.
    """

    place: NDArray
    local: Local
    converged: bool
    rounds: int


def optimum(likelihood: Likelihood, starts: NDArray, free: NDArray) -> Optimum:
    """Descend −ln likelihood from every start (starts, numbers), and keep the best end.

    Args:
        likelihood: Of the record.
        starts: Coordinates; those that are not free stay.
        free: Which coordinates are looked for (numbers,).
    """
    found = descended(Plain(likelihood), starts, free, PATIENCE)
    best = int(np.argmin(found.local.value))
    if not found.converged[best]:  # the others have arrived before
        found = descended(Plain(likelihood), found.places[[best]], free, PATIENCE)
        best = 0
    at = Local(*(part[best] for part in found.local))
    return Optimum(found.places[best], at, bool(found.converged[best]), found.rounds)


def descended(
    objective: Objective, starts: NDArray, free: NDArray, patience: int, most: int = MOST_ROUNDS
) -> Descended:
    """Descend in every row by damped scoring steps, inside the box.

    Args:
        objective: What is made small.
        starts: Coordinates (starts, numbers).
        free: Which of them may move (numbers,).
        patience: Steps that rows may take after the first has arrived.
        most: Steps at most.
    """
    likelihood = objective.likelihood
    places = np.clip(starts, likelihood.low, likelihood.high)
    local = objective.around(places, np.arange(len(places)), free)
    damping = np.full(len(places), 1e-2)
    active = local.value < WORST
    converged, slow = np.zeros(len(places), bool), np.zeros(len(places), int)
    rounds = 0
    while active.any() and rounds < most and patience > 0:
        rounds += 1
        rows = np.flatnonzero(active)
        tried, gains = _steps(likelihood, places[rows], local, rows, free, damping[rows])
        values = objective.values(tried, rows)
        best = values.argmin(axis=1)
        lower = values[np.arange(len(rows)), best]
        better = lower < local.value[rows]
        slow[rows] = np.where(better & (local.value[rows] - lower < LITTLE), slow[rows] + 1, 0)
        still = (gains < ENOUGH) | (slow[rows] >= SLOW)
        factor = np.where(better, np.append(DAMPINGS, np.ones_like(SHARES))[best], 1e3)
        damping[rows] = np.clip(damping[rows] * factor, 1e-9, 1e12)
        stuck = ~better & (damping[rows] > 1e9)
        converged[rows] = still | (stuck & (gains < 10 * LITTLE))
        moved = rows[better]
        if moved.size:
            places[moved] = tried[np.flatnonzero(better), best[better]]
            new = objective.around(places[moved], moved, free)
            for part, part_of_new in zip(local, new, strict=True):
                part[moved] = part_of_new
        active[rows[still | stuck]] = False
        patience -= int(converged.any())  # others may still catch up, for a while
    return Descended(places, local, converged, rounds)


def movable(likelihood: Likelihood, place: NDArray, slope: NDArray, free: NDArray) -> NDArray:
    """Which coordinates may move: free ones, but for those that press against their bounds."""
    room = 1e-9 * (1 + np.abs(place))
    below = (place <= likelihood.low + room) & (slope > -PRESSED)
    above = (place >= likelihood.high - room) & (slope < PRESSED)
    return free & ~below & ~above


def _steps(
    likelihood: Likelihood,
    places: NDArray,
    local: Local,
    rows: NDArray,
    free: NDArray,
    damping: NDArray,
) -> tuple[NDArray, NDArray]:
    """Steps to try (starts, tries, numbers), and what the undamped one promises to gain."""
    tried = np.repeat(places[:, None], len(DAMPINGS) + len(SHARES), axis=1)
    gains = np.zeros(len(places))
    for one, row in enumerate(rows):
        slope, information = local.slope[row], local.information[row]
        moves = movable(likelihood, places[one], slope, free)
        if not moves.any():
            continue
        g, h = slope[moves], information[np.ix_(moves, moves)]
        scale = np.sqrt(np.maximum(np.diag(h), 1e-12))
        g, h = g / scale, h / np.outer(scale, scale)
        ridges = np.append(DAMPINGS * damping[one], np.full(len(SHARES), RIDGE))
        steps = -np.linalg.solve(h + ridges[:, None, None] * np.eye(len(g)), g)
        gains[one] = -0.5 * g @ steps[-1]
        steps /= scale
        steps *= np.minimum(1.0, LONGEST / np.maximum(np.abs(steps).max(axis=1), 1e-300))[:, None]
        steps[len(DAMPINGS) :] *= SHARES[:, None]
        tried[one][:, moves] += steps
    return np.clip(tried, likelihood.low, likelihood.high), gains
