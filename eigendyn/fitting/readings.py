"""Take from a record what a fit reads: logarithms of variances and their errors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting, InvalidSpectrum
from eigendyn.fitting.recorded import recorded_seconds

if TYPE_CHECKING:
    import xarray

ABOVE_ERROR = 2.0  # standard errors of itself that a variance must have to be read
WINDOW = 9  # recordings at least that an error is smoothed over


@dataclass(frozen=True)
class Seen:
    """A record as a fit reads it.

    Args:
        time: Increasing times (times,).
        mode: Which modes of the record (modes,).
        log_variance: ln v (modes, times); NaN where it is left out.
        error: Relative error of v (modes, times); 1 where none is known.
        has_error: Whether it is known.
        samples: Samples without noise that would tell as much (times,); infinite if not known.
        eta: Learning rate since the time before (times,); 0 where it is not known.
        batch_noise: η over the samples of a step, q/A of white views; not a number if not known.
        seconds: c₁ and c₂ as they were recorded (2, modes, times); NaN where they were not.
        left_out: How many readings were left out: no variance, or one within its error.
        rate: A typical rate of change of ln v.
    """

    time: NDArray
    mode: NDArray
    log_variance: NDArray
    error: NDArray
    has_error: bool
    samples: NDArray
    eta: NDArray
    batch_noise: float
    seconds: NDArray
    left_out: int
    rate: float

    @property
    def modes(self) -> int:
        """Number of modes."""
        return len(self.log_variance)

    def until(self, count: int) -> Seen:
        """The first so many recordings."""
        return self._at(slice(count))

    def thinned(self, count: int) -> Seen:
        """One recording in so many, so that at most this many are left; all if a mode were lost."""
        some = self._at(slice(None, None, -(-len(self.time) // count)))
        return some if np.isfinite(some.log_variance).any(axis=1).all() else self

    def _at(self, places: slice) -> Seen:
        return replace(
            self,
            time=self.time[places],
            log_variance=self.log_variance[:, places],
            error=self.error[:, places],
            samples=self.samples[places],
            eta=self.eta[places],
            seconds=self.seconds[..., places],
        )

    def read_within(self, count: int) -> Seen:
        """Only the modes that are read twice within the first so many recordings.

        Raises:
            InvalidSpectrum: None is.
        """
        known = np.isfinite(self.log_variance[:, :count]).sum(axis=1) >= 2
        if not known.any():
            message = (
                f"A fit needs a mode whose variance stands above zero and its error in two "
                f"recordings; within the first {count} there is none. Record more samples, or fit "
                "more of the record."
            )
            raise InvalidSpectrum(message)
        return replace(
            self,
            mode=self.mode[known],
            log_variance=self.log_variance[known],
            error=self.error[known],
            seconds=self.seconds[:, known],
        )


def read(record: xarray.Dataset, descends: bool | None = None) -> Seen:
    """Take the readings of a record, and leave out what says nothing.

    Args:
        record: What `as_record` gives.
        descends: Whether steps of the recorded learning rate were taken; None where one is known.

    Raises:
        InvalidSetting: Fewer than two recordings, or modes.
        InvalidSpectrum: Variances that are not finite.
    """
    variance = record["variance"].transpose("mode", "time").values.astype(float)
    time = record["time"].values.astype(float)
    if len(time) < 2:
        message = f"A fit needs two recordings at least; this record has {len(time)}. Record more."
        raise InvalidSetting(message)
    if len(variance) < 2:
        message = "A fit needs two modes at least; this record has one. Record the whole spectrum."
        raise InvalidSetting(message)
    if np.isinf(variance).any():
        place = int(np.argmax(np.isinf(variance).any(axis=0)))
        message = (
            f"Variances must be finite; at time {time[place]:g} one is not: the training has "
            "diverged. Fit the record before."
        )
        raise InvalidSpectrum(message)
    error, has_error = _errors(record, variance)
    told = np.isfinite(variance) & (variance > 0)
    if has_error:
        told &= error < 1 / ABOVE_ERROR
    with np.errstate(divide="ignore", invalid="ignore"):
        log_variance = np.where(told, np.log(np.where(told, variance, 1.0)), np.nan)
    if has_error and told.any():
        error = _smoothed(np.where(told, error, np.nan))
        log_variance += error**2 / 2  # E ln v̂ = ln v − ρ²/2
    samples = np.full(len(time), np.inf)
    if has_error:  # noise makes them count for fewer than they are
        some = told.any(axis=0)
        samples[some] = 2 / np.nanmedian(np.where(told, error, np.nan)[:, some], axis=0) ** 2
    elif "samples" in record:
        samples = np.where(record["samples"].values > 0, record["samples"].values, np.inf)
    eta = _learning_rates(record, time) if descends is not False else np.zeros(len(time))
    return Seen(
        time=time,
        mode=record["mode"].values,
        log_variance=log_variance,
        error=error,
        has_error=has_error,
        samples=samples,
        eta=eta,
        batch_noise=_batch_noise(record, eta),
        seconds=recorded_seconds(record, told),
        left_out=int((~told).sum()),
        rate=_rate(time, log_variance),
    )


def _errors(record: xarray.Dataset, variance: NDArray) -> tuple[NDArray, bool]:
    """Relative errors, or 1 where none are recorded."""
    if "variance_error" not in record:
        return np.ones_like(variance), False
    error = record["variance_error"].transpose("mode", "time").values
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.abs(error / variance)
    known = np.isfinite(relative) & (relative > 0)
    if not known.any():
        return np.ones_like(variance), False
    return np.where(known, relative, np.median(relative[known])), True


def _smoothed(error: NDArray) -> NDArray:
    """Relative errors (modes, times), each the median of those around it.

    The error of one recording is itself estimated from its samples, and larger where these happen
    to have more variance: weights by it would favour the small.
    """
    count = error.shape[1]
    width = max(WINDOW, count // 3)
    found = np.empty_like(error)
    for place in range(count):
        begin = int(np.clip(place - width // 2, 0, max(0, count - width)))
        around = error[:, begin : begin + width]
        some = np.isfinite(around).any(axis=1)
        found[:, place] = np.nan
        found[some, place] = np.nanmedian(around[some], axis=1)
    return np.where(np.isfinite(found), found, np.median(error[np.isfinite(error)]))


def _learning_rates(record: xarray.Dataset, time: NDArray) -> NDArray:
    """η of the steps that ended in each recording; zero where no rate was recorded."""
    if "learning_rate" not in record:
        return np.zeros(len(time))
    taken = np.diff(record["step"].values.astype(float), prepend=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        eta = np.diff(time, prepend=np.nan) / taken
    return np.where(np.isfinite(eta), eta, 0.0)


def _batch_noise(record: xarray.Dataset, eta: NDArray) -> float:
    """The median of η/B over recordings that know both; not a number where none does."""
    if "batch_size" not in record:
        return np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        found = eta / record["batch_size"].values
    found = found[np.isfinite(found) & (found > 0)]
    return float(np.median(found)) if found.size else np.nan


def _rate(time: NDArray, log_variance: NDArray) -> float:
    """The 90th percentile of the changes of ln v over a few per cent of the record each."""
    stride = max(1, len(time) // 30)
    change = log_variance[:, stride:] - log_variance[:, :-stride]
    with np.errstate(invalid="ignore"):
        rates = np.abs(change / (time[stride:] - time[:-stride]))
    rates = rates[np.isfinite(rates)]
    found = float(np.quantile(rates, 0.9)) if rates.size else 0.0
    return max(found, 0.01 / (time[-1] - time[0]))
