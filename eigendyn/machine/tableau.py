"""Coefficients of explicit Runge–Kutta methods with an error estimate and a dense output."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

Row = tuple[float, ...]


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
        stable: h/τ of y' = −y/τ from which on stability may be what limits the step.
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

    def dense_weights(self, fraction: Any) -> tuple[Any, ...]:
        """Weights of all slopes in (y(t + θh) − y₀)/h, at a fraction θ of any kind of number."""
        return tuple(
            fraction * reduce(lambda total, c: total * fraction + c, reversed(column))
            for column in zip(*self.dense, strict=True)
        )
