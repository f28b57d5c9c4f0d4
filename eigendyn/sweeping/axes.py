"""Hold what is swept, axis by axis: values of one setting, of several tied ones, or a design."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.sweeping.ranges import Range

SAMPLE, START, VARIANCE = "sample", "start", "variance"  # axes that are no settings
Values = NDArray | tuple[str, ...]


@dataclass(frozen=True)
class Axis:
    """One axis of a sweep.

    Args:
        name: What the axis is called: the setting that changes along it, or the first of those
            that change together; "variance" of starts with one mode, "start" of whole ones, or
            "sample" of a design.
        columns: By setting, its values along the axis, numbers (points,) or names; of a design, the
            range that they are drawn from.
        size: How many points there are.
        draws: Of a design, which of the numbers that are drawn places each setting in its range.
        seed: Of the draw.
    """

    name: str
    columns: Mapping[str, Values | Range]
    size: int
    draws: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0

    @property
    def is_design(self) -> bool:
        """Whether its points are drawn, not listed."""
        return self.name == SAMPLE

    @property
    def is_text(self) -> bool:
        """Whether its values are names."""
        return any(isinstance(values, tuple) for values in self.columns.values())

    def at(self, some: slice) -> dict[str, Any]:
        """Values at some of the points, by setting."""
        if not self.is_design:
            return {name: values[some] for name, values in self.columns.items()}  # pyright: ignore[reportIndexIssue]
        shares = _sobol(1 + max(self.draws.values()), some.start, some.stop, self.seed)
        return {
            name: one.at(shares[:, self.draws[name]])
            for name, one in self.columns.items()
            if isinstance(one, Range)
        }

    def ends(self, name: str) -> tuple[Any, Any]:
        """Smallest and largest number of a setting."""
        values = self.columns[name]
        if isinstance(values, Range):
            return values.start, values.stop
        assert isinstance(values, np.ndarray)
        return values.min(), values.max()

    @property
    def told(self) -> dict[str, Any]:
        """What it is, in words and numbers that JSON can hold."""
        return {name: _told(values) for name, values in self.columns.items()} | (
            {"points": f"sobol:{self.size}", "seed": self.seed} if self.is_design else {}
        )


def _told(values: Values | Range) -> Any:
    if isinstance(values, Range):
        return str(values)
    if isinstance(values, tuple):
        return list(values)
    return told_numbers(values)


def told_numbers(values: NDArray) -> Any:
    """Numbers, or what tells many of them apart from others."""
    if values.size <= 16:
        return values.tolist()
    digest = hashlib.sha256(np.ascontiguousarray(values, float).tobytes()).hexdigest()[:16]
    return f"{values.size} numbers from {values.min():g} to {values.max():g}, {digest}"


def _sobol(numbers: int, first: int, end: int, seed: int) -> NDArray:
    """Points of a scrambled Sobol sequence (points, numbers), whatever others are drawn."""
    from scipy.stats import qmc

    drawn = qmc.Sobol(numbers, rng=np.random.default_rng(seed))
    if first:
        drawn.fast_forward(first)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a part of them is not balanced by itself
        return drawn.random(end - first)
