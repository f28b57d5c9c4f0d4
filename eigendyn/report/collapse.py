"""A diagnosis enters; what a terminal or a script wants to know of it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from eigendyn.report import SCHEMA_VERSION
from eigendyn.report.layout import aligned, number, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from eigendyn.analysis.collapse import Change, Diagnosis

HEADINGS = ("mode", "initial variance", "final variance", "verdict", "growth rate", "recruited at")
MOST_LISTED = 12  # modes named one by one


def summary(diagnosis: Diagnosis) -> dict[str, Any]:
    """Summarise a diagnosis for scripts, ready for JSON."""
    run = diagnosis.run
    return {
        "schema_version": SCHEMA_VERSION,
        "loss": run.attrs["loss"],
        "status": run.attrs["status"],
        "time": number(run["time"].values[-1]),
        "variances_initial": numbers(run["variance"].values[:, 0]),
        "variances_final": numbers(run["variance"].values[:, -1]),
        "outcome": run["outcome"].values.tolist(),
        "recruitment_time": numbers(run["recruitment_time"].values),
        "growth_rate": numbers(first_rates(diagnosis)),
        "lost": diagnosis.lost.tolist(),
        "changes": [
            {"options": _options(change), "lost": change.lost.tolist(), "status": change.status}
            for change in diagnosis.changes
        ],
        "critical_weight_decay": diagnosis.critical_decay,
    }


def table(diagnosis: Diagnosis) -> str:
    """Lay out for a terminal which modes are lost, how fast, and what would change that."""
    run = diagnosis.run
    variance, rates = run["variance"].values, first_rates(diagnosis)
    rows: list[tuple[str, ...]] = [HEADINGS]
    for mode, outcome in enumerate(run["outcome"].values):
        arrived = outcome == "recruited" and np.isfinite(run["recruitment_time"].values[mode])
        rows.append(
            (
                str(mode),
                f"{variance[mode, 0]:.6g}",
                f"{variance[mode, -1]:.6g}",
                str(outcome),
                f"{rates[mode]:+.3g}",
                f"{run['recruitment_time'].values[mode]:.4g}" if arrived else "–",
            )
        )
    return "\n".join([*aligned(rows), "", *_verdict(diagnosis), "", *_changes(diagnosis)])


def first_rates(diagnosis: Diagnosis) -> NDArray:
    """Growth rates (1/v) dv/dt between the first two saved times."""
    run = diagnosis.run
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.log(run["variance"].values[:, :2])
        return np.diff(logarithm, axis=1)[:, 0] / np.diff(run["time"].values[:2])


def _verdict(diagnosis: Diagnosis) -> Iterator[str]:
    run, lost = diagnosis.run, diagnosis.lost
    time = f"by time {run['time'].values[-1]:g}, step {run['step'].values[-1]:g}"
    if lost.any():
        verb = "is" if lost.sum() == 1 else "are"
        yield f"{lost.sum()} of {lost.size} modes {verb} lost {time}: {_listed(lost)}."
    else:
        yield f"None of {lost.size} modes is lost {time}."
    if run.attrs["status"] != "completed":
        yield f"The run ended early ({run.attrs['status']}). {run.attrs['message']}".strip()


def _changes(diagnosis: Diagnosis) -> Iterator[str]:
    yield "One setting changed, all others kept:"
    cells = [("  " + _options(change), _effect(diagnosis, change)) for change in diagnosis.changes]
    yield from aligned(cells, left=2)
    critical = diagnosis.critical_decay
    if critical is None:
        yield "No weight decay between 1e-4 and 1 is the first to lose a mode."
    else:
        yield f"Weight decay of up to {critical:.2g} loses no mode that is not lost without it."


def _effect(diagnosis: Diagnosis, change: Change) -> str:
    saved, more = diagnosis.lost & ~change.lost, change.lost & ~diagnosis.lost
    effects = {"saves": saved, "loses": more}
    parts = [f"{verb} {_listed(which)}" for verb, which in effects.items() if which.any()]
    early = "" if change.status == "completed" else f" ({change.status}: what was reached)"
    return (", ".join(parts) or "changes no verdict") + early


def _listed(which: NDArray) -> str:
    modes = np.flatnonzero(which)
    if len(modes) == len(which):
        return "all modes"
    names = ", ".join(map(str, modes[:MOST_LISTED]))
    return f"{'mode' if len(modes) == 1 else 'modes'} {names}" + (
        f" and {len(modes) - MOST_LISTED} more" if len(modes) > MOST_LISTED else ""
    )


def _options(change: Change) -> str:
    """The change as it is written on the command line."""
    given = {name: value for name, value in change.settings.items() if value is not None}
    return " ".join(_option(name, value) for name, value in given.items())


def _option(name: str, value: object) -> str:
    if name == "stop_gradient":
        return "with stop-gradient"
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f"--{name.replace('_', '-')} {shown}"
