"""Set the help of commands: examples as code, signs of formulas as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from sphinx.application import Sphinx

BAR = "| "  # begins a line that sphinx-click keeps as a line


def setup(app: Sphinx) -> dict[str, bool]:
    """Set what sphinx-click has read of a command."""
    app.connect("sphinx-click-process-description", _set)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _set(_app: Sphinx, _ctx: click.Context, lines: list[str]) -> None:
    found: list[str] = []
    for line in lines:
        said = line.removeprefix(BAR)
        if line.startswith(BAR) and said.strip().startswith("eigendyn "):
            found += ["", ".. code-block:: sh", "", f"   {said.strip()}", ""]
        else:
            found.append(said.replace("*", r"\*"))
    lines[:] = found
