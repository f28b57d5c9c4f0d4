r"""Measure how fast quantities move at every recording, and where a fall would end.

Over a window of recordings a parabola is fitted to x = ln v: its slope −r at the middle and its
bend c = d²x/dt². A fall that slows down as exp(−kt) has c = k r − r² and ends at c/(r² + c) of what
is there at the middle; one that does not slow down has no positive bend and ends at zero. Windows
of several lengths are looked at, as a slow fall shows in a long one only.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

WINDOWS = (5, 7, 10, 14, 20, 28, 40, 57, 80)  # recordings that a parabola is fitted to
BY_CHANCE = 0.01  # probability that any of all rates of a run at rest is said not to be zero
LOST = 0.2  # of its largest, below which a variance that falls is lost
BEGUN = 0.1  # of ln v, by which a fall that is judged has begun


@dataclass(frozen=True)
class Trend:
    """How positive quantities move (quantities, times).

    Args:
        rate: d ln x/dt, of the shortest window over which it is beyond doubt, else of the longest
            that agrees with all shorter ones; not a number before there is one.
        error: Its standard error.
        level: Standard errors from which on a rate is beyond doubt, among so many.
        lost: Whether x falls and its fall, slowing down as it does, ends below `LOST` of its
            largest so far: by the shortest window that tells this beyond doubt, else by best
            estimate of the longest that agrees with all shorter ones.
    """

    rate: NDArray
    error: NDArray
    level: float
    lost: NDArray

    @property
    def falls(self) -> NDArray:
        """Where a quantity falls beyond doubt."""
        return self.rate + self.level * self.error < 0

    @property
    def rises(self) -> NDArray:
        """Where it rises beyond doubt."""
        return self.rate - self.level * self.error > 0


def trend(
    times: NDArray, values: NDArray, errors: NDArray, largest: NDArray | None = None
) -> Trend:
    """Measure how quantities move.

    Args:
        times: Of the recordings (times,).
        values: Logarithms of the quantities (quantities, times).
        errors: Standard errors of these (quantities, times).
        largest: Their largest so far (quantities, times); None takes it of the shortest windows.
    """
    level = beyond_chance(values.size)
    rate, error = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    is_found, lost = np.zeros(values.shape, bool), np.zeros(values.shape, bool)
    is_decided = np.zeros(values.shape, bool)
    agrees = np.ones(values.shape, bool)
    shorter: _Parabolas | None = None
    for window in WINDOWS:
        if len(times) < window:
            break
        late = np.s_[:, window - 1 :]
        fit = _parabolas(times, values, errors, window)
        if largest is None:
            early = ((0, 0), (window - 1, 0))
            heights = np.maximum.accumulate(fit.height, axis=1)
            largest = np.pad(heights, early, constant_values=-np.inf)
        if shorter is not None:
            agrees[late] &= _agree(fit, shorter, level)
        takes = agrees[late] & ~is_found[late]
        rate[late] = np.where(takes, fit.slope, rate[late])
        error[late] = np.where(takes, fit.doubt, error[late])
        is_beyond = np.abs(fit.slope) > level * fit.doubt
        is_found[late] |= takes & is_beyond
        falls = agrees[late] & is_beyond & (fit.slope < 0) & ~is_decided[late]
        room, doubt = _room(fit, largest[late])
        lost[late] = np.where(falls, room > 0, lost[late])
        is_decided[late] |= falls & (np.abs(room) > level * doubt)
        shorter = fit
    return Trend(rate, error, level, lost & (rate + level * error < 0))


def beyond_chance(comparisons: int) -> float:
    """Standard errors that the largest of so many normal variables seldom exceeds."""
    return NormalDist().inv_cdf(1 - BY_CHANCE / (2 * max(comparisons, 1)))


class _Parabolas(NamedTuple):
    """Parabolas through windows that end at every recording, (quantities, windows) but for one.

    Args:
        slope: At the middle of the window.
        doubt: Its standard error.
        bend: d²x/dt².
        bend_doubt: Its standard error.
        height: x at the middle.
        end: x at the last recording of the window.
        middle: Time there (windows,).
    """

    slope: NDArray
    doubt: NDArray
    bend: NDArray
    bend_doubt: NDArray
    height: NDArray
    end: NDArray
    middle: NDArray


def _agree(long: _Parabolas, short: _Parabolas, level: float) -> NDArray:
    """Whether a longer window has, where a shorter one lies, the slope that this one has."""
    missing = short.slope.shape[1] - long.slope.shape[1]
    later = short.middle[missing:] - long.middle
    there = long.slope + long.bend * later
    squares = long.doubt**2 + (long.bend_doubt * later) ** 2 + short.doubt[:, missing:] ** 2
    return (there - short.slope[:, missing:]) ** 2 <= level**2 * squares


def _room(fit: _Parabolas, largest: NDArray) -> tuple[NDArray, NDArray]:
    """By how much a fall bends less than one that ends at `LOST` of the largest; standard error.

    Such a one has c = r² s/(1 − s), where s is `LOST` of the largest over what is at the middle.
    Below zero where no fall has begun.
    """
    share = np.exp(np.minimum(np.log(LOST) + largest - fit.height, -1e-6))
    odds = share / (1 - share)
    room = odds * fit.slope**2 - fit.bend
    doubt = np.hypot(fit.bend_doubt, 2 * odds * fit.slope * fit.doubt)
    return np.where(largest - fit.end > BEGUN, room, -1.0), doubt


def _parabolas(times: NDArray, values: NDArray, errors: NDArray, window: int) -> _Parabolas:
    """Fit parabolas by least squares, in powers of time made orthogonal over each window.

    Where one misses by more than errors explain, errors are taken to be so much larger.
    """
    t = np.lib.stride_tricks.sliding_window_view(times, window)  # (windows, window)
    middle = t.mean(axis=1)
    t = t - middle[:, None]
    squares = (t**2).sum(axis=1)
    skew = (t**3).sum(axis=1) / squares
    second = t**2 - skew[:, None] * t - squares[:, None] / window
    fourth = (second**2).sum(axis=1)

    def over(weights: NDArray, of: NDArray) -> NDArray:
        """Weighted sums (quantities, windows): one product of matrices for all windows."""
        places = np.arange(len(t))[:, None] + np.arange(window)
        matrix = np.zeros((len(t), len(times)))
        np.put_along_axis(matrix, places, weights, axis=1)
        return of @ matrix.T

    ones, first, second = np.full_like(t, 1 / window), t, second / fourth[:, None]
    first = first / squares[:, None]
    x = values - values.mean(axis=1, keepdims=True)
    level, linear, bend = (over(one, x) for one in (ones, first, second))
    explained = window * level**2 + squares * linear**2 + fourth * bend**2
    misses = window * over(ones, x**2) - explained
    first = first - skew[:, None] * second  # what the parabola adds to the slope at the middle
    free, known = window - 3, over(ones, errors**2)
    excess = np.maximum(misses / free - known * (1 + 2 * np.sqrt(2 / free)), 0)
    excess *= window / WINDOWS[0]  # what it misses is no noise, but the same for several
    doubt, bend_doubt = (
        np.sqrt(over(one**2, errors**2) + excess * (one**2).sum(axis=1)) for one in (first, second)
    )
    slope = linear - skew * bend
    height = values.mean(axis=1, keepdims=True) + level - squares / window * bend
    end = height + slope * t[:, -1] + bend * t[:, -1] ** 2
    return _Parabolas(slope, doubt, 2 * bend, 2 * bend_doubt, height, end, middle)
