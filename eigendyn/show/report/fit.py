"""Lay out a fit for a terminal, and summarise it for scripts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from eigendyn.fitting.numbers import NUMBERS, PROCESS, READING
from eigendyn.fitting.ranking import HOPELESS
from eigendyn.show.report import SCHEMA_VERSION
from eigendyn.show.report.layout import aligned, number, numbers

if TYPE_CHECKING:
    import xarray

MOST_MODES = 12  # listed one by one


def summary(fit: xarray.Dataset) -> dict[str, Any]:
    """Summarise a fit for scripts, ready for JSON; losses in the order of their ranks."""
    attrs = fit.attrs
    return {
        "schema_version": SCHEMA_VERSION,
        "status": attrs["status"],
        "verdict": attrs["verdict"],
        "fitted_until": number(attrs["fitted_until"]),
        "fitted_recordings": int(attrs["fitted_recordings"]),
        "left_out": int(attrs["left_out"]),
        "noises": attrs["noises"],
        "per_mode": attrs["per_mode"].split(", ") if attrs["per_mode"] else [],
        "losses": [_summary(fit.sel(loss=loss)) for loss in fit["loss"].values],
        "baselines": {
            str(name): number(fit["baseline_error"].sel(baseline=name).item())
            for name in fit["baseline"].values
        },
    }


def _summary(one: xarray.Dataset) -> dict[str, Any]:
    names, combinations = one["number"].values.tolist(), one["combination"].values.tolist()
    keys = ("value", "lower", "upper")
    found = {
        name: {key: number(one[key].values[row]) for key in keys}
        | {key: bool(one[key].values[row]) for key in ("is_free", "is_told", "at_bound")}
        for row, name in enumerate(names)
    }
    combined = {
        name: dict(zip(keys, values, strict=True))
        for row, name in enumerate(combinations)
        if math.isfinite(one["combined"].values[row])
        and (values := [number(one[f"combined{k}"].values[row]) for k in ("", "_lower", "_upper")])
    }
    return {
        "loss": str(one["loss"].item()),
        "converged": bool(one["converged"].item()),
        "forecast_error": number(one["forecast_error"].item()),
        "log_likelihood": number(one["log_likelihood"].item()),
        "numbers": found,
        "combinations": combined,
        "of_modes": _of_modes(one),
        "comes": numbers(one["comes"].values),
        "comes_lower": numbers(one["comes_lower"].values),
        "comes_upper": numbers(one["comes_upper"].values),
        "fate": one["fate"].values.tolist(),
        "forecast_final": numbers(one["forecast"].values[:, -1]),
    }


def _of_modes(one: xarray.Dataset) -> dict[str, dict[str, list]]:
    """Numbers of every mode, where modes have some for themselves."""
    found = {}
    for name in one["modal"].values:
        own = one.sel(modal=name)
        ends = ("", "_lower", "_upper")
        found[str(name)] = {
            key: numbers(own[f"of_mode{end}"].values)
            for key, end in zip(("value", "lower", "upper"), ends, strict=True)
        }
    return found


def table(fit: xarray.Dataset) -> str:
    """Lay out for a terminal how losses rank, and numbers and forecast of the first of them."""
    best = fit.isel(loss=0)
    parts = [_ranking(fit), _numbers(best), _own(best), _modes(best), list(_remarks(fit, best))]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _ranking(fit: xarray.Dataset) -> list[str]:
    rows = [("", "forecast error", "log-likelihood", "")]
    best = fit["log_likelihood"].where(fit["converged"]).max()
    for place, loss in enumerate(fit["loss"].values):
        one = fit.isel(loss=place)
        said = "" if bool(one["converged"]) else "did not converge"
        if said and one["log_likelihood"] < best - HOPELESS:
            said = "far less likely"
        rows.append(
            (str(loss), _plain(one["forecast_error"]), f"{one['log_likelihood']:.5g}", said)
        )
    for name in fit["baseline"].values:
        error = fit["baseline_error"].sel(baseline=name)
        rows.append((str(name), _plain(error), "", "knows no theory"))
    return aligned(rows, left=1)


def _numbers(best: xarray.Dataset) -> list[str]:
    rows = [(str(best["loss"].item()), "value", "95 % interval", "")]
    for place, row in enumerate(NUMBERS):
        one = best.isel(number=place)
        if place in (PROCESS, READING) or not bool(one["is_free"]):
            continue
        rows.append((f"{row.sign}  {row.words}", *_value(one)))
    for place, name in enumerate(best["combination"].values):
        one = best.isel(combination=place)
        if np.isfinite(one["combined"]):
            ends = _interval(one["combined_lower"], one["combined_upper"])
            rows.append((str(name), f"{one['combined']:.4g}", ends, "told together"))
    return aligned(rows, left=1)


def _value(one: xarray.Dataset) -> tuple[str, str, str]:
    value = f"{one['value']:.4g}"
    if not bool(one["is_told"]):
        return value, "–", "not told by itself"
    said = "at its bound" if bool(one["at_bound"]) else ""
    return value, _interval(one["lower"], one["upper"]), said


def _interval(low: Any, high: Any) -> str:
    """An interval in words; a dash if there is none."""
    return f"{float(low):.4g} … {float(high):.4g}" if math.isfinite(low) else "–"


def _own(best: xarray.Dataset) -> list[str]:
    """Lay out numbers that modes have for themselves."""
    signs = {row.name: row.sign for row in NUMBERS}
    own = best.sel(modal=[n for n in best.attrs["per_mode"].split(", ") if n])
    if best.attrs["noises"] == "recorded":
        own = best.sel(modal=[*own["modal"].values.tolist(), "noise1"])
    if not own.sizes["modal"]:
        return []
    names = [signs[str(name)] for name in own["modal"].values]
    rows: list[tuple[str, ...]] = [
        ("mode", *(word for name in names for word in (name, "95 % interval")))
    ]
    for mode in range(min(best.sizes["mode"], MOST_MODES)):
        row = [str(mode)]
        for value, low, high in zip(
            *(own[f"of_mode{end}"].values[:, mode] for end in ("", "_lower", "_upper")),
            strict=True,
        ):
            row += [f"{value:.4g}", f"{low:.4g} … {high:.4g}" if math.isfinite(low) else "recorded"]
        rows.append(tuple(row))
    return aligned(rows)


def _modes(best: xarray.Dataset) -> list[str]:
    fitted = best["variance"].values[:, : int(best.attrs["fitted_recordings"])]
    last = [_last(row) for row in fitted]
    rows = [("mode", "variance", "foretold", "95 % band", "comes at", "95 % interval", "")]
    for mode in range(min(best.sizes["mode"], MOST_MODES)):
        one = best.isel(mode=mode)
        at, low, high = (float(one[key]) for key in ("comes", "comes_lower", "comes_upper"))
        band = [float(one[f"forecast_{end}"].values[-1]) for end in ("lower", "upper")]
        rows.append(
            (
                str(mode),
                f"{last[mode]:.4g}",
                f"{one['forecast'].values[-1]:.4g}",
                f"{band[0]:.3g} … {band[1]:.3g}",
                f"{at:.4g}" if math.isfinite(at) else "–",
                _interval(low, high),
                str(one["fate"].item()),
            )
        )
    return aligned(rows)


def _last(row: np.ndarray) -> float:
    """The last variance of a mode that was read."""
    known = row[np.isfinite(row)]
    return float(known[-1]) if known.size else math.nan


def _remarks(fit: xarray.Dataset, best: xarray.Dataset) -> Iterator[str]:
    attrs = fit.attrs
    yield (
        f"Fitted: {attrs['fitted_recordings']} recordings until time {attrs['fitted_until']:.4g}; "
        f"foretold until {fit['ahead'].values[-1]:.4g}."
    )
    left = int(attrs["left_out"])
    if left:
        yield f"Left out: {left} readings without a variance above zero and above their error."
    if attrs["noises"] == "recorded":
        yield "Noises of modes are those that were recorded; the forecast keeps the last."
    correlation = attrs.get("correlation")  # files of earlier versions hold none
    if correlation:
        yield f"The predictor is a function of the {correlation} correlation."
    hidden = [
        row.sign
        for place, row in enumerate(NUMBERS[:PROCESS])
        if best["is_free"].values[place] and not best["is_told"].values[place]
    ]
    if hidden:
        yield f"The record does not tell {', '.join(hidden)} apart."
    more = fit.sizes["mode"] - MOST_MODES
    if more > 0:
        yield f"{more} more modes are in the file of -o."
    if attrs["not_followed"]:
        yield (
            f"The run was trained with {attrs['not_followed']}; the fit takes a closed-form "
            "predictor, a shared target and plain steps, so that its numbers are effective ones."
        )
    yield str(attrs["verdict"])


def _plain(value: xarray.DataArray) -> str:
    return f"{float(value):.4g}" if math.isfinite(value) else "–"
