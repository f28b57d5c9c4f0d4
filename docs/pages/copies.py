"""Take pages of the project into the site: benchmarks, the design, and the figures."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from eigendyn.show.paper import FIGURES
from pages.places import DOCS, ROOT, contents, write

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)([^)]+)\)")
GALLERY = """# Gallery

Find here the picture that you want to draw, with its numbers and the code that drew it.
`eigendyn figures all --out figures` draws them all.

"""


def write_copies() -> None:
    """Write them all."""
    reports = sorted(path for path in (ROOT / "benchmarks").glob("*.md") if path.stem != "README")
    for path in reports:
        write(f"benchmarks/{path.name}", _site(path))
    for path in (ROOT / "benchmarks").glob("*.png"):
        _copy(path, DOCS / "benchmarks" / path.name)
    head = _site(ROOT / "benchmarks" / "README.md")
    write("benchmarks/index.md", head + "\n" + contents(*(path.stem for path in reports)))
    write("design.md", _site(ROOT / "CONTRIBUTING.md"))
    for name in FIGURES:
        write(f"gallery/{name}.md", _figure(name))
    write("gallery/index.md", GALLERY + contents(*FIGURES))


def _figure(name: str) -> str:
    """A figure: its picture, caption and code."""
    module, title = FIGURES[name]
    stem = f"figure-{name}"
    _copy(ROOT / "figures" / f"{stem}.png", DOCS / "gallery" / f"{stem}.png")
    caption = (ROOT / "figures" / f"{stem}.txt").read_text(encoding="utf-8")
    path = ROOT / "eigendyn" / "show" / "paper" / Path(*module.split(".")).with_suffix(".py")
    code = path.read_text(encoding="utf-8")
    return (
        f"# {title}\n\nDraw it yourself with `eigendyn figures {name}`.\n\n"
        f"![{title}]({stem}.png)\n\n{caption}\n\n"
        f":::{{dropdown}} The code\n```python\n{code}```\n:::\n"
    )


def _site(path: Path) -> str:
    """A page of the project, without links to files that are no pages of the site."""
    text = path.read_text(encoding="utf-8")

    def kept(link: re.Match[str]) -> str:
        words, target = link.groups()
        is_page = target.endswith(".md") and (path.parent / target).parent == path.parent
        return link.group() if is_page and (path.parent / target).exists() else words

    return LINK.sub(kept, text)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists() or target.read_bytes() != source.read_bytes():
        shutil.copyfile(source, target)
