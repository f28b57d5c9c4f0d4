"""Say where pages go that follow from code, and write those that have changed."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parent.parent
ROOT = DOCS.parent


def write(name: str, text: str) -> None:
    """Write a made page, unless it stands there already: Sphinx reads again what is newer."""
    path = DOCS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def contents(*names: str, hidden: bool = False) -> str:
    """A table of contents of pages beside this one, which the side bar shows; or it alone does."""
    options = [":maxdepth: 1", *([":hidden:"] if hidden else [])]
    return "\n".join(["```{toctree}", *options, "", *names, "```", ""])


def listing(pages: dict[str, str]) -> str:
    """The same of pages by name, with what each says first."""
    lines = [f"- {{doc}}`{name}`: {_promise(text)}" for name, text in pages.items()]
    return "\n".join([*lines, "", contents(*pages, hidden=True)])


def _promise(text: str) -> str:
    """What a reader can do after a page, as its first sentence says it."""
    said = re.search(
        r"^After (?:this|these) [\w ]+? you can (.*?)\.(?: [A-Z]|$)", text, re.MULTILINE
    )
    if said is None:
        message = f"A page must begin with what one can do after it, not {text[:200]!r}."
        raise ValueError(message)
    return f"{said[1]}."
