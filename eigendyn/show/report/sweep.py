"""Say what a sweep has found so far, as a table and as JSON."""

from __future__ import annotations

from typing import Any

from eigendyn.show.report.layout import listed
from eigendyn.sweeping.status import Status

SCHEMA_VERSION = 1
SHOWN = 5  # chunks that are missing and named, and names along an axis


def summary(found: Status) -> dict[str, Any]:
    """The same, ready for JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "store": str(found.path),
        "axes": {str(name): found.dataset.sizes[name] for name in found.axes},
        "modes": found.dataset.sizes["mode"],
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
    facts = [(name, _axis(found, name)) for name in found.axes]
    facts.append(("mode", str(found.dataset.sizes["mode"])))
    chunks = f"{layout.count - len(missing)} of {layout.count} chunks"
    facts.append(("done", f"{done}, {chunks}"))
    for name, counts in found.counts.items():
        what = {"status": "trajectories", "outcome": "modes"}[name]
        facts.append((what, ", ".join(f"{count} {word}" for word, count in counts.items()) or "–"))
    facts += [("missing", _place(found, number)) for number in missing[:SHOWN]]
    if len(missing) > SHOWN:
        facts.append(("", f"and {len(missing) - SHOWN} chunks more"))
    return "\n".join(listed(facts))


def _axis(found: Status, name: str) -> str:
    values = found.dataset[name].values if name in found.dataset.coords else None
    size = found.dataset.sizes[name]
    if values is None or values.dtype.kind not in "fi":
        names = [] if values is None else [str(one) for one in values]
        more = ", …" if len(names) > SHOWN else ""
        return f"{size}: {', '.join(names[:SHOWN])}{more}" if names else str(size)
    return f"{size}, from {values[0]:g} to {values[-1]:g}"


def _place(found: Status, number: int) -> str:
    parts = []
    for name, (first, last) in found.box(number).items():
        ends = (f"{one:g}" if isinstance(one, float) else one for one in (first, last))
        parts.append(f"{name} {'–'.join(dict.fromkeys(ends))}")
    return f"chunk {number}: {', '.join(parts)}"
