"""Give wide pictures a box, in which they are moved sideways where a screen is too narrow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import imagesize
from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LEAST = 700  # pixels across a picture whose letters become too small at half of its width
SHAPE = 1.5  # width over height


def setup(app: Sphinx) -> dict[str, bool]:
    """Go over the pictures of a page, those of its cells among them."""
    app.connect("doctree-resolved", _enclose)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _enclose(app: Sphinx, page: nodes.document, _name: str) -> None:
    for image in list(page.findall(nodes.image)):
        around = image.parent
        if image["classes"] or not _is_wide(Path(app.srcdir, image["uri"])):
            continue
        if isinstance(around, nodes.paragraph) and len(around) == 1:
            around["classes"].append("wide")
        elif not isinstance(around, nodes.TextElement):
            image.replace_self(nodes.container("", image.deepcopy(), classes=["wide"]))


def _is_wide(picture: Path) -> bool:
    width, height = imagesize.get(picture)
    return width > LEAST and width >= SHAPE * height
