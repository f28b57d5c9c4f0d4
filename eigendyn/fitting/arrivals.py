"""Say when a mode comes: its variance passes half of that at which it ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HALF = 0.5


def passes(time: NDArray, log_variance: NDArray) -> float:
    """When ln v (times,) rises through half of its last variance for good; NaN if it does not.

    The last variance is the mean of ln v over the last tenth, so that one noisy recording does not
    decide.
    """
    x = log_variance
    if not np.isfinite(x).all():
        return float("nan")
    level = x[-max(1, len(x) // 10) :].mean() + np.log(HALF)
    below = np.flatnonzero(x < level)
    if not len(below) or below[-1] + 1 == len(x):
        return float("nan")
    at = below[-1]
    share = (level - x[at]) / (x[at + 1] - x[at])
    return float(time[at] + share * (time[at + 1] - time[at]))


def arrivals(time: NDArray, log_variance: NDArray) -> NDArray:
    """When each mode comes (…, modes), of ln v (…, modes, times)."""
    rows = log_variance.reshape(-1, log_variance.shape[-1])
    return np.array([passes(time, x) for x in rows]).reshape(log_variance.shape[:-1])


def interval(came: NDArray, shares: tuple[float, float]) -> NDArray:
    """Between which times (modes, 2) modes come, over the lanes (lanes, modes) in which they do.

    Quantiles are those of a further draw: of n lanes, one more lies below the first in 1/(n + 1).
    """
    found = np.full((came.shape[1], 2), np.nan)
    for mode, times in enumerate(came.T):
        known = times[np.isfinite(times)]
        if len(known) > len(times) / 2:
            found[mode] = np.quantile(known, shares, method="weibull")
    return found
