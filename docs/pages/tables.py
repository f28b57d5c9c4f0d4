"""Write the tables of the theory: parameters, states, losses, outcomes, measures of a record."""

from __future__ import annotations

from collections.abc import Iterable

from eigendyn.recording import MEASURES
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.states import STATES
from eigendyn.theory import LOSSES
from pages.places import write


def write_tables() -> None:
    """Write them as one page."""
    parts = [
        "# Tables",
        "Look up here what a number, a state or a measure is called, and what it may be. Each "
        "table is the one that the code reads.",
        "## Parameters",
        "Keywords of `eigendyn.simulate`; with dashes, options of the command line.",
        _table(
            ("name", "sign", "what it is", "default"),
            (
                (f"`{p.name}`", f"${p.latex}$", p.label, _number(p.default))
                for p in PARAMETERS.values()
            ),
        ),
        "## States of a mode",
        _table(
            ("name", "sign", "what it is", "unit"),
            ((f"`{n}`", f"${s.symbol[1]}$", s.label, s.unit) for n, s in STATES.items()),
        ),
        "## Losses",
        _table(
            ("name", "what it is"),
            ((f"`{n}`", make.__doc__.splitlines()[0]) for n, make in LOSSES.items()),
        ),
        "## Measures of a record",
        "Variables of what `SpectrumLog` writes.",
        _table(
            ("name", "over", "what it is", "unit"),
            ((f"`{n}`", ", ".join(m.dims), m.words, m.units) for n, m in MEASURES.items()),
        ),
    ]
    write("reference/tables.md", "\n\n".join(parts) + "\n")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    cells = [[str(cell).replace("|", r"\|") for cell in line] for line in lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)
