"""Say where pages go that follow from code, and write those that have changed."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).parent.parent
ROOT = DOCS.parent


def write(name: str, text: str) -> None:
    """Write a made page, unless it stands there already: Sphinx reads again what is newer."""
    path = DOCS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def contents(*names: str) -> str:
    """A table of contents of pages beside this one, which the side bar shows."""
    return "\n".join(["```{toctree}", ":maxdepth: 1", "", *names, "```", ""])
