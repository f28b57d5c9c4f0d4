"""Mark code that is too long for a line, and set dashes, in whatever Sphinx has read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LONGEST = 30  # letters of a word of code that is never broken
DASH = " -- "  # which Sphinx sets between a name and what it is


def setup(app: Sphinx) -> dict[str, bool]:
    """Go over every page once it is read."""
    app.connect("doctree-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _read(_app: Sphinx, page: nodes.document) -> None:
    for code in page.findall(nodes.literal):
        if max(map(len, code.astext().split()), default=0) > LONGEST:
            code["classes"].append("long")
    for text in list(page.findall(nodes.Text)):
        if text == DASH:
            _set_dash(text)


def _set_dash(text: nodes.Text) -> None:
    """Set a dash as one; where nothing follows, what stands before it is a sentence, no name."""
    parent = text.parent
    place = parent.index(text)
    if any(node.astext().strip() for node in parent[place + 1 :]):
        parent.replace(text, nodes.Text(" – "))
    else:
        said = "".join(node.astext() for node in parent[:place])
        parent[:] = [nodes.Text(said)]
