"""Say in a terminal whether a recorded training is all right, and what moves its loss."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from eigendyn.fitting.implied import OTHERS
from eigendyn.fitting.second_moments import MEAN
from eigendyn.show.report import SCHEMA_VERSION
from eigendyn.show.report.collapse import changes_said, changes_told
from eigendyn.show.report.layout import aligned, number, numbers

if TYPE_CHECKING:
    from eigendyn.analysis.rates.diagnosis import Diagnosis
    from eigendyn.fitting.monitor import Reading

MOST_ROWS = 8  # modes whose contributions are listed
NAMES = {MEAN: "mean", OTHERS: "others"}
TOO_FEW = "not yet: there are too few recordings, or they do not agree"


def summary(reading: Reading, changes: Diagnosis | None = None) -> dict[str, Any]:
    """Summarise a reading for scripts, ready for JSON."""
    record, check = reading.record, reading.check
    told = {
        "schema_version": SCHEMA_VERSION,
        "loss": reading.loss,
        "recordings": record.sizes["time"],
        "step": number(record["step"].values[-1]),
        "time": number(record["time"].values[-1]),
        "verdict": None if check is None else check.verdict,
        "healthy": None if check is None else check.healthy,
        "why": None if check is None else f"{check.words} {check.why}",
        "since_step": None if check is None else number(check.since),
        "variances": numbers(record["variance"].values[:, -1]),
        "implied_loss": numbers(reading.implied),
        "implied_loss_error": number(reading.implied_error),
        "measured_loss": numbers(reading.measured),
        "beside": reading.beside,
        "contributions": {
            "since_step": number(record["step"].values[reading.since]),
            **{str(NAMES.get(m, m)): number(v) for m, v in reading.contributions.items()},
        },
    }
    return told if changes is None else told | changes_told(changes)


def line(reading: Reading) -> dict[str, Any]:
    """The last recording of a reading for scripts, ready for JSON."""
    record, check = reading.record, reading.check
    return {
        "schema_version": SCHEMA_VERSION,
        "step": number(record["step"].values[-1]),
        "time": number(record["time"].values[-1]),
        "implied_loss": number(reading.implied[-1]),
        "measured_loss": number(reading.measured[-1]),
        "variance": number(np.nansum(record["variance"].values[:, -1])),
        "verdict": None if check is None else check.verdict,
        "healthy": None if check is None else check.healthy,
        "why": None if check is None else check.why,
    }


def row(reading: Reading) -> str:
    """The last recording of a reading in a line."""
    told = line(reading)
    said = [f"step {told['step']:g}", f"variance {told['variance']:.4g}"]
    said += [
        f"{name} loss {told[f'{name}_loss']:.4g}"
        for name in ("implied", "measured")
        if told[f"{name}_loss"] is not None
    ]
    check = reading.check
    return f"{'  '.join(said)}  {TOO_FEW if check is None else f'{check.verdict}: {check.why}'}"


def table(reading: Reading, changes: Diagnosis | None = None) -> str:
    """Lay out a reading: the verdict, both losses, and what every mode adds."""
    lines = [*_verdict(reading), "", *_losses(reading)]
    if reading.contributions:
        lines += ["", *_contributions(reading)]
    if changes is not None:
        lines += ["", *changes_said(changes)]
    return "\n".join(lines)


def _verdict(reading: Reading) -> Iterator[str]:
    record, check = reading.record, reading.check
    of = f"{record.sizes['mode']} modes, {record.sizes['time']} recordings"
    yield f"{of} to step {record['step'].values[-1]:g}, time {record['time'].values[-1]:.4g}."
    if check is None:
        yield f"Verdict: {TOO_FEW}."
        return
    yield f"Verdict since step {check.since:g}: {check.verdict}. {check.words}"
    yield check.why


def _losses(reading: Reading) -> Iterator[str]:
    steps = reading.record["step"].values
    known = {"implied": reading.implied, "measured": reading.measured}
    rows = []
    for name, values in known.items():
        finite = np.flatnonzero(np.isfinite(values))
        if len(finite):
            low = finite[np.argmin(values[finite])]
            cells = (
                f"{values[finite[0]]:.4g} at first",
                f"{values[low]:.4g} at step {steps[low]:g}, its lowest",
                f"{values[finite[-1]]:.4g} now",
            )
            rows.append((f"{name} loss", *cells))
    if rows:
        yield from aligned(rows, left=1)
    if reading.loss is not None:
        yield f"Loss: {reading.loss}. {reading.beside}"
    else:
        yield reading.beside


def _contributions(reading: Reading) -> Iterator[str]:
    record, since, parts = reading.record, reading.since, reading.contributions
    change = reading.implied[-1] - reading.implied[since]
    if not math.isfinite(change):
        return
    verb = "rises" if change > 0 else "falls"
    yield (
        f"Since step {record['step'].values[since]:g} the implied loss {verb} by "
        f"{abs(change):.3g}. What every mode adds:"
    )
    order = sorted(parts, key=lambda mode: -abs(parts[mode]))
    listed, rest = order[:MOST_ROWS], order[MOST_ROWS:]
    rows = [("mode", "variance then", "now", "adds")]
    for mode in sorted(listed, key=lambda one: (one < 0, one)):
        then, now = ("–", "–")
        if mode >= 0:
            values = record["variance"].values[mode, [since, -1]]
            then, now = (f"{value:.3g}" for value in values)
        rows.append((str(NAMES.get(mode, mode)), then, now, f"{parts[mode]:+.3g}"))
    if rest:
        rows.append((f"{len(rest)} more", "–", "–", f"{sum(parts[m] for m in rest):+.3g}"))
    yield from aligned(rows)
