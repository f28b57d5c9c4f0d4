"""Hold the coefficients of explicit Runge–Kutta methods with error and dense output."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

Row = tuple[float, ...]
Place = tuple[str, int, int]


@dataclass(frozen=True)
class Tableau:
    """One step y₁ = y₀ + h Σ b_j k_j, k_i = f(t + c_i h, y₀ + h Σ a_ij k_j), c_i = Σ a_ij.

    After the stages comes f(y₁): the last slope of this step and the first of the next.

    Args:
        stages: a_ij of the second stage and later ones.
        weights: b_j.
        errors: Weights of the slopes, f(y₁) included, in the estimates of the error over h. Two
            estimates e₁, e₂ are combined to e₁²/√(e₁² + e₂²/100).
        extra: a_ij of the slopes that only the dense output needs, after f(y₁).
        dense: Weights of all slopes in the coefficients of θ, θ², … of (y(t + θh) − y₀)/h.
        order: How the estimate of the error falls with the step: h^order.
        growth: By how much the next step may be longer.
        stable: Longest step over τ of y' = −y/τ with which every stage decays.
    """

    stages: tuple[Row, ...]
    weights: Row
    errors: tuple[Row, ...]
    extra: tuple[Row, ...]
    dense: tuple[Row, ...]
    order: int
    growth: float
    stable: float

    @property
    def slopes(self) -> int:
        """Slopes of a step, those for the dense output included."""
        return len(self.stages) + 2 + len(self.extra)

    @property
    def last(self) -> int:
        """Position of f(y₁) among the slopes."""
        return len(self.stages) + 1

    @property
    def fractions(self) -> Row:
        """c_i of the second stage and later ones, and of f(y₁)."""
        return tuple(sum(row) for row in (*self.stages, self.weights))

    @property
    def bends(self) -> tuple[Row, ...]:
        """What the dense output adds to Hermite's cubic of both ends, over h θ² (1 − θ)².

        Weights of all slopes in the coefficients of 1, θ, …
        """
        ends = np.eye(self.slopes)
        first, last = ends[0], ends[self.last]
        total = np.pad(self.weights, (0, self.slopes - len(self.weights)))
        rest = np.array(self.dense)
        rest[:3] -= first, 3 * total - 2 * first - last, first + last - 2 * total
        found = [rest[1], rest[2] + 2 * rest[1]]
        for row in rest[3:]:
            found.append(row + 2 * found[-1] - found[-2])
        return tuple(tuple(map(float, row)) for row in found[: len(rest) - 3])

    def dense_weights(self, fraction: Any) -> tuple[Any, ...]:
        """Weights of all slopes in (y(t + θh) − y₀)/h, at a fraction θ of any kind of number."""
        return tuple(
            fraction * reduce(lambda total, c: total * fraction + c, reversed(column))
            for column in zip(*self.dense, strict=True)
        )


def coefficients(tableau: Tableau) -> dict[Place, float]:
    """All numbers of a method that are not zero: name of the rows, row, column."""
    advances = (*tableau.stages, tableau.weights)
    rows = {
        "stage": advances,
        "extra": tableau.extra,
        "error": tableau.errors,
        "bend": tableau.bends,
        "fraction": ([sum(row) for row in (*advances, *tableau.extra)],),
        "control": ((-1 / tableau.order, tableau.growth, tableau.stable),),
    }
    return {
        (name, i, j): value
        for name, several in rows.items()
        for i, row in enumerate(several)
        for j, value in enumerate(row)
        if value
    }


def places(methods: tuple[Tableau, Tableau]) -> dict[Place, int]:
    """Where the numbers of a lane's method stand in the workspace."""
    known = sorted({place for method in methods for place in coefficients(method)})
    return {place: index for index, place in enumerate(known)}
