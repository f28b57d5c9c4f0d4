"""Make several figures, some at the same time, and write them to a folder.

What computes and draws is imported where it runs, so that processes start at once.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

# Made by one of two processes, which take as long; those of ten modes share compiled code.
FIRST_HALF = ("2b", "7", "8", "conservation", "recruitment")


def make_figures(
    names: list[str],
    folder: Path,
    *,
    kind: str = "png",
    descent: str = "none",
    force: bool = False,
    progress: bool = False,
) -> Iterator[tuple[str, dict[str, Path]]]:
    """Compute, draw and write figures; other arguments and errors are those of `make_figure`.

    Several figures without gradient descent are made in two processes, since compiling is most of
    the work and holds Python's lock too often for threads; a descent occupies all cores by itself.

    Returns:
        The name of each figure once it is done, with the paths written: picture, numbers, caption.
    """
    if descent == "none" and len(names) > 1:
        yield from _side_by_side(names, folder, kind, force, progress)
        return
    for name in names:
        yield name, make_figure(name, folder, kind, descent, force, progress)


def _side_by_side(
    names: list[str], folder: Path, kind: str, force: bool, progress: bool
) -> Iterator[tuple[str, dict[str, Path]]]:
    spawn = multiprocessing.get_context("spawn")  # a fork after JAX has started threads may hang
    with (
        ProcessPoolExecutor(1, spawn) as first,
        ProcessPoolExecutor(1, spawn) as second,
        tqdm(total=len(names), unit="figure", leave=False, disable=not progress) as bar,
    ):
        jobs = {
            (first if name in FIRST_HALF else second).submit(
                make_figure, name, folder, kind, "none", force
            ): name
            for name in names
        }
        for job in as_completed(jobs):
            bar.update()
            yield jobs[job], job.result()


def make_figure(*arguments: Any) -> dict[str, Path]:
    """As `figure.make_figure`."""
    from eigendyn.show.paper import figure

    return figure.make_figure(*arguments)
