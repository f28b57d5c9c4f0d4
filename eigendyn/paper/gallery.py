"""Names of figures and a folder enter; their pictures, numbers and captions leave as files."""

from __future__ import annotations

import multiprocessing
import textwrap
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib import import_module
from pathlib import Path
from types import ModuleType

import xarray
from tqdm.auto import tqdm

from eigendyn.paper import FIGURES, outputs
from eigendyn.paper.work import EFFORTS, Numbers, Work
from eigendyn.plot.picture import save_figure
from eigendyn.plot.style import style
from eigendyn.result import provenance
from eigendyn.store import save, write_atomically

WIDTH = 100  # of a caption's lines
SLOWEST = ("2a", "2b", "conservation")  # come first, so that no core waits for them at the end
PROCESSES = 2  # compiling is most of the work, and holds Python's lock too often for threads


def make_figures(
    names: list[str],
    folder: Path,
    *,
    kind: str = "png",
    descent: str = "none",
    force: bool = False,
    progress: bool = False,
) -> Iterator[tuple[str, dict[str, Path]]]:
    """Compute, draw and write figures.

    Several figures without gradient descent are made in processes of their own, side by side; a
    descent occupies all cores by itself.

    Args:
        names: Among `FIGURES`.
        folder: Where to write; it must exist.
        kind: Format of the pictures: png, pdf or svg.
        descent: One of `EFFORTS`: how much gradient descent is laid over the theory.
        force: Overwrite existing files.
        progress: Show progress on standard error.

    Returns:
        The name of each figure once it is done, with the paths written: picture, numbers, caption.

    Raises:
        OutputExists: A file exists and `force` is not set.
    """
    if EFFORTS[descent] is None and len(names) > 1:
        yield from _side_by_side(names, folder, kind, force, progress)
        return
    for name in names:
        yield name, make_figure(name, folder, kind, descent, force, progress)


def _side_by_side(
    names: list[str], folder: Path, kind: str, force: bool, progress: bool
) -> Iterator[tuple[str, dict[str, Path]]]:
    spawn = multiprocessing.get_context("spawn")  # a fork after JAX has started threads may hang
    with (
        ProcessPoolExecutor(PROCESSES, spawn) as pool,
        tqdm(total=len(names), unit="figure", leave=False, disable=not progress) as bar,
    ):
        jobs = {
            pool.submit(make_figure, name, folder, kind, "none", force): name
            for name in sorted(names, key=lambda name: name not in SLOWEST)
        }
        for job in as_completed(jobs):
            bar.update()
            yield jobs[job], job.result()


def make_figure(
    name: str, folder: Path, kind: str, descent: str, force: bool, progress: bool = False
) -> dict[str, Path]:
    """Compute, draw and write one figure; arguments and errors as `make_figures`."""
    parts = None
    if descent == "full":  # hours on a CPU: what is finished is kept
        parts = folder / "parts"
        parts.mkdir(exist_ok=True)
    page = import_module(f"eigendyn.paper.{FIGURES[name][0]}")
    work = Work(name, descents=EFFORTS[descent], progress=progress, parts=parts)
    paths = outputs(name, folder, kind)
    _write(name, page, page.numbers(work), paths, descent, force)
    return paths


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
    text = textwrap.fill(f"{title}. {caption}", WIDTH) + "\n"
    write_atomically(paths["caption"], force, lambda path: path.write_text(text, encoding="utf-8"))
