"""Take from a record what was measured of every mode beside its variance: noises, the predictor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.numbers import NOISE1, NOISE2

if TYPE_CHECKING:
    import xarray

BEFORE = 5  # recordings that a noise is averaged over, the last of them its own
LARGEST = 1e3  # second moment of a view over the variance, at most
TELLS = 5.0  # of ln L, by which a predictor is known for a function of the noisy correlation
NEAR = 0.2  # error of ln λ that such a function may have
LEAST = 1e-24  # square of a rounding error


def recorded_seconds(record: xarray.Dataset, told: NDArray) -> NDArray:
    """Second moments c₁ and c₂ of both views over the variance (2, modes, times).

    Each is that of a few recordings up to its own, so that nothing is known before it happens. Not
    numbers where no noise is recorded.

    Args:
        record: What `as_record` gives.
        told: Which variances are read (modes, times): elsewhere the last one before stands.
    """
    found = np.full((2, *told.shape), np.nan)
    for view, whose in enumerate(("variance", "target_variance")):
        name = f"noise{view + 1}"
        if name not in record:
            continue
        own = record[whose if whose in record else "variance"]
        noise, variance = (each.transpose("mode", "time").values for each in (record[name], own))
        known = told & np.isfinite(noise) & (variance > 0)
        for mode in np.flatnonzero(known.any(axis=1)):
            places = np.flatnonzero(known[mode])
            ratio = np.clip(
                1 + _before(noise[mode, places]) / _before(variance[mode, places]), 1.0, LARGEST
            )
            last = np.searchsorted(places, np.arange(told.shape[1]), side="right") - 1
            found[view, mode] = ratio[np.maximum(last, 0)]
    return found


def recorded_views(seconds: NDArray, log_variance: NDArray) -> tuple[int, ...]:
    """Which views' noise is recorded of every mode that is read, as numbers of a fit."""
    is_read = np.isfinite(log_variance).any(axis=1)
    known = np.isfinite(seconds[:, is_read])
    return tuple(row for view, row in enumerate((NOISE1, NOISE2)) if known[view].all())


def sees_noise(record: xarray.Dataset) -> bool:
    r"""Whether the recorded predictor is a function of the first view's noisy correlation.

    Of λ = (v + n₁)^α and λ = v^α, each with its best α, the first must be likelier by `TELLS` in
    ln L at least, and err by `NEAR` at most: a learned predictor is no such function.
    """
    names = ("variance", "noise1", "predictor_eigenvalue")
    if not all(name in record for name in names):
        return False
    v, noise, eigenvalue = (record[name].transpose("mode", "time").values for name in names)
    told = np.all([(each > 0) & (each < np.inf) for each in (v, noise, eigenvalue)], axis=0)
    if not told.any():
        return False
    y = np.log(eigenvalue[told])

    def error(x: NDArray) -> float:
        """Mean square of what is left of ln λ − α x."""
        return float(np.mean((y - (x @ y) / max(x @ x, LEAST) * x) ** 2))

    plain, noisy = error(np.log(v[told])), error(np.log((v + noise)[told]))
    is_likelier = len(y) / 2 * np.log(max(plain, LEAST) / max(noisy, LEAST)) > TELLS
    return bool(is_likelier and noisy < NEAR**2)


def _before(values: NDArray) -> NDArray:
    """Mean of each value and of those just before it."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - BEFORE, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)
