"""Time a move of the explorer in Jupyter: from the slider's value to the picture for the browser.

    python benchmarks/explorer.py

A move computes field, nullclines and three trajectories, draws what has changed, and encodes the
picture. The weight decay goes through its range, so that trajectories that grow stiff are among
them; the first move of each loss, which compiles, is stated by itself. Beside it, what drawing and
encoding the whole figure anew takes. Writes benchmarks/explorer.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import described
from numpy.typing import NDArray

import eigendyn

MOVES = 40
ASKED = 100  # ms
SYSTEMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("cosine", {}),
    ("cosine", {"closure": "mean-field"}),
    ("iso-cosine", {}),
    ("euclidean", {}),
    ("euclidean", {"predictor": "learned"}),
    ("euclidean", {"target": "ema"}),
)
PACKAGES = ("numpy", "jax", "matplotlib", "ipympl", "ipywidgets", "llvmlite")


def milliseconds(act: Callable[[], Any]) -> float:
    """Time of one call."""
    start = time.perf_counter()
    act()
    return 1e3 * (time.perf_counter() - start)


def moves(loss: str, settings: dict[str, Any]) -> tuple[float, NDArray, float]:
    """Time of the first move, of all others (moves,), and of a drawing of all [ms]."""
    explorer = eigendyn.explore(loss, **settings)
    canvas = explorer.figure.canvas
    canvas.draw()
    canvas.draw_idle = canvas.draw  # a browser asks for it at once

    def move(value: float) -> None:
        explorer.set("weight_decay", value)
        canvas.get_diff_image()

    def whole() -> None:
        canvas.draw()
        canvas.get_diff_image()

    values = np.linspace(0.01, explorer.controls["weight_decay"].high, MOVES)
    first = milliseconds(lambda: move(values[-1]))
    times = [milliseconds(lambda value=value: move(value)) for value in values]
    return first, np.array(times), float(np.median([milliseconds(whole) for _ in range(9)]))


def main() -> None:
    """Measure, print and write."""
    rows = []
    for loss, settings in SYSTEMS:
        first, times, whole = moves(loss, settings)
        named = ", ".join([loss, *(f"{name} {value}" for name, value in settings.items())])
        spread = f"{np.median(times):.0f} | {np.quantile(times, 0.9):.0f} | {times.max():.0f}"
        rows.append(f"| {named} | {spread} | {whole:.0f} | {first:.0f} |")
    text = "\n".join(
        [
            "# A move of the explorer in Jupyter",
            "",
            f"Milliseconds of {MOVES} moves of the weight decay; {ASKED} are what a hand feels.",
            "",
            "| system | median | nine of ten | longest | drawing all anew | first move |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            described(PACKAGES),
        ]
    )
    print(text)
    Path(__file__).with_suffix(".md").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
