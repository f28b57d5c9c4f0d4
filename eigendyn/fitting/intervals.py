"""Find profile-likelihood intervals: how far a number goes while all others make up for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.likelihood import WORST, Likelihood, Local
from eigendyn.fitting.optimum import Optimum, descended
from eigendyn.fitting.told import Combination, loosely_known

SIGMAS = 1.959964  # √(2 ΔlnL) at the ends of a 95 % interval
CLOSE = 0.02  # of it, to which ends are found
PULL = 50.0  # how stiffly a quantity is held, in units of what the record says of it
STILL = 0.002  # of its way, that a quantity which bounds hold off goes further at most
ROUNDS = 10
INNER = 25  # steps of the others in each round, at most
LIKELIER = 0.1  # in ln likelihood, from which on another optimum is looked for
FASTEST = 3.0  # times as far from the optimum in one round, at most


@dataclass(frozen=True)
class Held:
    """−ln likelihood, with a quantity of each row held near a value by a spring.

    The minimum lies on the profile of the quantity, wherever the spring lets it come to rest.

    Args:
        likelihood: Of the record.
        quantities: One for each row.
        near: The values (rows,).
        stiffness: Of the springs (rows,).
    """

    likelihood: Likelihood
    quantities: Sequence[Combination]
    near: NDArray
    stiffness: NDArray

    def values(self, tried: NDArray, rows: NDArray) -> NDArray:
        """Values with the energy of the spring."""
        flat = self.likelihood.values(tried.reshape(-1, tried.shape[-1])).reshape(tried.shape[:2])
        for one, row in enumerate(rows):
            found = np.array([self.quantities[row].value(place) for place in tried[one]])
            flat[one] += 0.5 * self.stiffness[row] * (found - self.near[row]) ** 2
        return np.minimum(flat, WORST)

    def around(self, places: NDArray, rows: NDArray, free: NDArray) -> Local:
        """Value, gradient and curvature with those of the spring."""
        local = self.likelihood.around(places, free)
        for one, row in enumerate(rows):
            quantity, stiffness = self.quantities[row], self.stiffness[row]
            gap = quantity.value(places[one]) - self.near[row]
            along = np.where(free, quantity.slope(places[one]), 0.0)
            local.value[one] += 0.5 * stiffness * gap**2
            local.slope[one] += stiffness * gap * along
            local.information[one] += stiffness * np.outer(along, along)
        return local


def intervals(
    likelihood: Likelihood, best: Optimum, quantities: Sequence[Combination], free: NDArray
) -> tuple[NDArray, NDArray | None]:
    r"""95 % intervals (quantities, 2) of functions of the numbers, and where it is likelier still.

    The profile of a quantity g is the largest likelihood of all numbers with that g. Its root,
    z = √(2 ΔlnL), is nearly linear in g, so that each round goes on to where z should be 1.96. An
    end that the bounds of the numbers do not let g reach is where they stop it.

    Args:
        likelihood: Of the record.
        best: Where it is largest.
        quantities: What the intervals are of.
        free: Which coordinates may move (numbers,).

    Returns:
        The intervals, NaN where a profile could not be followed; and coordinates (numbers,) under
        which the record is likelier than at its optimum, by `LIKELIER` at least, if a profile leads
        past such: then there is another.

    Source: Venzon and Moolgavkar 1988, Appl. Statist. 37, 87, the intervals.
    """
    if not quantities:
        return np.empty((0, 2)), None
    least, likeliest = best.local.value - LIKELIER, None
    each = [quantity for quantity in quantities for _ in range(2)]
    middle = np.array([quantity.value(best.place) for quantity in each])
    spread = np.array([_deviation(best, quantity, free) for quantity in each])
    signs = np.tile([-1.0, 1.0], len(quantities))
    near = middle + signs * SIGMAS * spread
    ways = np.array([_way(best, quantity, free) for quantity in each])
    places = best.place + ways * (near - middle)[:, None]
    ends, waiting = middle.copy(), np.full(len(each), True)
    for _ in range(ROUNDS):
        rows = np.flatnonzero(waiting)
        held = Held(likelihood, [each[row] for row in rows], near[rows], (PULL / spread[rows] ** 2))
        found = descended(held, places[rows], free, INNER, INNER)
        places[rows] = found.places
        g = np.array(
            [each[row].value(place) for row, place in zip(rows, places[rows], strict=True)]
        )
        gap = held.stiffness * (g - near[rows]) ** 2 / 2
        here = found.local.value - gap
        if here.min() < least:
            least, likeliest = here.min(), found.places[here.argmin()]
        z = np.sqrt(2 * np.maximum(here - best.local.value, 1e-6))
        is_held_off = (z < SIGMAS) & (np.abs(g - ends[rows]) <= STILL * np.abs(g - middle[rows]))
        waiting[rows] = (np.abs(z - SIGMAS) > CLOSE * SIGMAS) & ~is_held_off
        ends[rows] = g
        further = np.minimum(SIGMAS / z, FASTEST)
        near[rows] += (g - middle[rows]) * (further - 1)
        places[rows] = best.place + (places[rows] - best.place) * further[:, None]
        if not waiting.any():
            break
    ends = ends.reshape(-1, 2)
    low, value, high = ends[:, 0], middle[::2], ends[:, 1]
    ends[(low > value) | (high < value)] = np.nan  # a profile that was not followed
    return ends, likeliest


def _deviation(best: Optimum, quantity: Combination, free: NDArray) -> float:
    """Standard deviation of a quantity, by the parabola at the optimum."""
    along = quantity.slope(best.place)
    return max(float(np.sqrt(along @ _covariance(best, free) @ along)), 1e-12)


def _way(best: Optimum, quantity: Combination, free: NDArray) -> NDArray:
    """Along which coordinates (numbers,) go if the quantity goes by one, by the same parabola."""
    along = quantity.slope(best.place)
    way = _covariance(best, free) @ along
    return way / max(float(along @ way), 1e-24)


def _covariance(best: Optimum, free: NDArray) -> NDArray:
    """Covariance of all coordinates (numbers, numbers); zero of those that are not free.

    A number that the record does not tell lies within a change that counts as large.
    """
    rows = np.flatnonzero(free)
    loose = loosely_known(best.place, rows)
    found = np.zeros(best.local.information.shape)
    found[np.ix_(rows, rows)] = np.linalg.inv(best.local.information[np.ix_(rows, rows)] + loose)
    return found
