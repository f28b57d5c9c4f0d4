"""Label what a fit has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.candidate import Candidate
from eigendyn.fitting.foretell import Foretold
from eigendyn.fitting.modal import OF_MODE_NAMES
from eigendyn.fitting.numbers import NAMES, NOISE1, NUMBERS, READING
from eigendyn.fitting.persistence import RIGHT
from eigendyn.fitting.readings import Seen
from eigendyn.fitting.scarce import one_jump, untold
from eigendyn.fitting.search import Found
from eigendyn.fitting.second_moments import settings_of
from eigendyn.results.provenance import provenance

if TYPE_CHECKING:
    import xarray

KIND = "a fit"
FITS = "fits best."
FINE = 0.01  # of how far modes have moved, below which a forecast is right, too
FAR = 3.0  # times their recorded errors that readings may scatter, if a theory holds


@dataclass(frozen=True)
class Fitted:
    """One loss, fitted.

    Args:
        found: Where the likelihood is largest.
        values: The numbers there (numbers,).
        of_modes: A, c₁ and c₂ of every mode, with 95 % intervals where modes differ (3, modes, 3).
        bounds: 95 % intervals of those that are told alone (numbers, 2); NaN of the others.
        is_told: Which are (numbers,).
        at_bound: Which lie at a bound (numbers,).
        combinations: Name, value, lower and upper end of what is told of the others.
        rest: The forecast.
        error: Root mean square of ln(foretold/recorded) on what was not fitted.
        is_bounded: Whether intervals have been looked for.
    """

    found: Found
    values: NDArray
    of_modes: NDArray
    bounds: NDArray
    is_told: NDArray
    at_bound: NDArray
    combinations: list[tuple[str, float, float, float]]
    rest: Foretold
    error: float
    is_bounded: bool = False

    @property
    def title(self) -> str:
        """The loss."""
        return self.found.candidate.title


def labelled(
    fits: Sequence[Fitted],
    whole: Seen,
    part: Seen,
    baselines: Mapping[str, float],
    record: xarray.Dataset,
) -> xarray.Dataset:
    """Label fits of several losses, the best first.

    Args:
        fits: They.
        whole: The record.
        part: What was fitted.
        baselines: Errors of forecasts that know no theory.
        record: As it was given.
    """
    import xarray

    best = fits[0]
    names = list(dict.fromkeys(name for one in fits for name, *_ in one.combinations))
    combined = np.full((len(fits), len(names), 3), np.nan)
    for row, one in enumerate(fits):
        for name, *numbers in one.combinations:
            combined[row, names.index(name)] = numbers
    of_number, of_both = ("loss", "number"), ("loss", "combination")
    of_rest, of_mode = ("loss", "mode", "ahead"), ("loss", "mode")
    of_modes = ("loss", "modal", "mode")

    def each(take: Any) -> NDArray:
        return np.stack([np.asarray(take(one)) for one in fits])

    free = each(lambda one: one.found.candidate.free)
    variables: dict[str, Any] = {
        "value": (of_number, each(lambda one: one.values), _words("likeliest value")),
        "lower": (of_number, each(lambda one: one.bounds[:, 0]), _words("95 %, lower end")),
        "upper": (of_number, each(lambda one: one.bounds[:, 1]), _words("95 %, upper end")),
        "is_free": (of_number, free, _words("looked for, not given")),
        "is_told": (of_number, each(lambda one: one.is_told), _words("told by itself")),
        "at_bound": (of_number, each(lambda one: one.at_bound), _words("lies at its bound")),
        "combined": (of_both, combined[..., 0], _words("likeliest value")),
        "combined_lower": (of_both, combined[..., 1], _words("95 %, lower end")),
        "combined_upper": (of_both, combined[..., 2], _words("95 %, upper end")),
        "of_mode": (of_modes, each(lambda one: one.of_modes[..., 0]), _words("of each mode")),
        "of_mode_lower": (of_modes, each(lambda one: one.of_modes[..., 1]), _words("95 %, lower")),
        "of_mode_upper": (of_modes, each(lambda one: one.of_modes[..., 2]), _words("95 %, upper")),
        "variance": (("mode", "time"), np.exp(whole.log_variance), _words("recorded", "variance")),
        "forecast": (of_rest, each(lambda one: one.rest.variance), _words("foretold", "variance")),
        "forecast_lower": (of_rest, each(lambda one: one.rest.lower), _words("2.5 %", "variance")),
        "forecast_upper": (of_rest, each(lambda one: one.rest.upper), _words("97.5 %", "variance")),
        "comes": (of_mode, each(lambda one: one.rest.comes), _words("passes half", "time")),
        "comes_lower": (of_mode, each(lambda one: one.rest.comes_interval[:, 0])),
        "comes_upper": (of_mode, each(lambda one: one.rest.comes_interval[:, 1])),
        "fate": (of_mode, each(lambda one: one.rest.fate)),
        "forecast_error": ("loss", each(lambda one: one.error), _words("RMS of ln v, not fitted")),
        "log_likelihood": ("loss", each(lambda one: -one.found.optimum.local.value)),
        "persistence": (
            "loss",
            each(lambda one: one.found.persistence.correlation),
            _words("correlation of an error with the next"),
        ),
        "missed": (
            "loss",
            each(lambda one: one.found.persistence.share),
            _words("steady error over how far ln v moves between recordings"),
        ),
        "converged": ("loss", each(lambda one: one.found.optimum.converged)),
        "baseline_error": ("baseline", np.array(list(baselines.values()))),
    }
    coordinates = {
        "loss": [one.title for one in fits],
        "number": [row.name for row in NUMBERS],
        "combination": ("combination", np.array(names, dtype=object if names else str)),
        "modal": list(OF_MODE_NAMES),
        "mode": whole.mode,
        "time": ("time", whole.time, {"long_name": "training time"}),
        "ahead": ("ahead", best.rest.time, {"long_name": "training time"}),
        "baseline": list(baselines),
    }
    status = "completed" if best.found.optimum.converged else "not-converged"
    attrs = {
        "title": f"theory fitted to {record.attrs.get('title', 'a record')}",
        "kind": KIND,
        "status": status,
        "fitted_until": float(part.time[-1]),
        "fitted_recordings": len(part.time),
        "left_out": part.left_out,
        "per_mode": ", ".join(NAMES[row] for row in best.found.candidate.modal),
        "noises": _noises(best.found.candidate),
        "correlation": best.found.candidate.system.chosen.correlation or "",
        "not_followed": _not_followed(record),
        "verdict": one_jump(best.found, part) or _verdict(fits, baselines, whole, part),
        **provenance("cpu", "float64"),
    }
    return xarray.Dataset(variables, coordinates, attrs)


def _verdict(
    fits: Sequence[Fitted], baselines: Mapping[str, float], whole: Seen, part: Seen
) -> str:
    """The sentence; a theory of which nothing is told does not fit best."""
    said, best = verdict(fits, baselines, whole), fits[0]
    if not said.endswith(FITS):
        return said
    return untold(best.is_told, [name for name, *_ in best.combinations], part) or said


def _noises(one: Candidate) -> str:
    """Where the noise of the first view comes from."""
    if NOISE1 in one.recorded:
        return "recorded"
    return "looked for" if one.free[NOISE1] else "given"


def _not_followed(record: xarray.Dataset) -> str:
    """What the settings of a record have, and no fit follows, in words; empty if nothing."""
    told = settings_of(record)
    predictor = str(told.get("predictor"))
    words = [f"a {predictor} predictor"] if predictor in ("learned", "running") else []
    words += ["an EMA target"] if told.get("target") == "ema" else []
    words += ["momentum"] if told.get("momentum") else []
    return " and ".join(words)


def verdict(fits: Sequence[Fitted], baselines: Mapping[str, float], whole: Seen) -> str:
    """Say in a sentence whether a theory fits, and which.

    Where modes rest, none foretells better than the last value: an error that is small beside how
    far they have moved, or no larger than those of the recordings, refutes nothing.
    """
    best = fits[0]
    if not best.found.optimum.converged:
        return f"The search did not converge; the best so far is {best.title}."
    if np.isfinite(best.error):
        name = min(baselines, key=lambda name: baselines[name])
        moved = np.nanmax(whole.log_variance, axis=1) - np.nanmin(whole.log_variance, axis=1)
        right = max(RIGHT, FINE * float(np.sqrt(np.mean(moved**2))))
        if whole.has_error:
            there = np.isfinite(whole.log_variance) & (whole.time >= best.rest.time[0])
            right = max(right, float(np.sqrt(np.mean(whole.error[there] ** 2))))
        if not best.error < max(baselines[name], right):
            return (
                f"No theory fits: {best.title} foretells worse ({best.error:.3g}) than "
                f"{name} ({baselines[name]:.3g})."
            )
    errors = best.found.persistence
    if errors.refutes:
        return (
            f"No theory fits: {best.title} errs on and on in the same direction (correlation of "
            f"errors {errors.correlation:.2g}, {errors.deviations:.2g} standard deviations), by "
            f"{errors.share:.0%} of how far modes move, which noise does not."
        )
    scatter = float(best.values[READING])
    if whole.has_error and scatter > FAR:
        return (
            f"No theory fits: readings scatter by {scatter:.2g} times their recorded errors around "
            f"{best.title}."
        )
    return f"{best.title} {FITS}"


def _words(words: str, units: str = "") -> dict[str, str]:
    return {"long_name": words, "units": units}
