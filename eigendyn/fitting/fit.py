"""Fit the mode theory to a recorded spectrum: numbers, intervals, forecast, ranking of losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.fitting.baselines import BASELINES, baseline, rms
from eigendyn.fitting.candidate import candidate
from eigendyn.fitting.groups import grouped, pooled
from eigendyn.fitting.numbers import NOISES, modal_numbers
from eigendyn.fitting.one_loss import Task
from eigendyn.fitting.ranking import all_fitted
from eigendyn.fitting.readings import Seen, read
from eigendyn.fitting.recorded import recorded_views, sees_noise
from eigendyn.fitting.result import labelled
from eigendyn.recording.record import as_record
from eigendyn.settings.checks import Domain, check_real
from eigendyn.settings.choices import LOSS_NAMES, check_choice
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.run_settings import Settings

if TYPE_CHECKING:
    import xarray

    from eigendyn.theory.losses import SymbolicLoss

UNTIL = 0.5
_SHARE = Domain(lambda x: 0 < x <= 1, "above 0 and at most 1")
LATER = 50  # times of a forecast beyond the record


@takes(Settings)
def fit(
    record: Any,
    loss: str | SymbolicLoss | Sequence[str | SymbolicLoss] | None = None,
    *,
    until: float = UNTIL,
    horizon: float | None = None,
    per_mode: Sequence[str] = (),
    noises: str = NOISES[0],
    **settings: Unpack[GivenSettings],
) -> xarray.Dataset:
    r"""Fit the theory to the first part of a record, and foretell the rest.

        ds/dt = A (G1 + G2)/s − ω s,  v = s²,  λ = v^α,  E z1² = c₁ v,  E z2² = c₂ v

    Numbers that are given as settings are held fast (`alpha`, `weight_decay`, `sigma1`, `sigma2`);
    the others are those under which the record is likeliest. The likelihood is that of prediction
    errors from each recording to the next: noise of batches, which stays in the weights, and noise
    of each recording, which does not, are told apart, since intervals are far too narrow where
    trajectories are taken to be exact. First variances need no numbers of their own. Losses are
    ranked by the error of their forecast of what was not fitted. Momentum multiplies A and ω by
    1/(1 − μ), and Adam makes them effective ones. A predictor of the first view's correlation,
    noise included, is known by its recorded eigenvalues, unless `correlation` is given. Where every
    step was recorded, the noise of batches is expected to be A η/B to within a factor. It also lets
    the scale grow, which nothing but decay holds under a normalised loss: there ω is less by that
    growth.

    Args:
        record: A record, or what `as_record` takes: a run of `simulate` or of `train`.
        loss: One or several, names or your own; None takes every named one.
        until: Share of the recorded time that is fitted; 1 fits all, and nothing is left to judge
            by.
        horizon: Time until which is foretold; None is the end of the record, and twice that where
            all of it was fitted.
        per_mode: Numbers that every mode has for itself, "time_scale" or "noise1".
        noises: "recorded", noises c_m are those that the record holds of every mode, if it does and
            no others are given; the forecast keeps the last. "looked-for", they are numbers of the
            fit.
        settings: Fields of `Settings`; its `seed` is that of the noise in the band.

    Returns:
        Dataset, the best loss first: `value`, `lower`, `upper` over (loss, number), what is told
        only in combinations over (loss, combination), `forecast` with its band over
        (loss, mode, ahead), `comes` over (loss, mode), A, c₁ and c₂ of every mode as `of_mode` over
        (loss, modal, mode), with `of_mode_lower` and `of_mode_upper` where they differ,
        `forecast_error` over (loss) and
        `baseline_error` over (baseline). The attribute `status` is "completed", or
        "not-converged". A loss has no intervals if it is less likely than another by e²⁰ and does
        not foretell best, or if no step is short enough to follow its modes; one that is less
        likely by e⁶⁰ at first is not gone on with, and counts as not converged.

    Raises:
        InvalidSetting: Too few recordings or modes, a share that is none, or settings with states
            that no record holds.
        InvalidSpectrum: No variance above zero, or one without bound.
        UnknownName: There is no such loss or number.

    Source: Halvagal et al. 2023, the modes; Harvey 1989, Forecasting, structural time series models
    and the Kalman filter, the likelihood; de Jong 1991, numbers that are states; Venzon and
    Moolgavkar 1988, the intervals.

    Examples:
        >>> run = eigendyn.simulate("euclidean", [0.1, 0.3], sigma1=0.5, steps=100, saves=21)
        >>> fitted = eigendyn.fit(run, "euclidean", alpha=1, weight_decay=0, sigma2=0)
        >>> fitted.value.sel(number=["time_scale", "noise1"]).values.round(3).tolist()
        [[1.0, 1.25]]
    """
    until = check_real("until", until, _SHARE, "Try 0.2, or 20% on the command line.")
    loss = list(LOSS_NAMES) if loss is None else loss
    losses = [loss] if isinstance(loss, str) or not isinstance(loss, Sequence) else list(loss)
    if not losses:
        message = "A fit needs a loss; none was given. Try 'euclidean'."
        raise InvalidSetting(message)
    source = as_record(record)
    modal = modal_numbers(per_mode)
    if not {"correlation", "predictor"} & settings.keys() and sees_noise(source):
        settings["correlation"] = "first-view"
    takes_recorded = check_choice("source of noises", noises, NOISES) == NOISES[0]
    whole = read(source)
    recorded = recorded_views(whole.seconds, whole.log_variance) if takes_recorded else ()
    candidates = [candidate(one, dict(settings), modal, recorded) for one in losses]
    count = _fitted_count(whole, until)
    whole = whole.read_within(count)
    part = whole.until(count)
    _check_enough(part, max(int(one.free.sum()) for one in candidates))
    ahead = _ahead(whole, count, horizon)
    groups, seen = grouped(whole)[count:], whole.log_variance[:, count:]
    held = pooled(groups, seen)

    def error(log_variance: NDArray) -> float:
        return rms(pooled(groups, np.where(np.isfinite(seen), log_variance, np.nan)), held)

    seed = settings.get("seed", 0)
    fits = all_fitted(candidates, Task(part, ahead, len(whole.time) - count, error, seed))
    later = whole.time[count:]
    errors = {
        name: error(baseline(name, part.time, part.log_variance, later)) for name in BASELINES
    }
    return labelled(fits, whole, part, errors, source)


def _fitted_count(seen: Seen, until: float) -> int:
    """How many recordings are fitted."""
    end = seen.time[0] + until * (seen.time[-1] - seen.time[0])
    return max(2, int((seen.time <= end * (1 + 1e-12)).sum()))


def _check_enough(part: Seen, numbers: int) -> None:
    """Refuse a part of a record that has fewer readings than there are numbers to find.

    Raises:
        InvalidSetting: It has.
    """
    readings = int(np.isfinite(part.log_variance).sum()) - part.modes
    if readings <= numbers:
        message = (
            f"A fit of {numbers} numbers needs more readings than that beyond the first of each "
            f"mode; {len(part.time)} recordings of {part.modes} modes have {readings}. Record more "
            "often, fit more of the record, or give numbers that you know, such as `alpha=1`."
        )
        raise InvalidSetting(message)


def _ahead(seen: Seen, count: int, horizon: float | None) -> NDArray:
    """Times to foretell: those that were recorded, and later ones up to the horizon.

    Raises:
        InvalidSetting: A horizon that is not beyond the record.
    """
    times, last = seen.time[count:], seen.time[-1]
    if horizon is None and len(times):
        return times
    end = last + (last - seen.time[0]) if horizon is None else horizon
    if not end > last:
        message = (
            f"`horizon` must lie beyond the record, which ends at {last:g}; it is {end:g}. "
            f"Try {2 * last:g}."
        )
        raise InvalidSetting(message)
    return np.concatenate([times, np.linspace(last, end, LATER + 1)[1:]])
