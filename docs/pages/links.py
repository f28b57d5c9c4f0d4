"""Turn links between files of the project into links between pages of the site."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pages.places import ROOT

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PAGES = (  # files of the project, and the page of the site that each becomes
    (r"docs/(.+\.(?:md|ipynb))", r"\1"),
    (r"benchmarks/README\.md", "benchmarks/index.md"),
    (r"benchmarks/(\w+\.md)", r"benchmarks/\1"),
    (r"derivations", "theory/index.md"),
    (r"derivations/(\w+)\.py", r"theory/\1.md"),
    (r"figures/README\.md", "gallery/index.md"),
    (r"figures/figure-([\w-]+)\.png", r"gallery/\1.md"),
    (r"notebooks", "tutorials/index.md"),
    (r"notebooks/(\w+)\.md", r"tutorials/\1.ipynb"),
    (r"CONTRIBUTING\.md", "design.md"),
)
LINK = re.compile(  # or a block of code, in which there are none
    r"^(?P<fence>`{3,}).*?^(?P=fence)|(?<!!)\[(?P<words>[^\]]+)\]"
    r"\((?!https?:|#)(?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)",
    flags=re.DOTALL | re.MULTILINE,
)


def setup(app: Sphinx) -> dict[str, bool]:
    """Turn the links of every page as Sphinx reads it."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def site_links(text: str, source: str, page: str) -> str:
    """Turn the links of a page; of a link to what is no page only the words are left.

    Args:
        text: The page, as Markdown.
        source: The file in which it stands, from the root of the project.
        page: Where it stands in the site.
    """

    def turned(link: re.Match[str]) -> str:
        if link["fence"]:
            return link.group()
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link["target"]))
        for pattern, name in PAGES:
            if found := re.fullmatch(pattern, target):
                there = posixpath.relpath(found.expand(name), posixpath.dirname(page) or ".")
                return f"[{link['words']}]({there}{link['anchor'] or ''})"
        return link["words"]

    return LINK.sub(turned, text)


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    path = Path(app.env.doc2path(docname)).relative_to(ROOT).as_posix()
    if path.endswith(".md"):
        source[0] = site_links(source[0], path, path.removeprefix("docs/"))
