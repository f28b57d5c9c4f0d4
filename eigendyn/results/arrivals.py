"""Find when a mode arrives at its end value: from samples alone, or in the run itself.

A mode's way is a polynomial through eight times at which its run was watched. Where one through
fewer says something else, or the mode may have come and gone in between, the run is followed again
there, at closer times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigendyn.results.crossings import POINTS, located
from eigendyn.results.outcome_words import NEAR

ACCURACY = 1e-6  # of an arrival, as a fraction of its time
SAFETY = 0.1  # polynomials that agree may be wrong by more than they differ
NOISE = 10.0  # error of a state, over the relative tolerance of the run
LEVELS = 12  # closer looks, each at some thirty times as fine a scale
FINEST = 1e-12  # of a time: no closer look at less than that
BLOCK = 2**22  # numbers in one intermediate array

Follow = Callable[[NDArray, NDArray, float, float], tuple[NDArray, NDArray]]


def squared(roots: NDArray) -> NDArray:
    """Sizes, from their roots."""
    with np.errstate(over="ignore"):  # an infinite variance is what a diverged run has
        return roots**2


def root_sizes(singular: NDArray, of_shares: bool) -> NDArray:
    """Roots of the modes' sizes (…, modes, times), from singular values."""
    singular = singular.astype(float, copy=False)
    if not of_shares:
        return singular
    ends = (of(singular, axis=-2, keepdims=True) for of in (np.max, np.min))
    largest = np.maximum(*map(np.abs, ends))
    of_largest = singular / np.where(largest > 0, largest, 1.0)  # so that no square is too small
    of_largest /= np.sqrt((of_largest**2).sum(axis=-2, keepdims=True) + (largest == 0))
    return of_largest


def recruitment_times(times: NDArray, variance: NDArray, end: NDArray | None = None) -> NDArray:
    """Find the first time at which each mode is within 5 % of its end value, from samples alone.

    The first t with |x(t)| ≤ 0.05, where x = v/v_end − 1. Between two saved times log|x| is taken
    as linear, which is exact for exponential relaxation, or x itself where its sign changes or it
    vanishes; either errs by second order in the distance of the saved times.

    Args:
        times: Saved times (times,), learning rate × step.
        variance: Variance (modes, times).
        end: End values (modes,); None takes those at the last time.

    Returns:
        Recruitment times (modes,) [learning rate × step]; NaN where the mode ends at zero or
        not finite, so that a fraction of its end value means nothing.
    """
    variance = np.asarray(variance, float)
    end = variance[:, -1] if end is None else end
    pieces = 1 + variance.size // BLOCK
    blocks = zip(np.array_split(variance, pieces), np.array_split(end, pieces), strict=True)
    return np.concatenate([_recruitment_times(times, *block) for block in blocks])


def _recruitment_times(times: NDArray, variance: NDArray, end: NDArray) -> NDArray:
    defined = (end > 0) & np.isfinite(end)
    with np.errstate(over="ignore"):
        ratio = variance / np.where(defined, end, 1.0)[:, None]
    distance = np.minimum(ratio - 1, 1e200)  # so that ratios of distances stay finite
    inside = np.abs(distance) <= NEAR
    above = distance > 0
    inside[:, 1:] |= above[:, :-1] != above[:, 1:]  # through the band between two saved times
    arrived = inside.argmax(axis=1)
    before = np.maximum(arrived - 1, 0)
    rows = np.arange(len(variance))
    start, stop = distance[rows, before], distance[rows, arrived]
    crossed = defined & (np.abs(start) > NEAR)
    start, stop = np.where(crossed, start, 2.0), np.where(crossed, stop, 1.0)
    edge = np.copysign(NEAR, start)
    same_side = np.sign(start) == np.sign(stop)
    relaxing = np.log(start / edge) / np.log(start / np.where(same_side, stop, start / 2))
    fraction = np.where(same_side, relaxing, (start - edge) / (start - stop))
    found = times[before] + np.where(crossed, fraction, 0.0) * (times[arrived] - times[before])
    return np.where(defined, found, np.nan)


def arrival_times(
    times: NDArray,
    values: NDArray,
    follow: Follow,
    rtol: float,
    of_shares: bool,
    resolved: float = 0.0,
) -> NDArray:
    """Find the first time at which each mode is within 5 % of its end value, in the run itself.

    The first t at which v leaves the side of v_end (1 ± 0.05) on which it began. It is found to
    1e-6 of itself, or to what the error of the states leaves open.

    Args:
        times: Watched times (times,), learning rate × step, eight at least.
        values: States at them (trajectories, states, modes, times), the singular value first.
        follow: Follows some trajectories again: takes their numbers (points,), their states
            (points, states, modes) at a first time, and that time and a last one; returns times
            from one to the other (K,) and the states at them (points, states, modes, K).
        rtol: Relative tolerance of the states.
        of_shares: Whether modes are counted by their shares of the total variance.
        resolved: Singular value at the end up to which a mode counts as ended at zero.

    Returns:
        Times (trajectories, modes); NaN where the mode ends at zero or not finite.
    """
    count, _, modes, _ = values.shape
    found = np.full((count, modes), np.nan)
    first, end = np.moveaxis(root_sizes(values[:, 0][..., [0, -1]], of_shares), -1, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = (first / np.where(end > 0, end, 1.0)) ** 2
    defined = (end > 0) & np.isfinite(end) & (np.abs(values[:, 0, :, -1]) > resolved)
    outside = defined & ~(np.abs(ratio - 1) <= NEAR)
    found[defined & ~outside] = times[0]
    search = _Search(follow, rtol, of_shares, LEVELS)
    for block in np.array_split(np.argwhere(outside), 1 + outside.sum() * len(times) // BLOCK):
        rows, mode = block.T
        side = np.where(ratio[rows, mode] > 1, 1.0, -1.0)
        level = end[rows, mode] * np.sqrt(1 + NEAR * side)
        ways = _Ways(rows, rows, mode, level, side)
        found[rows, mode] = search.first(times, values, ways)
    return found


@dataclass(frozen=True)
class _Ways:
    """Ways of single modes, each until it crosses its level.

    Args:
        trajectory: Number of the trajectory (ways,).
        row: Where its states stand (ways,).
        mode: The mode (ways,).
        level: Singular value to be crossed (ways,).
        side: 1 where the way begins above, −1 below (ways,).
    """

    trajectory: NDArray
    row: NDArray
    mode: NDArray
    level: NDArray
    side: NDArray

    def __getitem__(self, some: NDArray) -> _Ways:
        """Some of the ways."""
        parts = (self.trajectory, self.row, self.mode, self.level, self.side)
        return _Ways(*(each[some] for each in parts))


@dataclass(frozen=True)
class _Search:
    """How crossings are searched for."""

    follow: Follow
    rtol: float
    of_shares: bool
    levels: int

    def first(self, times: NDArray, values: NDArray, ways: _Ways) -> NDArray:
        """First crossing of every way (ways,), NaN if there is none."""
        curves = self._curves(values, ways)
        gaps = curves - ways.level[:, None]
        gaps *= ways.side[:, None]
        beyond = ~(gaps > 0)
        crosses = beyond.any(axis=1)
        at = np.where(crosses, np.maximum(beyond.argmax(axis=1), 1), len(times) - 1)
        found, error = located(times, curves, at, ways.level, ways.side)
        before, after = times[at - 1], times[at]
        rows = np.arange(len(at))
        steepness = np.abs(curves[rows, at] - curves[rows, at - 1]) / (after - before)
        with np.errstate(divide="ignore", invalid="ignore"):  # nothing moves, or all has vanished
            noise = NOISE * self.rtol * ways.level / steepness
        vague = crosses & ~(error <= np.maximum(SAFETY * ACCURACY * after, noise))
        found[~crosses] = np.nan
        if self.levels:
            self._closer(times, values, ways, np.where(vague, at, 0), 1, found)
            self._closer(times, values, ways, _dips(gaps, at), 2, found)
        return found

    def _curves(self, values: NDArray, ways: _Ways) -> NDArray:
        """Root of the size along every way (ways, times); in a share all modes have a part."""
        if not self.of_shares:
            return root_sizes(values[ways.row, 0, ways.mode], of_shares=False)
        rows, which = np.unique(ways.row, return_inverse=True)
        return root_sizes(values[rows, 0], of_shares=True)[which, ways.mode]

    def _closer(
        self,
        times: NDArray,
        values: NDArray,
        ways: _Ways,
        last: NDArray,
        back: int,
        found: NDArray,
    ) -> None:
        """Follow ways again that end at the times of these places, if not at the first.

        What is found replaces what was; what fails, or finds no crossing, changes nothing.
        """
        for place in np.unique(last[last > 0]):
            here = np.flatnonzero(last == place)
            rows, which = np.unique(ways.row[here], return_inverse=True)
            trajectories = np.empty_like(rows)
            trajectories[which] = ways.trajectory[here]
            begin = place - back
            if times[place] - times[begin] < FINEST * times[place]:
                continue
            closer, states = self.follow(
                trajectories, values[rows, ..., begin], float(times[begin]), float(times[place])
            )
            some = ways[here]
            some = _Ways(some.trajectory, which, some.mode, some.level, some.side)
            if len(closer) < POINTS:
                continue
            finer = _Search(self.follow, self.rtol, self.of_shares, self.levels - 1)
            again = finer.first(closer, states, some)
            found[here] = np.where(np.isfinite(again), again, found[here])


def _dips(gaps: NDArray, at: NDArray) -> NDArray:
    """Place after the first dip towards the level that may have crossed it; 0 if there is none."""
    left, low, right = gaps[:, :-2], gaps[:, 1:-1], gaps[:, 2:]
    lowest = (low <= left) & (low < right)
    lowest &= np.arange(1, gaps.shape[1] - 1) < at[:, None] - 1
    row, place = np.nonzero(lowest)  # few, so that what is dear is done for them alone
    left, low, right = (each[row, place] for each in (left, low, right))
    with np.errstate(over="ignore"):
        deep = 8 * low * (left - 2 * low + right) <= 2 * (left - right) ** 2
    lowest[row, place] = deep
    return np.where(lowest.any(axis=1), lowest.argmax(axis=1) + 2, 0)
