"""Lay out a diagnosis for a terminal, and summarise it for scripts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from eigendyn.settings.parameters import PER_MODE
from eigendyn.show.report import SCHEMA_VERSION
from eigendyn.show.report.layout import aligned, number, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from eigendyn.analysis.rates.diagnosis import Change, Diagnosis

HEADINGS = (
    *("mode", "initial variance", "final variance", "verdict", "growth rate", "recruited at"),
    "because",
)
OF_DATA = ("signal", "noise")
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
        "growth_rate": numbers(diagnosis.growth_rate),
        "lost": _plain(diagnosis.lost),
        "reason": diagnosis.reasons,
        **{name: numbers(run[name].values) for name in PER_MODE if name in run.coords},
        **changes_told(diagnosis),
    }


def changes_told(diagnosis: Diagnosis) -> dict[str, Any]:
    """What changed settings would change, ready for JSON."""
    return {
        "changes": [
            {"options": change.options, "lost": _plain(change.lost), "status": change.status}
            for change in diagnosis.changes
        ],
        "critical_weight_decay": diagnosis.critical_decay,
    }


def table(diagnosis: Diagnosis) -> str:
    """Lay out for a terminal which modes are lost, how fast, and what would change that."""
    run = diagnosis.run
    variance, rates = run["variance"].values, diagnosis.growth_rate
    own = [name for name in PER_MODE[:2] if name in run.coords]
    reasons = diagnosis.reasons
    rows: list[tuple[str, ...]] = [(*HEADINGS[:1], *OF_DATA[: len(own)], *HEADINGS[1:])]
    for mode, outcome in enumerate(run["outcome"].values):
        time = run["recruitment_time"].values[mode]
        arrived = outcome == "recruited" and math.isfinite(time)
        rows.append(
            (
                str(mode),
                *(f"{run[name].values[mode]:.4g}" for name in own),
                f"{variance[mode, 0]:.6g}",
                f"{variance[mode, -1]:.6g}",
                str(outcome),
                f"{rates[mode]:+.3g}" if math.isfinite(rates[mode]) else "–",
                f"{time:.4g}" if arrived else "–",
                reasons[mode] or "–",
            )
        )
    return "\n".join([*aligned(rows), "", *_verdict(diagnosis), "", *changes_said(diagnosis)])


def _plain(lost: NDArray | None) -> list[bool] | None:
    return None if lost is None else lost.tolist()


def _verdict(diagnosis: Diagnosis) -> Iterator[str]:
    run, lost = diagnosis.run, diagnosis.lost
    time = f"by time {run['time'].values[-1]:g}, step {run['step'].values[-1]:g}"
    if lost is None:
        reason = f"{_not_known(run.attrs['status'])}, its data end {time.replace('by', 'at', 1)}."
        yield f"Which modes are lost is {reason} {run.attrs['message']}".strip()
    elif lost.any():
        verb = "is" if lost.sum() == 1 else "are"
        yield f"{lost.sum()} of {lost.size} modes {verb} lost {time}: {_listed(lost)}."
    else:
        yield f"None of {lost.size} modes is lost {time}."


def changes_said(diagnosis: Diagnosis) -> Iterator[str]:
    """What changed settings would change, in lines."""
    yield "One setting changed, all others and the training time kept:"
    cells = [(f"  {change.options}", _effect(diagnosis, change)) for change in diagnosis.changes]
    yield from aligned(cells, left=2)
    critical = diagnosis.critical_decay
    if critical is not None:
        yield f"Weight decay of up to {critical:.2g} loses no mode that is not lost without it."


def _effect(diagnosis: Diagnosis, change: Change) -> str:
    before, after = diagnosis.lost, change.lost
    if after is None:
        return _not_known(change.status)
    if before is None:  # nothing to compare with
        return f"{_listed(after)} lost" if after.any() else "no mode lost"
    effects = {"saves": before & ~after, "loses": after & ~before}
    parts = [f"{verb} {_listed(which)}" for verb, which in effects.items() if which.any()]
    return ", ".join(parts) or "changes no verdict"


def _not_known(status: str) -> str:
    return f"not known: the run did not complete ({status})"


def _listed(which: NDArray) -> str:
    modes = np.flatnonzero(which)
    if len(modes) == len(which):
        return "all modes"
    names = ", ".join(map(str, modes[:MOST_LISTED]))
    return f"{'mode' if len(modes) == 1 else 'modes'} {names}" + (
        f" and {len(modes) - MOST_LISTED} more" if len(modes) > MOST_LISTED else ""
    )
