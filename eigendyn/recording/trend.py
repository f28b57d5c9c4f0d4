r"""Measure how fast quantities move at every recording, and where a fall would end.

A rate r = d ln x/dt is a robust slope over the last `WINDOW` recordings, with its standard error. A
fall that slows down as exp(−kt) ends at x (1 + r/k), with k from the slope a little earlier,
k = ln(ẋ′/ẋ)/τ; one that does not slow down ends at zero. Where recordings follow each other so
closely that their scatter hides this, it is seen in every second of them, or fourth, or eighth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW = 4  # recordings that a slope is taken over
BEFORE = 2  # recordings between a slope and the earlier one that says whether it slows down
NORMAL = 1.4826  # standard deviation of a normal variable over its median absolute deviation
DOUBT = 2.0  # standard errors of a rate that count as none
STRIDES = (1, 2, 4, 8)  # recordings that are averaged to one


@dataclass(frozen=True)
class Trend:
    """How positive quantities move (quantities, times).

    Args:
        rate: d ln x/dt, not a number before there are `WINDOW` recordings.
        error: Its standard error.
        end: Largest share of itself at which a fall may end, within `DOUBT`; zero where it does not
            slow down, one where nothing falls beyond doubt, or too little is known.
    """

    rate: NDArray
    error: NDArray
    end: NDArray

    @property
    def falls(self) -> NDArray:
        """Where a quantity falls beyond doubt."""
        return self.rate + DOUBT * self.error < 0

    @property
    def rises(self) -> NDArray:
        """Where it rises beyond doubt."""
        return self.rate - DOUBT * self.error > 0


def trend(times: NDArray, values: NDArray, errors: NDArray) -> Trend:
    """Measure how quantities move.

    Rate and error are those of the recordings as they are, or of the shortest stride at which
    something moves beyond doubt; the end is the lowest that any stride tells of a fall.

    Args:
        times: Of the recordings (times,).
        values: Logarithms of the quantities (quantities, times).
        errors: Standard errors of these (quantities, times).
    """
    found = _trend(times, values, errors, STRIDES[0])
    for stride in STRIDES[1:]:
        other = _trend(times, values, errors, stride)
        is_better = ~(found.falls | found.rises) & (other.falls | other.rises)
        found = Trend(
            np.where(is_better, other.rate, found.rate),
            np.where(is_better, other.error, found.error),
            np.minimum(found.end, other.end),
        )
    return found


def _trend(times: NDArray, values: NDArray, errors: NDArray, stride: int) -> Trend:
    count = len(times)
    times, values = _averages(times, stride), _averages(values, stride)
    errors = _averages(errors, stride) / np.sqrt(stride)
    rate, error, middle, level = _slopes(times, values, errors, stride)
    earlier, doubt, then = (_before(one, BEFORE * stride) for one in (rate, error, level))
    passed = middle - _before(middle[None], BEFORE * stride)[0]
    with np.errstate(all="ignore"):
        least = -rate - DOUBT * error  # of a fall, d ln x/dt upwards
        most = -earlier + DOUBT * doubt
        slowing = (np.log(most / least) + then - level) / passed
        end = np.where(slowing > 0, np.maximum(1 - least / slowing, 0), 0.0)
        end = np.where(most > 0, end, 0.0)
    end = np.where((least > 0) & np.isfinite(earlier), end, 1.0)
    missing = count - rate.shape[1]  # an average over a stride is that of its last recording
    wide = ((0, 0), (missing, 0))
    return Trend(
        np.pad(rate, wide, constant_values=np.nan),
        np.pad(error, wide, constant_values=np.nan),
        np.pad(end, wide, constant_values=1.0),
    )


def _averages(values: NDArray, stride: int) -> NDArray:
    """Means over so many recordings, of every one and those before it (…, times − stride + 1)."""
    if stride == 1 or values.shape[-1] < stride:
        return values
    return np.lib.stride_tricks.sliding_window_view(values, stride, axis=-1).mean(axis=-1)


def _slopes(
    times: NDArray, values: NDArray, errors: NDArray, stride: int
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Median slope of all pairs in a window, its standard error; middle of the window, level there.

    A window has `WINDOW` recordings, each a stride after the one before. The first two and the last
    are (quantities, times), the middle (times,).
    """
    rate, error, level = (np.full(values.shape, np.nan) for _ in range(3))
    middle = np.full(times.shape, np.nan)
    reach = (WINDOW - 1) * stride
    if len(times) <= reach:
        return rate, error, middle, level

    def window(of: NDArray) -> NDArray:
        return np.lib.stride_tricks.sliding_window_view(of, reach + 1, axis=-1)[..., ::stride]

    t, x, e = window(times), window(values), window(errors)  # (…, windows, WINDOW)
    first, second = np.triu_indices(WINDOW, 1)
    pairs = (x[..., second] - x[..., first]) / (t[:, second] - t[:, first])
    slope = np.median(pairs, axis=-1)
    away = x - slope[..., None] * t
    away = np.abs(away - np.median(away, axis=-1, keepdims=True))
    spread = np.maximum(NORMAL * np.median(away, axis=-1), np.median(e, axis=-1))
    lever = np.sqrt(((t - t.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1))
    rate[:, reach:] = slope
    error[:, reach:] = spread / lever
    level[:, reach:] = np.median(x, axis=-1)
    middle[reach:] = t.mean(axis=-1)
    return rate, error, middle, level


def _before(values: NDArray, by: int) -> NDArray:
    """What each was some recordings ago; not a number where there was none."""
    found = np.full(values.shape, np.nan)
    found[:, by:] = values[:, :-by]
    return found
