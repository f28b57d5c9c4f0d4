"""Align cells and named facts as lines of text, and make numbers that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from numpy.typing import NDArray


def aligned(rows: Sequence[Sequence[str]], left: int = 0) -> list[str]:
    """Lay out rows of cells in columns, the first `left` of them flush left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_cells(row, widths, left)).rstrip() for row in rows]


def _cells(row: Sequence[str], widths: Sequence[int], left: int) -> Iterable[str]:
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield f"{cell:<{width}}" if column < left else f"{cell:>{width}}"


def listed(facts: Iterable[tuple[str, str]]) -> list[str]:
    """Lay out named facts, one a line."""
    facts = list(facts)
    width = max(len(name) for name, _ in facts)
    return [f"{name:<{width}}  {fact}" for name, fact in facts]


def number(value: float) -> float | None:
    """A number, or None where JSON has none for it."""
    return float(value) if math.isfinite(value) else None


def numbers(values: NDArray) -> list[float | None]:
    """Numbers in order, None where JSON has none."""
    return [number(value) for value in values]
