r"""Measure how fast quantities move at every recording, and where a fall would end.

A rate r = d ln x/dt is a robust slope over the last `WINDOW` recordings, with its standard error. A
fall that slows down as exp(−kt) ends at x (1 + r/k), with k from the slope a little earlier,
k = ln(ẋ′/ẋ)/τ; one that does not slow down ends at zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW = 4  # recordings that a slope is taken over
BEFORE = 2  # recordings between a slope and the earlier one that says whether it slows down
NORMAL = 1.4826  # standard deviation of a normal variable over its median absolute deviation
DOUBT = 2.0  # standard errors of a rate that count as none


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

    Args:
        times: Of the recordings (times,).
        values: Logarithms of the quantities (quantities, times).
        errors: Standard errors of these (quantities, times).
    """
    rate, error, middle, level = _slopes(times, values, errors)
    earlier, doubt, then = (_before(one) for one in (rate, error, level))
    passed = middle - _before(middle[None])[0]
    with np.errstate(all="ignore"):
        least = -rate - DOUBT * error  # of a fall, d ln x/dt upwards
        most = -earlier + DOUBT * doubt
        slowing = (np.log(most / least) + then - level) / passed
        end = np.where(slowing > 0, np.maximum(1 - least / slowing, 0), 0.0)
        end = np.where(most > 0, end, 0.0)
    return Trend(rate, error, np.where((least > 0) & np.isfinite(earlier), end, 1.0))


def _slopes(
    times: NDArray, values: NDArray, errors: NDArray
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Median slope of all pairs in a window, its standard error; middle of the window, level there.

    The first and last are (quantities, times), the middle (times,).
    """
    rate, error, level = (np.full(values.shape, np.nan) for _ in range(3))
    middle = np.full(times.shape, np.nan)
    if len(times) < WINDOW:
        return rate, error, middle, level
    t = np.lib.stride_tricks.sliding_window_view(times, WINDOW)  # (windows, WINDOW)
    x = np.lib.stride_tricks.sliding_window_view(values, WINDOW, axis=1)
    e = np.lib.stride_tricks.sliding_window_view(errors, WINDOW, axis=1)
    first, second = np.triu_indices(WINDOW, 1)
    pairs = (x[..., second] - x[..., first]) / (t[:, second] - t[:, first])
    slope = np.median(pairs, axis=-1)
    away = x - slope[..., None] * t
    away = np.abs(away - np.median(away, axis=-1, keepdims=True))
    spread = np.maximum(NORMAL * np.median(away, axis=-1), np.median(e, axis=-1))
    lever = np.sqrt(((t - t.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1))
    rate[:, WINDOW - 1 :] = slope
    error[:, WINDOW - 1 :] = spread / lever
    level[:, WINDOW - 1 :] = np.median(x, axis=-1)
    middle[WINDOW - 1 :] = t.mean(axis=-1)
    return rate, error, middle, level


def _before(values: NDArray) -> NDArray:
    """What each was `BEFORE` recordings ago; not a number where there was none."""
    found = np.full(values.shape, np.nan)
    found[:, BEFORE:] = values[:, :-BEFORE]
    return found
