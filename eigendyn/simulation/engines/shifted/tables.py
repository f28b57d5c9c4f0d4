"""Tabulate the curves along which uncoupled modes move, as accurately as asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eigendyn.simulation.engines.shifted.curve import EPS, SMALLEST, Leg, Passage, passage
from eigendyn.simulation.engines.shifted.dyadic import TERMS, Table, tabulate
from eigendyn.simulation.engines.shifted.growth_rate import Growth, growth, two_floats
from eigendyn.simulation.engines.shifted.power_sum import PowerSum
from eigendyn.simulation.engines.shifted.shift import CURVE

SHARE = 0.2  # of the allowed error, for each of the two tables
SETTLED = 0.02  # of the allowed error, from where on a mode counts as at rest
FINEST = 2.0**-58  # time before a mode becomes infinite, over the longest
ROUND_OFF = 32  # roundings that a time is the result of: it is kept as a function of log v


@dataclass(frozen=True, eq=False)
class Curves:
    """What machine code needs to follow starts along their curves.

    Args:
        rest: Singular values of fixed points, as sums of two floats (points, 2).
        curves: Numbers of each curve, in the order of `CURVE` (points + 1, numbers).
        records, cells: Of all tables.
        growth: The growth rate.
        rounding: True if the rounding of times may err more than is allowed on some curve.
        error: Largest error of a table, over its share of what is allowed.
    """

    rest: NDArray
    curves: NDArray
    records: NDArray
    cells: NDArray
    growth: Growth = field(repr=False)
    rounding: bool
    error: float

    def speed(self, values: NDArray) -> NDArray:
        """|ds/dt| of singular values, of any shape."""
        with np.errstate(divide="ignore"):
            return np.abs(values * self.growth(2 * np.log(values), None)) / 2


def allowed_error(values: NDArray, rtol: float, atol: float) -> NDArray:
    """What s may err by, so that s errs by less than atol + rtol s, and v = s² likewise."""
    absolute = atol / np.maximum(values, 1.0)
    return np.where(values < SMALLEST, SMALLEST, (absolute + rtol * values) / 2)


@dataclass(frozen=True, eq=False)
class Reach:
    """The part of a curve that is needed.

    Args:
        earliest, latest: Times T that table must hold.
        end, value: From the time `end` on modes have that singular value; NaN if there is none.
        least: Smallest allowed error of time from each panel edge to `last` after it (edges,).
        edges: T at the edges.
        rounding: True if the rounding of times may err more than is allowed.
    """

    earliest: float
    latest: float
    end: float
    value: float
    least: NDArray
    edges: NDArray
    rounding: bool

    def allowed_time(self, time: NDArray) -> NDArray:
        """What a mode's own time may err by."""
        edge = np.clip(np.searchsorted(self.edges, time, "right") - 1, 0, len(self.edges) - 1)
        return np.maximum(self.least[edge], ROUND_OFF * EPS * np.abs(time))


def reach_of(
    path: Passage, low: float, high: float, last: float, rtol: float, atol: float
) -> Reach:
    """Find what part of a curve starts between `low` and `high` see until the time `last`."""
    edges, values, speeds = path.edge_times, path.edge_values, path.edge_speeds
    allowed = allowed_error(values, rtol, atol)
    first_leg, last_leg = (path.lower, path.upper) if path.grows else (path.upper, path.lower)
    first_start, last_start = (low, high) if path.grows else (high, low)
    ends = edges[-1]
    if path.explodes:
        value = np.nan
    else:
        value = last_leg.s_high
        near = SETTLED * allowed_error(np.array([value]), rtol, atol)
        ends = edges[min(int(np.sum(np.abs(values - value) > near)), len(edges) - 1)]
    if first_leg.anchor is None:
        earliest = float(first_leg.time(first_leg.q_of_distance(np.array([first_start])))[0])
    else:
        settled = np.abs(values - first_leg.s_high) <= SETTLED * allowed
        earliest = edges[max(int(np.sum(settled & (edges < path.meeting))) - 1, 0)]
    latest = ends
    if last_leg.anchor is None:
        start = float(last_leg.time(last_leg.q_of_distance(np.array([last_start])))[0])
        latest = min(ends, start + last)
    seen = (edges >= earliest) & (edges <= latest)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        # an error δT of a mode's own time moves s by ds/dt · δT whenever it is read
        possible = np.where(edges >= earliest, SHARE * allowed / speeds, np.inf)
        error = ROUND_OFF * EPS * np.maximum(np.abs(edges), abs(earliest)) * speeds
    return Reach(
        earliest=float(earliest),
        latest=float(latest),
        end=float(ends),
        value=float(value),
        least=_least_until(possible, np.searchsorted(edges, edges + last) + 1),
        edges=edges,
        rounding=bool(np.any(error[seen] > allowed[seen])),
    )


@lru_cache(maxsize=64)
def tabulate_curves(
    rate: PowerSum,
    visited: tuple[int, int],
    low: int,
    high: int,
    last: int,
    rtol: float,
    atol: float,
) -> Curves:
    """Tabulate curves: their own time from a singular value, and a singular value from it.

    A mode's error is that of the second table, and that of the first times the speed at the time
    of the answer: the first may therefore err by what is allowed over speed, the least of that at
    any later time.

    Args:
        rate: Growth rate of a mode's variance.
        visited: Curves from the first to the second number of fixed points below.
        low: Starts are at least 2^low.
        high: Starts are at most 2^high.
        last: Times lie below 2^last.
        rtol: Error allowed in s, and in v = s², relative.
        atol: Error allowed in both, absolute.

    Returns:
        The tables, with the largest error that was found in them.
    """
    g = growth(rate)
    count = len(g.rest)
    numbers = np.zeros((count + 1, len(CURVE)))
    records: list[NDArray] = []
    cells: list[NDArray] = []
    errors, rounding = [0.0], False

    def keep(*tables: Table) -> dict[str, float]:
        """Append tables that are read as one, and say where they begin."""
        place = {
            "first": tables[0].first,
            "last": len(tables[0].records) - 1,
            "limit": min(table.limit for table in tables),
            "record": sum(len(one) for one in records),
            "cell": sum(len(one) for one in cells),
        }
        begin = 0
        for table in tables:
            records.append(table.records + np.array([0.0, begin]))
            cells.append(table.cells)
            begin += len(table.cells)
            errors.append(table.error)
        return place

    for index in range(visited[0], visited[1] + 1):
        path = passage(g, index)
        reach = reach_of(path, 2.0**low, 2.0**high, 2.0**last, rtol, atol)
        rounding |= reach.rounding
        found: dict[str, float] = {
            "split": path.split,
            "end": reach.end,
            "value": reach.value,
            "explodes": float(path.explodes),
        }
        for name, leg in (("lower", path.lower), ("upper", path.upper)):
            own = keep(_times_table(leg, path.split, low, high, reach))
            own |= {"reference_high": leg.s_high, "reference_low": leg.s_low}
            found |= {f"{name}_{key}": value for key, value in own.items()}
        found |= keep(*_values_tables(path, reach, rtol, atol))
        numbers[index] = [found[name] for name in CURVE]
    return Curves(
        rest=np.array([two_floats(one) for one in g.rest]).reshape(count, 2),
        curves=numbers,
        records=_aligned(np.concatenate([*records, np.zeros((1, 2))])),
        cells=_aligned(np.concatenate([*cells, np.zeros((1, TERMS))])),
        growth=g,
        rounding=rounding,
        error=max(errors),
    )


def _least_until(values: NDArray, ends: NDArray) -> NDArray:
    """Least of values[i : ends[i]] for every i, from those of runs of 1, 2, 4, … values."""
    # Two runs whose length is a power of two cover any range, overlapping: one minimum each, and
    # the doubling of all runs is shared.
    index = np.arange(len(values))
    length = np.minimum(ends, len(values)) - index
    found = np.empty_like(values)
    runs, size = values, 1
    while True:
        fits = (length >= size) & (length < 2 * size)
        found[fits] = np.minimum(runs[index[fits]], runs[index[fits] + length[fits] - size])
        if size > length.max():
            return found
        later = np.minimum(index + size, len(values) - 1)
        runs, size = np.minimum(runs, runs[later]), 2 * size


def _times_table(leg: Leg, split: float, low: int, high: int, reach: Reach) -> Table:
    """A mode's own time from the distance of its singular value from that at the leg's anchor."""
    if leg.anchor is not None:
        largest = abs(split - leg.s_high)
        closest = np.spacing(leg.s_high) / 4  # that a float comes to the anchor, unless it is it
        smallest = min(closest, abs(leg.s_low) / 2) if leg.s_low else closest
    elif leg.side > 0:
        smallest, largest = min(2.0**low, split / 2), split
    else:
        smallest, largest = 0.6 * split, max(2.0**high, 2 * split)
    return tabulate(
        lambda u: leg.time(leg.q_of_distance(u)),
        lambda _, time: reach.allowed_time(time),
        smallest,
        largest,
        flat=True,
    )


def _values_tables(path: Passage, reach: Reach, rtol: float, atol: float) -> tuple[Table, Table]:
    """A singular value from its time before T = 0, and after."""
    largest = max(abs(reach.earliest), abs(reach.latest))
    from_pole = path.meeting != 0
    if from_pole:
        smallest = FINEST * largest if path.grows else abs(reach.earliest) / 2
    else:
        near = np.abs(path.edge_times) <= largest
        with np.errstate(divide="ignore"):
            scale = path.edge_values[near] / path.edge_speeds[near]
        smallest = min(largest, float(scale.min(initial=largest))) / 8

    def table(sign: int) -> Table:
        return tabulate(
            lambda u: path.singular_value(sign * u),
            lambda _, values: SHARE * allowed_error(values, rtol, atol),
            smallest,
            largest,
            flat=from_pole,
        )

    return table(-1), table(1)


def _aligned(array: NDArray) -> NDArray:
    """A copy that begins at a cache line."""
    room = np.empty(array.size + 8)
    begin = (-room.ctypes.data % 64) // 8
    copy = room[begin : begin + array.size].reshape(array.shape)
    copy[...] = array
    return copy
