"""Prepare a record for its verdict: variances without the mean, shares, ranks, and their rates.

Recordings are averaged to fewer than 2 `MOST`, so that a verdict takes as long whatever their
number, and rates are not of the noise between two of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigendyn.recording.trend import NORMAL, Trend, trend

if TYPE_CHECKING:
    import xarray

MOST = 60  # recordings; from twice as many on they are averaged
MATTERS = 0.05  # of the largest variance, from which on a mode matters
LEAST = 1e-300  # in the place of zero, whose logarithm is none


@dataclass(frozen=True)
class Seen:
    """What verdicts look at, at every averaged recording.

    Args:
        times: ∫η dt (times,).
        steps: First step of each, and of the last one its end (times,).
        variance: Of every mode, without the mean (modes, times), none below zero.
        error: Standard error of its logarithm (modes, times).
        total: Σ v (times,).
        matters: Whether a mode has been larger than `MATTERS` of the largest, and told from the
            noise of the samples (modes, times).
        rank: exp(−Σ q ln q) of shares q = v/Σv (times,).
        noise: Noise of both views over their variance (times,); NaN where it was not recorded.
        mean_share: ‖E z1‖²/E‖z1‖² (times,); NaN where it was not recorded.
        learning_rate: Over its largest (times,); NaN where it was not recorded.
        samples: Fewest samples over modes; infinite where the moments are no samples'.
        scale_free: Whether the loss does not see the scale; None where that is not known.
        of_total: How Σ v moves (1, times).
        of_modes: How v moves, of modes that matter at the end (modes, times).
        of_shares: How v over the largest moves, likewise (modes, times).
        of_rank: How the rank moves (1, times).
    """

    times: NDArray
    steps: NDArray
    variance: NDArray
    error: NDArray
    total: NDArray
    matters: NDArray
    rank: NDArray
    noise: NDArray
    mean_share: NDArray
    learning_rate: NDArray
    samples: float
    scale_free: bool | None
    of_total: Trend
    of_modes: Trend
    of_shares: Trend
    of_rank: Trend

    @property
    def peak(self) -> NDArray:
        """Largest variance of every mode so far (modes, times)."""
        return np.maximum.accumulate(self.variance, axis=1)

    @property
    def share(self) -> NDArray:
        """Variance over the largest of the same recording (modes, times)."""
        return self.variance / np.maximum(self.variance.max(axis=0), LEAST)

    @property
    def passed(self) -> NDArray:
        """Time since the first recording (times,)."""
        return self.times - self.times[0]


def seen(record: xarray.Dataset) -> Seen:
    """Prepare a record whose variances are numbers."""
    own = record["variance"].values
    modes, count = own.shape
    cut = _groups(count)

    def of(name: str) -> NDArray:
        """A measure of the record, averaged; not a number where it has none."""
        if name not in record:
            return np.full(len(cut), np.nan)
        return _averaged(record[name].values, cut)

    times, samples = of("time"), record["samples"].values if "samples" in record else None
    mean = _mean_within(record)
    own = own.copy()
    place = np.argmax(own, axis=0)
    is_mean = np.zeros(own.shape)
    is_mean[place, np.arange(count)] = mean > own.max(axis=0) / 2
    own[place, np.arange(count)] -= mean
    variance = np.maximum(_averaged(own, cut), 0.0)
    a1, a2 = (
        np.maximum(_averaged(record[name].values, cut), 0) if name in record else np.nan
        for name in ("noise1", "noise2")
    )
    largest = np.maximum(variance.max(axis=0), LEAST)
    sizes = np.array([one.stop - one.start for one in cut])
    error, floor = np.zeros(variance.shape), np.zeros(len(cut))
    if samples is not None:
        n = _averaged(samples, cut) * sizes
        with np.errstate(all="ignore"):
            ratio = (variance + a1) * (variance + a2) / np.maximum(variance, LEAST) ** 2
            error = np.sqrt((np.where(np.isfinite(ratio), ratio, 1.0) + 1) / n)
            floor = np.nan_to_num(np.sqrt(a1 * a2).mean(axis=0) * np.sqrt(2 * modes / n))
    elif "variance_error" in record:
        spread = _averaged(record["variance_error"].values, cut) / np.sqrt(sizes)
        error = spread / np.maximum(variance, LEAST)
    is_told = (variance > floor) & (variance >= MATTERS * largest)
    is_told &= _averaged(is_mean, cut) == 0
    matters = np.logical_or.accumulate(is_told, axis=1)
    ever = matters[:, -1]
    total = variance.sum(axis=0)
    shares = variance / np.maximum(total, LEAST)
    rank = np.exp(-(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=0))
    logs = np.log(np.maximum(variance, LEAST))
    error *= _calibrated(logs, error, is_told)
    within = (shares**2 * error**2).sum(axis=0) ** 0.5
    rates = of("learning_rate")
    return Seen(
        times=times,
        steps=np.array([record["step"].values[one.start] for one in cut]),
        variance=variance,
        error=error,
        total=total,
        matters=matters,
        rank=rank,
        noise=(a1 + a2).sum(axis=0) / np.maximum(2 * total, LEAST)
        if np.ndim(a1) and np.ndim(a2)
        else np.full(len(cut), np.nan),
        mean_share=of("mean_share"),
        learning_rate=rates / np.maximum(np.maximum.accumulate(np.nan_to_num(rates)), LEAST),
        samples=np.inf if samples is None else float(samples[-1]) / modes,
        scale_free=_scale_free(record),
        of_total=trend(times, np.log(np.maximum(total, LEAST))[None], within[None]),
        of_modes=_of_some(times, logs, error, ever),
        of_shares=_of_some(times, logs - np.log(largest), error, ever),
        of_rank=trend(times, np.log(rank)[None], within[None]),
    )


def _of_some(times: NDArray, logs: NDArray, error: NDArray, some: NDArray) -> Trend:
    """How some modes move; of the others nothing is known."""
    found = trend(times, logs[some], error[some])
    every = [np.full(logs.shape, fill) for fill in (np.nan, np.nan, 1.0)]
    for whole, part in zip(every, (found.rate, found.error, found.end), strict=True):
        whole[some] = part
    return Trend(*every)


def _mean_within(record: xarray.Dataset) -> NDArray:
    """‖E z1‖² where it is a part of the modes, as where nothing was centred (times,)."""
    needed = {"mean_share", "noise1"}
    if not needed <= set(record.variables) or "mean_first" in record:
        return np.zeros(record.sizes["time"])
    whole = (record["variance"] + record["noise1"]).sum("mode").values
    largest = record["variance"].values.max(axis=0)
    return np.clip(np.nan_to_num(record["mean_share"].values) * whole, 0, np.maximum(largest, 0))


def _calibrated(logs: NDArray, error: NDArray, is_told: NDArray) -> float:
    """Scatter of recordings over what their samples make expected, one at most.

    Recordings of the same inputs scatter less than those of fresh ones. It is taken from second
    differences, so that what bends counts as scatter.
    """
    usable = is_told[:, 2:] & (error[:, 2:] > 0)
    if not usable.any():
        return 1.0
    scatter = np.abs(np.diff(logs, 2, axis=1))[usable] / error[:, 2:][usable]
    return min(1.0, float(np.median(scatter)) * NORMAL / np.sqrt(6.0))


def _scale_free(record: xarray.Dataset) -> bool | None:
    """By the name of the loss, else by its sign: of the losses in use those below zero are cosines.

    Where both are unknown, so is the answer.
    """
    name = str(record.attrs.get("loss", ""))
    if name:
        return "cosine" in name
    if "loss" not in record:
        return None
    known = record["loss"].values
    known = known[np.isfinite(known)]
    return bool(len(known) and (known < 0).all() and (known >= -1).all()) or None


def _groups(count: int) -> list[slice]:
    """Cut recordings into fewer than 2 `MOST` groups of equal size; the first may be smaller."""
    size = max(1, count // MOST)
    return [slice(max(0, end - size), end) for end in range(count, 0, -size)][::-1]


def _averaged(values: NDArray, cut: list[slice]) -> NDArray:
    """Means over groups of recordings (…, groups)."""
    return np.stack([values[..., one].mean(axis=-1) for one in cut], axis=-1)
