"""Make one figure: compute it, draw it, write picture, numbers and caption."""

from __future__ import annotations

import textwrap
from importlib import import_module
from pathlib import Path
from types import ModuleType

import xarray

from eigendyn.results.files import save, write_atomically
from eigendyn.results.provenance import provenance
from eigendyn.show.paper import FIGURES, outputs
from eigendyn.show.paper.work import EFFORTS, Numbers, Work
from eigendyn.show.plot.picture import save_figure
from eigendyn.show.plot.style import style

WIDTH = 100  # of a caption's lines


def make_figure(
    name: str, folder: Path, kind: str, descent: str, force: bool, progress: bool = False
) -> dict[str, Path]:
    """Compute, draw and write one figure.

    Args:
        name: One of `FIGURES`.
        folder: Where to write; it must exist.
        kind: Format of the picture: png, pdf or svg.
        descent: One of `EFFORTS`: how much gradient descent is laid over the theory.
        force: Overwrite existing files.
        progress: Show progress on standard error.

    Returns:
        The paths written: picture, numbers, caption.

    Raises:
        OutputExists: A file exists and `force` is not set.
    """
    parts = None
    if descent == "full":  # hours on a CPU: what is finished is kept
        parts = folder / "parts"
        parts.mkdir(exist_ok=True)
    page = _page(name)
    work = Work(name, EFFORTS[descent], descent, progress=progress, parts=parts)
    paths = outputs(name, folder, kind)
    _write(name, page, page.numbers(work), paths, descent, force)
    return paths


def is_figure(result: xarray.Dataset | xarray.DataTree) -> bool:
    """Whether a result is the numbers of a figure, as `make_figure` writes them."""
    return "caption" in result.attrs and _named(str(result.attrs["title"])) is not None


def draw_again(tree: xarray.DataTree, path: Path, force: bool) -> None:
    """Draw a figure from its numbers, as `save_figure` writes it: nothing is computed again."""
    name = _named(str(tree.attrs["title"]))
    assert name is not None
    numbers = {
        node.path.removeprefix("/"): node.to_dataset(inherit=False)
        for node in tree.subtree
        if node.data_vars
    }
    with style():
        save_figure(_page(name).draw(numbers), path, force)


def _named(title: str) -> str | None:
    """The figure of a title."""
    return next((name for name, (_, other) in FIGURES.items() if other == title), None)


def _page(name: str) -> ModuleType:
    return import_module(f"eigendyn.show.paper.{FIGURES[name][0]}")


def _write(
    name: str,
    page: ModuleType,
    numbers: Numbers,
    paths: dict[str, Path],
    descent: str,
    force: bool,
) -> None:
    """Draw a figure, and write it with its numbers and caption."""
    title, caption = FIGURES[name][1], page.caption(numbers)
    told = {"title": title, "caption": caption, "descent": descent}
    root = xarray.Dataset(attrs=told | provenance("cpu", "float64"))
    tree = xarray.DataTree.from_dict({"/": root} | numbers)
    with style():
        save_figure(page.draw(numbers), paths["picture"], force)
    save(tree, paths["numbers"], force)
    text = textwrap.fill(f"{title}. {caption}", WIDTH, break_on_hyphens=False) + "\n"
    write_atomically(paths["caption"], force, lambda path: path.write_text(text, encoding="utf-8"))
