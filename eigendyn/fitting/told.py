"""Find out which numbers a record tells, and which only in combinations.

Directions in which all numbers can move together without any trace in the record are null
directions of their Fisher information, less what noises can make up for: A and the noise of batches
multiply each other. What stays the same along them is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.numbers import (
    ALPHA,
    DECAY,
    LOGS,
    NOISE1,
    NOISE2,
    NUMBERS,
    PROCESS,
    TIME_SCALE,
    to_values,
)

UNTOLD = 1.0  # standard deviation, in changes that count as large, from which on nothing is told
TOUCHED = 0.05  # share that a number must have in a null direction, to be hidden by it
ALONG = 0.03  # slope of a combination along a null direction, at most
KNOWN: dict[str, Callable[[NDArray], float]] = {
    "A − ω": lambda v: v[TIME_SCALE] - v[DECAY],
    "A·c₁": lambda v: v[TIME_SCALE] * v[NOISE1],
    "A/√(c₁c₂)": lambda v: v[TIME_SCALE] / np.sqrt(v[NOISE1] * v[NOISE2]),
    "A·√c₁": lambda v: v[TIME_SCALE] * np.sqrt(v[NOISE1]),
    "A·c₂": lambda v: v[TIME_SCALE] * v[NOISE2],
    "A·α": lambda v: v[TIME_SCALE] * v[ALPHA],
}


@dataclass(frozen=True)
class Combination:
    """A function of the numbers.

    Args:
        name: As an equation writes it.
        value: Its value at coordinates (numbers,).
    """

    name: str
    value: Callable[[NDArray], float]

    def slope(self, place: NDArray) -> NDArray:
        """Its gradient in the coordinates (numbers,)."""
        steps = 1e-6 * scales(place)
        ups = place + np.diag(steps)
        downs = place - np.diag(steps)
        pairs = zip(ups, downs, strict=True)
        return np.array([self.value(u) - self.value(d) for u, d in pairs]) / (2 * steps)


def scales(place: NDArray) -> NDArray:
    """Size of a change of each coordinate that counts as large (numbers,); of ω it is A."""
    found = np.where(LOGS, 1.0, place)
    found[DECAY] = np.exp(place[TIME_SCALE])
    return found


def loosely_known(place: NDArray, rows: NDArray) -> NDArray:
    """Information (rows, rows) of numbers that are known to within a change that counts as large.

    Added to that of a record, it keeps there what the record does not tell.
    """
    return np.diag(scales(place)[rows] ** -2.0)


def alone(index: int) -> Combination:
    """One number by itself."""
    return Combination(NUMBERS[index].name, lambda place: float(to_values(place)[index]))


def told(place: NDArray, information: NDArray, moves: NDArray) -> tuple[NDArray, list[Combination]]:
    """Say which numbers of the dynamics are told alone, and which combinations of the others.

    Args:
        place: Coordinates of the optimum (numbers,).
        information: Fisher information there (numbers, numbers).
        moves: Which coordinates may move (numbers,).

    Returns:
        Whether each number of the dynamics is told (numbers,), of those that move; combinations.
    """
    rows = np.flatnonzero(moves)
    noises = rows[rows >= PROCESS]
    rows = rows[rows < PROCESS]
    scale = scales(place)[rows]
    both = information[np.ix_(rows, noises)]
    left = information[np.ix_(rows, rows)]
    left = left - both @ np.linalg.pinv(information[np.ix_(noises, noises)]) @ both.T
    values, vectors = np.linalg.eigh(left * np.outer(scale, scale))
    null = vectors[:, values < UNTOLD**-2]
    is_told = np.zeros(len(place), bool)
    untold = np.linalg.norm(null, axis=1) > TOUCHED
    is_told[rows] = ~untold
    wanted = int(untold.sum()) - null.shape[1]
    found: list[Combination] = []
    for name, function in KNOWN.items():
        one = Combination(name, lambda at, f=function: float(f(to_values(at))))
        slope = one.slope(place)[rows] * scale
        size = np.linalg.norm(slope)
        touches = (np.abs(slope[untold]) > ALONG * size).any() if size else False
        if len(found) < wanted and touches and np.linalg.norm(slope @ null) < ALONG * size:
            found.append(one)
    if not found and wanted > 0:
        found = _powers(rows, null, untold)
    return is_told, found[:wanted]


def _powers(rows: NDArray, null: NDArray, among: NDArray) -> list[Combination]:
    """Products of powers that do not change along null directions, of the numbers concerned."""
    left, sizes, _ = np.linalg.svd(null[among])
    kept = left[:, int((sizes > 1e-6).sum()) :].T
    found = []
    for powers in kept:
        powers = powers / powers[np.argmax(np.abs(powers))]
        used = [(row, p) for row, p in zip(rows[among], powers, strict=True) if abs(p) > TOUCHED]
        name = "·".join(f"{NUMBERS[row].sign}^{power:.2g}" for row, power in used)

        def value(place: NDArray, used: list = used) -> float:
            values = to_values(place)
            return float(np.prod([max(values[row], 1e-12) ** power for row, power in used]))

        found.append(Combination(name, value))
    return found
