"""Foretell a spectrum without any theory: as it is last, or going on at its rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BASELINES = ("last value", "exponential")


def baseline(name: str, time: NDArray, log_variance: NDArray, ahead: NDArray) -> NDArray:
    """Give ln v (modes, times ahead) by a rule that knows no theory.

    Args:
        name: "last value", each mode stays as it was read last; "exponential", it goes on along the
            straight line through its ln v, by least squares.
        time: Times of the recordings (times,).
        log_variance: ln v (modes, times); NaN where nothing was read.
        ahead: Times to foretell.
    """
    found = np.full((len(log_variance), len(ahead)), np.nan)
    for mode, x in enumerate(log_variance):
        known = np.isfinite(x)
        if not known.any():
            continue
        found[mode] = x[known][-1]
        if name == "exponential" and known.sum() > 1:
            slope, level = np.polyfit(time[known] - time[0], x[known], 1)
            found[mode] = level + slope * (ahead - time[0])
    return found


def rms(foretold: NDArray, seen: NDArray) -> float:
    """Root mean square of ln(foretold/seen) over what was read; NaN if nothing was."""
    gap = (foretold - seen)[np.isfinite(seen) & np.isfinite(foretold)]
    return float(np.sqrt(np.mean(gap**2))) if gap.size else float("nan")
