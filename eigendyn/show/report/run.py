"""Lay out a result for a terminal, and summarise it for scripts."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from eigendyn.results.dataset import kept_quantities, named
from eigendyn.results.labelled import check_run
from eigendyn.settings.wording import told
from eigendyn.show.report import SCHEMA_VERSION
from eigendyn.show.report.layout import aligned, listed, number, numbers

if TYPE_CHECKING:
    import xarray

    from eigendyn.results.labelled import Column, Labelled

MOST_ROWS = 20  # beyond it the table shows the first and last modes only
SHOWN = 5  # of each then
SPREAD = {  # what says how many modes share the variance
    "effective_rank": "effective rank",
    "participation_ratio": "participation ratio",
    "normalised_deviation": "deviation of z/‖z‖ × √modes",
}
HEADINGS = ("mode", "initial variance", "final variance", "outcome", "recruitment time", "step")


def summary(dataset: xarray.Dataset | Labelled) -> dict[str, Any]:
    """Summarise a result for scripts: plain numbers in full precision, ready for JSON.

    Args:
        dataset: A result of `simulate`.

    Returns:
        Per mode, in input order: initial and final variance, recruitment time (None where it is
        undefined) and outcome; the end time and step; at start and end the expected loss, effective
        rank, participation ratio and deviation of z/‖z‖, its mean over modes; conserved quantities
        with their largest relative drift; closure with its error; engine, status and settings.
        Numbers that are not finite are None.
    """
    check_run(dataset)
    variance = dataset["variance"].values
    settings = json.loads(dataset.attrs["settings"])
    return {
        "schema_version": SCHEMA_VERSION,
        **{kind: settings[kind] for kind in ("loss", "model") if kind in settings},
        **_ends(dataset),
        "closure": dataset.attrs["closure"],
        "closure_error": number(dataset.attrs["closure_error"]),
        "closure_error_meaning": dataset.attrs["closure_error_meaning"],
        "method": dataset.attrs["method"],
        "time": number(dataset["time"].values[-1]),
        "step": number(dataset["step"].values[-1]),
        "variances_initial": numbers(variance[:, 0]),
        "variances_final": numbers(variance[:, -1]),
        "recruitment_time": numbers(dataset["recruitment_time"].values),
        "outcome": dataset["outcome"].values.tolist(),
        "conserved": [
            {"name": name, **{key: number(value) for key, value in found.items()}}
            for name, found in _conserved(dataset)
        ],
        "status": dataset.attrs["status"],
        "message": dataset.attrs["message"],
        "settings": settings,
    }


def table(dataset: xarray.Dataset | Labelled) -> str:
    """Lay out for a terminal what happened to every mode, and how far the numbers can be trusted.

    Args:
        dataset: A result of `simulate`.

    Returns:
        One row for each mode (the first and last ones if there are more than 20), then the count
        of each outcome, closure with its error, engine, conserved quantities and status.
    """
    check_run(dataset)
    modes = len(dataset["mode"].values)
    every = range(modes)
    shown = every if modes <= MOST_ROWS else [*every[:SHOWN], *every[-SHOWN:]]
    rows = [HEADINGS, *(_row(dataset, mode) for mode in shown)]
    if modes > MOST_ROWS:
        rows.insert(1 + SHOWN, ("…",) * len(HEADINGS))
    return "\n".join([*aligned(rows), "", *listed(_facts(dataset))])


def _row(dataset: xarray.Dataset | Labelled, mode: int) -> tuple[str, ...]:
    outcome = str(dataset["outcome"].values[mode])
    time = float(dataset["recruitment_time"].values[mode])
    variance = dataset["variance"].values[mode]
    learning_rate = json.loads(dataset.attrs["settings"])["learning_rate"]
    arrived = outcome == "recruited" and math.isfinite(time)
    return (
        str(dataset["mode"].values[mode]),
        f"{variance[0]:.6g}",
        f"{variance[-1]:.6g}",
        outcome,
        f"{time:.4g}" if arrived else "–",
        f"{time / learning_rate:.0f}" if arrived else "–",
    )


def _facts(dataset: xarray.Dataset | Labelled) -> Iterator[tuple[str, str]]:
    attrs = dataset.attrs
    kind, name = named(attrs)
    yield kind, told(name, json.loads(attrs["settings"])) if kind == "model" else name
    yield "modes", _counts(dataset["outcome"])
    yield "method", f"{attrs['method']}, {attrs['dtype']}, {attrs['device']}"
    if attrs.get("approximation"):  # files of earlier versions have none
        yield "approx.", attrs["approximation"]
    yield "closure", f"{attrs['closure']}, {_trust(attrs)}"
    ends = _ends(dataset)
    if "expected_loss" in ends:
        taken = dataset["expected_loss"].attrs
        yield "E[loss]", f"{_arrow(ends['expected_loss'])}, {_taken(taken)}"
    shown = [f"{words} {_arrow(ends[key])}" for key, words in SPREAD.items() if key in ends]
    if shown:
        yield "spread", ", ".join(shown)
    for name, found in _conserved(dataset):
        yield (
            "conserved",
            f"{name}: {found['initial']:.6g} → {found['final']:.6g}, "
            f"relative drift {found['relative_drift']:.1e}",
        )
    time, step = (dataset[name].values[-1] for name in ("time", "step"))
    reached = f"at time {time:g}, step {step:g}"
    yield "status", f"{attrs['status']} {reached}. {attrs['message']}".strip()


def _ends(dataset: xarray.Dataset | Labelled) -> dict[str, dict[str, Any]]:
    """What was measured at start and end, means over modes; nothing of results without it."""
    found: dict[str, dict[str, Any]] = {}
    for name in ("expected_loss", *SPREAD):
        if name not in dataset.variables:
            continue
        values = dataset[name].values
        first, last = (float(values[..., place].mean()) for place in (0, -1))
        found[name] = {"initial": number(first), "final": number(last)}
    if "expected_loss" in found:
        told_of = dataset["expected_loss"].attrs
        trust = {key: told_of[key] for key in ("closure", "error", "error_meaning")}
        found["expected_loss"] |= trust | {"error": number(trust["error"])}
    return found


def _arrow(ends: Mapping[str, Any]) -> str:
    shown = ("–" if end is None else f"{end:.6g}" for end in (ends["initial"], ends["final"]))
    return " → ".join(shown)


def _taken(loss: Mapping[str, Any]) -> str:
    error, closure = loss["error"], loss["closure"]
    kind = "standard error" if closure == "sampled" else "error"
    if math.isnan(error):
        return f"{closure}, {kind} not estimated"
    return f"{closure}, {kind} {error:.1e}" if error else closure


def _counts(outcome: Column | xarray.DataArray) -> str:
    counts = Counter(outcome.values.tolist()).most_common()
    found = ", ".join(f"{count} {word}" for word, count in counts)
    size = outcome.attrs.get("size", "variance")
    return found if size == "variance" else f"{found}; by {size}"


def _trust(attrs: Mapping[str, Any]) -> str:
    error, meaning = attrs["closure_error"], attrs["closure_error_meaning"]
    if math.isnan(error):
        return f"error {meaning}"
    return f"error {error:.1e}: {meaning}" if error else meaning


def _conserved(dataset: xarray.Dataset | Labelled) -> Iterator[tuple[str, dict[str, float]]]:
    for name, quantity in kept_quantities(dataset).items():
        first, last = quantity.values[[0, -1]]
        drift = float(quantity.attrs["relative_drift"])
        yield name, {"initial": first, "final": last, "relative_drift": drift}
