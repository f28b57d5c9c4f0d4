"""Take pages of the project into the site: benchmarks, the design, and the figures."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from eigendyn.show.paper import FIGURES, OF_DEEP
from pages.links import site_links
from pages.places import DOCS, ROOT, contents, write

GALLERY = """# Gallery

Find here the picture that you want to draw, with the code that drew it. To draw figures at
another size or with networks over them: [the figures of the paper](../how-to/paper_figures.md).

::::{{grid}} 1 2 2 3
:gutter: 3

{}
::::

"""
CARD = """:::{{grid-item-card}} {title}
:link: {name}
:link-type: doc
:img-bottom: figure-{name}.png
:img-alt: {title}
:::"""
MEASURED = {  # report → what one can read in it
    "agreement": "how well networks agree with the theory, and which errors the verdict catches",
    "contract": "how accurate every engine is on 10,000 random problems",
    "data": "what it costs to measure inputs of your own under augmentations",
    "decay": "how accurate the default is under weight decay, and how long it takes",
    "descent_step": "what a step of gradient descent costs here and in PyTorch",
    "ensembles": "how fast ensembles are beside five other tools, at equal error",
    "explorer": "how fast the explorer answers your hand in Jupyter",
    "figures": "how long it takes to draw the figures of the paper",
    "fit": "how well fits recover numbers that were planted, and what they foretell of networks",
    "hostile_text": "what becomes of malformed and hostile texts in the place of a loss",
    "observe": "what it costs your training to log its spectrum",
    "startup": "how long whole processes take, from nothing to an answer",
    "sweeps": "how fast sweeps are, and that killing them changes no result",
    "training": "which claims of the paper hold of networks that are trained on digits",
    "training_step": "what training on images costs over the bare descent of the same network",
    "verdicts": "how often verdicts on a training are right, and how early",
    "warm": "how long a call takes in a process that has made one like it",
}


def write_copies() -> None:
    """Write them all.

    Raises:
        ValueError: A report has no words that say what it measures, or the other way round.
    """
    folder = ROOT / "benchmarks"
    there = {path.stem for path in folder.glob("*.md")} - {"README"}
    if there != set(MEASURED):
        message = f"Each report must have its words in MEASURED: {there ^ set(MEASURED)}."
        raise ValueError(message)
    for name, what in MEASURED.items():
        write(f"benchmarks/{name}.md", _report(folder / f"{name}.md", what))
    for path in folder.glob("*.png"):
        _copy(path, DOCS / "benchmarks" / path.name)
    head = _site(folder / "README.md", "benchmarks/index.md")
    write("benchmarks/index.md", head + "\n" + contents(*MEASURED))
    write("design.md", _site(ROOT / "CONTRIBUTING.md", "design.md"))
    for name in FIGURES:
        write(f"gallery/{name}.md", _figure(name))
    cards = "\n".join(CARD.format(title=title, name=name) for name, (_, title) in FIGURES.items())
    write("gallery/index.md", GALLERY.format(cards) + contents(*FIGURES, hidden=True))


def _report(path: Path, what: str) -> str:
    """A report, which begins with what one can read in it and how to measure it anew."""
    title, _, rest = _site(path, f"benchmarks/{path.name}").partition("\n")
    head = f"Here you can read {what}; `benchmarks/{path.stem}.py` measures it on your machine."
    return f"{title}\n\n{head}\n{rest}"


def _figure(name: str) -> str:
    """A figure: its picture, caption and code."""
    module, title = FIGURES[name]
    stem = f"figure-{name}"
    _copy(ROOT / "figures" / f"{stem}.png", DOCS / "gallery" / f"{stem}.png")
    caption = (ROOT / "figures" / f"{stem}.txt").read_text(encoding="utf-8")
    caption = re.sub(r"([*_`$<\[\\])", r"\\\1", caption.removeprefix(f"{title}. "))
    path = ROOT / "eigendyn" / "show" / "paper" / Path(*module.split(".")).with_suffix(".py")
    code = path.read_text(encoding="utf-8")
    command = f"{name.removeprefix(OF_DEEP)} --networks deep" if name.startswith(OF_DEEP) else name
    first = f"With `eigendyn figures {command}` you draw this figure yourself, with its numbers."
    return (
        f"# {title}\n\n{first}\n\n![{title}]({stem}.png)\n\n{caption}\n\n"
        f":::{{dropdown}} The code\n```python\n{code}```\n:::\n"
    )


def _site(path: Path, page: str) -> str:
    """A page of the project, with links to pages of the site."""
    return site_links(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix(), page)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists() or target.read_bytes() != source.read_bytes():
        shutil.copyfile(source, target)
