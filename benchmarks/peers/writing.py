"""Measure the limit: write values once, without computing them, from all cores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

PROBLEMS = ("E", "C")
THREADS = 2


def is_installed() -> bool:
    """NumPy always is."""
    return True


def solve(problem: str, starts: NDArray, times: NDArray, rtol: float, atol: float) -> NDArray:  # noqa: ARG001
    """Repeat the starts at every time (trajectories, modes, times)."""
    values = np.empty((*starts.shape, len(times)))
    flat, source = values.reshape(-1, len(times)), starts.reshape(-1, 1)
    cuts = np.linspace(0, len(flat), THREADS + 1).astype(int)

    def fill(part: int) -> None:
        piece = slice(cuts[part], cuts[part + 1])
        flat[piece] = source[piece]

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, range(THREADS)))
    return values
