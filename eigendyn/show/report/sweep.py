"""Say what a sweep has found so far, as a table and as JSON."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from eigendyn.show.report.layout import listed
from eigendyn.sweeping.axes import SAMPLE, START
from eigendyn.sweeping.status import Status

SCHEMA_VERSION = 1
SHOWN = 5  # chunks that are missing and named, and names along an axis


def summary(found: Status) -> dict[str, Any]:
    """The same, ready for JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "store": str(found.path),
        "axes": {name: len(values) for name, values in found.axes.items()},
        "modes": found.modes,
        "trajectories": found.layout.trajectories,
        "done": found.trajectories,
        "chunks": found.layout.count,
        "missing": found.missing,
        **found.counts,
    }


def table(found: Status) -> str:
    """Axes, how far it has come, and what became of trajectories and modes."""
    layout, missing = found.layout, found.missing
    done = f"{found.trajectories} of {layout.trajectories} trajectories"
    facts = [(name, _axis(name, values)) for name, values in found.axes.items()]
    facts.append(("mode", str(found.modes)))
    chunks = f"{layout.count - len(missing)} of {layout.count} "
    chunks += "chunk" if layout.count == 1 else "chunks"
    facts.append(("done", f"{done}, {chunks}"))
    for name, counts in found.counts.items():
        what = {"status": "trajectories", "outcome": "modes"}[name]
        facts.append((what, ", ".join(f"{count} {word}" for word, count in counts.items()) or "–"))
    facts += [("missing", _place(found, number)) for number in missing[:SHOWN]]
    if len(missing) > SHOWN:
        facts.append(("", f"and {len(missing) - SHOWN} more"))
    return "\n".join(listed(facts))


def _axis(name: str, values: NDArray) -> str:
    if name in (SAMPLE, START) and values.dtype.kind == "i":
        return str(len(values))
    if values.dtype.kind == "f":
        return f"{len(values)}, from {values[0]:g} to {values[-1]:g}"
    more = ", …" if len(values) > SHOWN else ""
    return f"{len(values)}: {', '.join(map(str, values[:SHOWN]))}{more}"


def _place(found: Status, number: int) -> str:
    parts = []
    for name, ends in found.box(number).items():
        words = [one if isinstance(one, str) else f"{one:g}" for one in ends]
        parts.append(f"{name} {'–'.join(dict.fromkeys(words))}")
    return f"chunk {number}: {', '.join(parts)}"
