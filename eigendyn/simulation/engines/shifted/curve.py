r"""Compute the one curve that all trajectories between two fixed points follow.

Every trajectory between them is that curve, shifted in time: T(x) = ∫ dx'/g(x'), x = log v. The
curve has two legs. T = 0 where they meet, or, if modes come from or go to infinity in finite time,
there, since that is where the curve is steepest. On a leg that ends at a fixed point x* the
variable is q = ln |x − x*|, on one that ends at v = 0 or v = ∞ it is q = x; either makes T smooth,
so that it is kept as Chebyshev series on panels of q, each bisected until its series has converged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import mpmath
import numpy as np
from mpmath import mpf
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from eigendyn.simulation.engines.shifted.growth_rate import Growth, two_floats
from eigendyn.simulation.engines.shifted.power_sum import DIGITS

TERMS = 16  # Chebyshev coefficients of dT/dq on a panel
CONVERGED = 4e-15  # last coefficients over the largest; e^{rx} adds the round-off of r x
HALVINGS = 10  # of panels anywhere, and
MOST_HALVINGS = 45  # … of a few, since ghosts of fixed points are narrow
FEW = 64
CLOSEST = -69.0  # ln |x − x*| from which on a mode is at its fixed point
FARTHEST = 690.0  # |log v|, s from 1e-150 to 1e150; beyond, a mode has become infinite, or
SMALLEST = 1e-140  # … is of no more interest: a singular value below counts as 0
LARGEST = 600.0  # |r log v|, so that no power overflows
NEWTON = 8
EPS = float(np.finfo(float).eps)

_NODES = chebyshev.chebpts1(TERMS)
_TO_SERIES = np.linalg.inv(chebyshev.chebvander(_NODES, TERMS - 1))


@dataclass(frozen=True, eq=False)
class Leg:
    """One leg of a curve: time T as a function of q, and back.

    Args:
        growth: The growth rate.
        anchor: log v of the fixed point at which the leg ends; None if that is v = 0 or v = ∞.
        side: +1 if the leg lies above its anchor, −1 below.
        edges: Panel edges (panels + 1,), ascending in q.
        slopes: Chebyshev series of dT/dq (panels, TERMS).
        series: Chebyshev series of T − T(left edge) (panels, TERMS + 1).
        times: T at the edges (panels + 1,).
        s_high, s_low: Singular value at the anchor, a sum of two floats.
    """

    growth: Growth
    anchor: mpf | None
    side: int
    edges: NDArray
    slopes: NDArray
    series: NDArray
    times: NDArray
    s_high: float
    s_low: float

    def singular_value(self, q: NDArray) -> NDArray:
        """S = √v."""
        if self.anchor is None:
            return np.exp(q / 2)
        return self.s_high * np.exp(self.side * np.exp(q) / 2)

    def speed(self, q: NDArray) -> NDArray:
        """ds/dt = s g/2."""
        distance = q if self.anchor is None else self.side * np.exp(q)
        with np.errstate(over="ignore"):
            return self.singular_value(q) * self.growth(distance, self.anchor) / 2

    def q_of_distance(self, u: NDArray) -> NDArray:
        """Q of the singular value at distance u from that at the anchor, or from 0."""
        with np.errstate(divide="ignore"):
            if self.anchor is None:
                return 2 * np.log(u)
            return np.log(2 * self.side * np.log1p(self.side * u / self.s_high))

    def time(self, q: NDArray) -> NDArray:
        """T(q); q beyond the leg counts as its end."""
        q = np.clip(q, self.edges[0], self.edges[-1])
        panel = np.clip(np.searchsorted(self.edges, q, "right") - 1, 0, len(self.series) - 1)
        return self.times[panel] + _clenshaw(self.series[panel], self._local(q, panel))

    def q_of_time(self, time: NDArray) -> NDArray:
        """Q at which T is the given time, by Newton's method within a panel."""
        rising = self.times[-1] > self.times[0]
        ascending = self.times if rising else self.times[::-1]
        time = np.clip(time, ascending[0], ascending[-1])
        panel = np.searchsorted(ascending, time, "right") - 1
        panel = np.clip(panel, 0, len(self.series) - 1)
        panel = panel if rising else len(self.series) - 1 - panel
        low, high = self.edges[panel], self.edges[panel + 1]
        rest = time - self.times[panel]
        series, slopes = self.series[panel], self.slopes[panel]
        share = np.clip(rest / (self.times[panel + 1] - self.times[panel]), 0, 1)
        q = low + share * (high - low)
        for _ in range(NEWTON):
            local = self._local(q, panel)
            step = (_clenshaw(series, local) - rest) / _clenshaw(slopes, local)
            q = np.clip(q - step, low, high)
            if np.all(np.abs(step) < 1e-15 * (1 + np.abs(q))):
                break
        return q

    def _local(self, q: NDArray, panel: NDArray) -> NDArray:
        low, high = self.edges[panel], self.edges[panel + 1]
        return (2 * q - low - high) / (high - low)


@dataclass(frozen=True, eq=False)
class Passage:
    """The curve between two neighbouring fixed points.

    Args:
        lower, upper: Its legs.
        split: Singular value at which they meet.
        meeting: T there.
        grows: True if modes on it grow.
        explodes: True if they become infinite at the end of the upper leg, in finite time.
        edge_times, edge_values, edge_speeds: T ascending, s and ds/dt at all panel edges.
    """

    lower: Leg
    upper: Leg
    split: float
    meeting: float
    grows: bool
    explodes: bool
    edge_times: NDArray = field(repr=False)
    edge_values: NDArray = field(repr=False)
    edge_speeds: NDArray = field(repr=False)

    def singular_value(self, time: NDArray) -> NDArray:
        """S at times T on the curve, of any shape."""
        before = time <= self.meeting
        first, last = (self.lower, self.upper) if self.grows else (self.upper, self.lower)
        found = np.empty_like(time)
        found[before] = first.singular_value(first.q_of_time(time[before]))
        found[~before] = last.singular_value(last.q_of_time(time[~before]))
        return found


def passage(growth: Growth, index: int) -> Passage:
    """Follow the curve above the `index` lowest of the fixed points with v > 0."""
    rest = growth.rest
    below = rest[index - 1] if index else None
    above = rest[index] if index < len(rest) else None
    with mpmath.workdps(DIGITS):
        if above is not None:
            down = 1.0 if below is None else min(1.0, float((above - below) / 2))
            split = float(above - down)
            up = 0.0 if below is None else float(above - below) - down
        else:
            down, up = 0.0, 2.0
            split = 0.0 if below is None else float(below + up)
    leading = growth.exponents[0]  # of the growth of a vanishing mode, unless that is exponential
    lowest = -min(FARTHEST, LARGEST / leading) if leading > 0 else -FARTHEST
    highest = min(FARTHEST, LARGEST / max(growth.steepest, 1e-300))
    meeting = 0.0
    if above is None:
        upper = _leg(growth, None, -1, (split - 1.5, highest))
        # modes reach or leave infinity in finite time: T = 0 is there, where the curve is steepest
        if growth.steepest > 0:
            meeting = float(upper.time(np.array([split]))[0])
        else:
            upper = _from_split(upper, split, 0.0)
    else:
        upper = _leg(growth, above, -1, (CLOSEST, np.log(1.4 * down)))
        upper = _from_split(upper, np.log(down), 0.0)
    if below is None:
        lower = _leg(growth, None, 1, (lowest, split + 0.5))
        lower = _from_split(lower, split, meeting)
    else:
        lower = _leg(growth, below, 1, (CLOSEST, np.log(min(1.4 * up, up + 0.5))))
        lower = _from_split(lower, np.log(up), meeting)
    grows = bool(lower.speed(lower.edges[-1:])[0] > 0)
    legs = [lower, upper]
    times = np.concatenate([leg.times for leg in legs])
    order = np.argsort(times, kind="stable")
    return Passage(
        lower=lower,
        upper=upper,
        split=float(np.exp(split / 2)),
        meeting=meeting,
        grows=grows,
        explodes=above is None and grows,
        edge_times=times[order],
        edge_values=np.concatenate([leg.singular_value(leg.edges) for leg in legs])[order],
        edge_speeds=np.abs(np.concatenate([leg.speed(leg.edges) for leg in legs]))[order],
    )


def _from_split(leg: Leg, q: float, time: float) -> Leg:
    """Let T(q) be the given time."""
    return replace(leg, times=leg.times + (time - leg.time(np.array([q]))[0]))


def _leg(growth: Growth, anchor: mpf | None, side: int, ends: tuple[float, float]) -> Leg:
    """A leg with T = 0 at its last edge; it reaches a little beyond where it meets the other."""

    def slope(q: NDArray) -> NDArray:
        if anchor is None:
            return 1 / growth(q, None)
        distance = np.exp(q)
        return side * distance / growth(side * distance, anchor)

    width = 0.5 / max(1.0, growth.steepest)
    round_off = 0.0 if anchor is not None else EPS * growth.steepest
    edges, slopes = _panels(slope, *ends, width, round_off)
    width = np.diff(edges)
    series = chebyshev.chebint(slopes, lbnd=-1, axis=1) * (width / 2)[:, None]
    times = -np.concatenate([np.cumsum(series.sum(axis=1)[::-1])[::-1], [0.0]])
    high, low = (0.0, 0.0) if anchor is None else two_floats(anchor)
    return Leg(growth, anchor, side, edges, slopes, series, times, high, low)


def _panels(
    slope: Callable[[NDArray], NDArray], low: float, high: float, width: float, round_off: float
) -> tuple[NDArray, NDArray]:
    """Bisect panels until the series of `slope` has converged on each."""
    edges = np.linspace(low, high, max(2, int(np.ceil((high - low) / width)) + 1))
    left, right = edges[:-1], edges[1:]
    done: list[tuple[NDArray, NDArray, NDArray]] = []
    for halving in range(MOST_HALVINGS + 1):
        middle, half = (left + right) / 2, (right - left) / 2
        series = slope(middle[:, None] + half[:, None] * _NODES) @ _TO_SERIES.T
        tail = np.abs(series[:, -2:]).max(axis=1)
        largest = np.abs(series).max(axis=1)
        # what the round-off of q does where the series is steep, as in a ghost
        steep = np.abs(chebyshev.chebder(series, axis=1)).sum(axis=1) / half / largest
        share = CONVERGED + (round_off + EPS * steep) * np.abs(middle)
        allowed = share * largest
        good = tail <= allowed
        if halving >= (HALVINGS if np.sum(~good) > FEW else MOST_HALVINGS):
            good[:] = True
        done.append((left[good], right[good], series[good]))
        if good.all():
            break
        middle = middle[~good]
        left, right = (
            np.concatenate([left[~good], middle]),
            np.concatenate([middle, right[~good]]),
        )
    lefts = np.concatenate([one[0] for one in done])
    order = np.argsort(lefts)
    rights = np.concatenate([one[1] for one in done])[order]
    series = np.concatenate([one[2] for one in done])[order]
    return np.concatenate([lefts[order], rights[-1:]]), series


def _clenshaw(series: NDArray, x: NDArray) -> NDArray:
    """Σ_k series[…, k] T_k(x)."""
    one = two = np.zeros_like(x)
    for k in range(series.shape[-1] - 1, 0, -1):
        one, two = series[..., k] + 2 * x * one - two, one
    return series[..., 0] + x * one - two
