"""Write tables of time at equal error, with ratios, and of memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from peers import PEERS

NAMES = {
    "E": "E: euclidean, modes apart",
    "C": "C: cosine, mean field",
    "X": "X: cosine, exact closure by quadrature",
}
NOTES = """\
Error is the largest |y − y_ref| / (|y_ref| + 1e-3) over all saved times and watched trajectories
and modes, so that 1e-6 is what rtol = 1e-6, atol = 1e-9 ask for. Times are medians of warm runs,
interpolated to the target error between two tolerances. In brackets: times the first row's. ≈:
measured on fewer trajectories and scaled. ≤: its loosest tolerance is already more accurate.
✗: the target is not reached; the smallest error seen follows. –: not asked of a peer
(heyoka compiles every equation, LSODA's Jacobian is dense), or memory of fewer trajectories.
Columns are numbers of modes and of trajectories.
"""


def time_at(cell: dict, target: float) -> tuple[float, str]:
    """Seconds at a target error, and a sign that qualifies them; NaN where it is not reached."""
    rungs = cell.get("rungs", [])
    met = next((i for i, rung in enumerate(rungs) if rung["error"] <= target), None)
    if met is None:
        return math.nan, ""
    scaled = "≈" if cell["ran"] < cell["problem"][2] else ""
    tight = rungs[met]
    if met == 0:
        return tight["seconds"], scaled or "≤"
    loose = rungs[met - 1]
    span = math.log(tight["error"] / loose["error"])
    part = math.log(target / loose["error"]) / span if span else 1.0
    ratio = tight["seconds"] / loose["seconds"]
    return loose["seconds"] * ratio**part, scaled


def tables(cells: Sequence[dict], targets: Sequence[float]) -> str:
    """All tables, in Markdown."""
    lines = ["# Ensembles, side by side at equal measured error", "", *NOTES.splitlines()]
    for name, title in NAMES.items():
        few = [cell for cell in cells if cell["problem"][0] == name]
        for target in (targets[:1] if name == "X" else targets) if few else ():
            lines += ["", f"## {title}, error {target:g}", ""]
            lines += _table(few, lambda cell, base, at=target: _time_text(cell, base, at))
    lines += ["", "## Memory, MB", ""]
    lines += [
        "Peak of a process beyond what it holds before it solves: outputs, work, compiler.",
        "",
    ]
    coupled = [cell for cell in cells if cell["problem"][0] == "C"]
    lines += _table(coupled, lambda cell, _base: _memory_text(cell))
    failures = [cell for cell in cells if "failure" in cell]
    if failures:
        lines += ["", "## Failed", ""]
        for cell in failures:
            lines.append(f"- {PEERS[cell['peer']].label}, {cell['problem']}: {cell['failure']}")
    return "\n".join(lines) + "\n"


def _table(cells: Sequence[dict], text: Callable[[dict, dict | None], str]) -> list[str]:
    """One row a peer, one column a size (modes, trajectories)."""
    sizes = list(dict.fromkeys(tuple(cell["problem"][1:]) for cell in cells))
    peers = list(dict.fromkeys(cell["peer"] for cell in cells))
    by_place = {(cell["peer"], *cell["problem"][1:]): cell for cell in cells}
    lines = ["| | " + " | ".join(f"{m:,}, {b:,}" for m, b in sizes) + " |"]
    lines.append("|---" * (len(sizes) + 1) + "|")
    for peer in peers:
        row = []
        for size in sizes:
            cell, base = by_place.get((peer, *size)), by_place.get((peers[0], *size))
            row.append(text(cell, base) if cell else "–")
        lines.append(f"| {PEERS[peer].label} | " + " | ".join(row) + " |")
    return lines


def _time_text(cell: dict, base: dict | None, target: float) -> str:
    if "failure" in cell:
        return "failed"
    if cell["peer"] == "writing":
        seconds, sign = cell["rungs"][-1]["seconds"], ""  # what it writes is no solution
    else:
        seconds, sign = time_at(cell, target)
    if math.isnan(seconds):
        return f"✗ {min(rung['error'] for rung in cell['rungs']):.0e}"
    first = time_at(base, target)[0] if base else math.nan
    ratio = "" if cell is base or math.isnan(first) else f" ({seconds / first:.2g}×)"
    return f"{sign}{_seconds(seconds)}{ratio}"


def _memory_text(cell: dict) -> str:
    if "failure" in cell:
        return "failed"
    return f"{cell['memory']:,.0f}" if cell["ran"] == cell["problem"][2] else "–"


def _seconds(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"
