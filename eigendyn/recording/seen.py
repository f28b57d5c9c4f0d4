"""Prepare a record for its verdict: variances without the mean, shares, ranks, and their rates.

Recordings are averaged to fewer than 2 `MOST`, so that a verdict takes as long whatever their
number, and rates are not of the noise between two of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigendyn.recording.sampling import LEAST, Errors, entropy, noise_alone, sampling_errors
from eigendyn.recording.trend import Trend, trend

if TYPE_CHECKING:
    import xarray

MOST = 60  # recordings; from twice as many on they are averaged
MATTERS = 0.05  # of the largest variance, from which on a mode matters
TOLD = 3  # standard errors from which on a variance is told from none
ROUNDING = 1e-12  # of the largest variance, below which one is none
NO_REST = 1e-6  # of a rank less one, which is none


@dataclass(frozen=True, eq=False)
class Seen:
    """What verdicts look at, at every averaged recording.

    Args:
        times: ∫η dt (times,).
        steps: First step of each, and of the last one its end (times,).
        variance: Of every mode, without the mean (modes, times), none below zero.
        total: Σ v (times,).
        matters: Whether a mode has been larger than `MATTERS` of the largest, and told from the
            noise of the samples (modes, times).
        small: Modes that never mattered, and are told from noise and rounding now (modes,).
        rank: exp(−Σ q ln q) of shares q = v/Σv (times,).
        errors: Standard errors of logarithms of these.
        noise: Noise of both views over their variance (times,); NaN where it was not recorded.
        mean_share: ‖E z1‖²/E‖z1‖² (times,); NaN where it was not recorded.
        learning_rate: Over its largest (times,); NaN where it was not recorded.
        samples: Fewest samples over modes; infinite where the moments are no samples'.
        scale_free: Whether the loss does not see the scale; None where that is not known.
        of_total: How Σ v moves (1, times).
        of_modes: How v moves, of modes that matter at the end (modes, times).
        of_shares: How v/Σv moves, likewise (modes, times).
        of_rank: How the rank moves (1, times).
        of_rest: How the rank less one moves, the dimensions beside the first (1, times).
        of_spread: How the share of E‖z‖² that is not the mean's moves (1, times): what a loss that
            does not see the scale has for a variance.
    """

    times: NDArray
    steps: NDArray
    variance: NDArray
    total: NDArray
    matters: NDArray
    small: NDArray
    rank: NDArray
    errors: Errors
    noise: NDArray
    mean_share: NDArray
    learning_rate: NDArray
    samples: float
    scale_free: bool | None
    of_total: Trend
    of_modes: Trend
    of_shares: Trend
    of_rank: Trend
    of_rest: Trend
    of_spread: Trend

    @cached_property
    def of_small(self) -> Trend:
        """How v moves, of small modes (modes, times)."""
        logs = _logs(self.variance, self.errors.least)
        return _of_some(self.times, logs, self.errors.variance, self.small)

    @property
    def spread(self) -> NDArray:
        """Share of E‖z‖² that is not the mean's (times,), 1 where no mean was recorded."""
        return _spread(self.mean_share)

    @property
    def peak(self) -> NDArray:
        """Largest variance of every mode so far (modes, times)."""
        return np.maximum.accumulate(self.variance, axis=1)

    @property
    def share(self) -> NDArray:
        """Share of the variance that every mode has (modes, times)."""
        return self.variance / np.maximum(self.total, LEAST)

    @property
    def passed(self) -> NDArray:
        """Time since the first recording (times,)."""
        return self.times - self.times[0]


def seen(record: xarray.Dataset) -> Seen:
    """Prepare a record whose variances are numbers."""
    modes, count = record["variance"].shape
    cut = _groups(count)
    together = np.array([one.stop - one.start for one in cut])  # recordings in each group

    def of(name: str) -> NDArray:
        """A measure of the record, averaged; not a number where it has none."""
        if name not in record:
            return np.full(len(cut), np.nan)
        return _averaged(record[name].values, cut)

    own, is_mean = _without_mean(record)
    variance = np.maximum(_averaged(own, cut), 0.0)
    noise1, noise2 = (np.broadcast_to(np.maximum(of(f"noise{i}"), 0), variance.shape) for i in "12")
    errors = sampling_errors(of, variance, noise1, noise2, together)
    largest = np.maximum(variance.max(axis=0), LEAST)
    is_mode = _averaged(is_mean, cut) == 0
    alone = noise_alone(of, noise1, noise2, together)
    is_told = is_mode & (variance > alone) & (variance >= MATTERS * largest)
    matters = np.logical_or.accumulate(is_told, axis=1)
    ever = matters[:, -1]
    floor = of("noise_floor")  # which is told from each mode's own noise, but not by every record
    none = np.where(np.isfinite(floor), floor, alone)
    none = np.maximum(np.maximum(none, ROUNDING * largest), TOLD * errors.least)
    small = is_mode & (variance > none)
    total = variance.sum(axis=0)
    shares = variance / np.maximum(total, LEAST)
    rank = np.exp(entropy(shares))
    rest = np.maximum(rank - 1, np.maximum(errors.rank * rank, NO_REST))
    times, rates, mean_share = of("time"), of("learning_rate"), of("mean_share")
    logs = _logs(variance, errors.least)
    errors = errors.calibrated(np.where(is_told, logs, np.nan))
    logs_of_total = np.log(np.maximum(total, LEAST))
    return Seen(
        times=times,
        steps=np.array([record["step"].values[one.start] for one in cut]),
        variance=variance,
        total=total,
        matters=matters,
        small=small[:, -1] & ~ever,
        rank=rank,
        errors=errors,
        noise=(noise1 + noise2).sum(axis=0) / np.maximum(2 * total, LEAST),
        mean_share=mean_share,
        learning_rate=rates / np.maximum(np.maximum.accumulate(np.nan_to_num(rates)), LEAST),
        samples=float(record["samples"].values[-1]) / modes if "samples" in record else np.inf,
        scale_free=_scale_free(record),
        of_total=trend(times, logs_of_total[None], errors.total[None]),
        of_modes=_of_some(times, logs, errors.variance, ever),
        of_shares=_of_some(times, logs - logs_of_total, errors.share, ever),
        of_rank=trend(times, np.log(rank)[None], errors.rank[None]),
        of_rest=trend(times, np.log(rest)[None], (errors.rank * rank / rest)[None]),
        of_spread=_of_spread(times, np.log(_spread(mean_share))[None], errors),
    )


def _logs(variance: NDArray, least: NDArray) -> NDArray:
    return np.log(np.maximum(variance, np.maximum(least, LEAST)))


def _of_spread(times: NDArray, logs: NDArray, errors: Errors) -> Trend:
    """How it moves; its largest is that of single recordings, of which each errs little."""
    return trend(times, logs, errors.total[None], np.maximum.accumulate(logs, axis=1))


def _spread(mean_share: NDArray) -> NDArray:
    return np.maximum(1 - np.nan_to_num(mean_share), LEAST)


def _without_mean(record: xarray.Dataset) -> tuple[NDArray, NDArray]:
    """Variances without ‖E z1‖², where nothing was centred, and whether a mode was all mean.

    Both are (modes, times). The mean is taken from the largest mode, which it is of a
    representation that has much of one.
    """
    variance = record["variance"].values.copy()
    is_mean = np.zeros(variance.shape)
    needed = {"mean_share", "noise1"}
    if not needed <= set(record.variables) or "mean_first" in record:
        return variance, is_mean
    largest, every = np.argmax(variance, axis=0), np.arange(variance.shape[1])
    whole = (variance + record["noise1"].values).sum(axis=0)
    mean = np.nan_to_num(record["mean_share"].values) * whole
    mean = np.clip(mean, 0, np.maximum(variance[largest, every], 0))
    is_mean[largest, every] = 2 * mean > variance[largest, every]
    variance[largest, every] -= mean
    return variance, is_mean


def _of_some(times: NDArray, logs: NDArray, error: NDArray, some: NDArray) -> Trend:
    """How some modes move; of the others nothing is known."""
    found = trend(times, logs[some], error[some])
    rate, doubt = np.full(logs.shape, np.nan), np.full(logs.shape, np.nan)
    lost = np.zeros(logs.shape, bool)
    rate[some], doubt[some], lost[some] = found.rate, found.error, found.lost
    return Trend(rate, doubt, found.level, lost)


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
    starts = np.array([one.start for one in cut])
    sizes = np.array([one.stop - one.start for one in cut])
    return np.add.reduceat(values, starts, axis=-1) / sizes
