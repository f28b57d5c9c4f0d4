"""Set up the equations of a branch of fixed points, and read eigenvalues along it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from eigendyn.analysis.bifurcations.arclength import Spot, correct
from eigendyn.analysis.bifurcations.family import Family, vanished_modes
from eigendyn.analysis.fixed_points.beside import stability_of
from eigendyn.analysis.fixed_points.linearisation import rough_coordinates, zero_size

ROUND_OFF = 1e-5  # of the size of zero modes, up to which an eigenvalue's sign means nothing
ALIVE = ""  # name of the block of all modes that have not vanished


@dataclass(frozen=True, eq=False)
class Reading:
    """A point of a branch, and what its Jacobian says.

    Args:
        spot: The point as an unknown of the curve.
        x: Coordinates (coordinates,).
        value: The parameter.
        blocks: Eigenvalues of the modes that are alive, without those that conserved quantities
            explain, and of every vanished mode by its name: with a vanished mode's sign its rates
            change theirs, so that nothing couples it to the others.
        eigenvalues: All of them (coordinates,), largest real part first.
        stability: As that of a `FixedPoint`, by its eigenvalues alone: "neutral" where one is zero.
    """

    spot: Spot
    x: NDArray
    value: float
    blocks: Mapping[str, NDArray]
    eigenvalues: NDArray
    stability: str

    @property
    def growing(self) -> dict[str, int]:
        """Number of growing eigenvalues of every block."""
        return {
            name: int((np.real(values) > ROUND_OFF * zero_size(values)).sum())
            for name, values in self.blocks.items()
        }


@dataclass(frozen=True, eq=False)
class Curve:
    """A branch as a curve of y = (x/size, μ/range), without the coordinates that have vanished.

    Args:
        family: Rates of change.
        size: Unit of the coordinates (coordinates,).
        free: Indices of the coordinates that move.
        vanished: Coordinates of vanished modes, by mode.
        rough: Which coordinates (coordinates,) grow or decay at no finite rate.
        kept: Values of the conserved quantities (levels,).
        tolerance: Largest rate at a fixed point.
    """

    family: Family
    size: NDArray
    free: NDArray
    vanished: Mapping[str, NDArray]
    rough: NDArray
    kept: NDArray
    tolerance: float
    span: float = field(init=False)

    def __post_init__(self) -> None:
        """Keep the width of the parameter's range."""
        object.__setattr__(self, "span", self.family.high - self.family.low)

    def point(self, y: NDArray) -> tuple[NDArray, float]:
        """Coordinates (coordinates,) and parameter."""
        x = np.zeros(len(self.size))
        x[self.free] = y[:-1] * self.size[self.free]
        return x, float(y[-1] * self.span)

    def unknowns(self, x: NDArray, value: float) -> NDArray:
        """The same as unknowns of the curve (free + 1,)."""
        return np.append((x / self.size)[self.free], value / self.span)

    def equations(self, y: NDArray) -> tuple[NDArray, NDArray]:
        """Rates that may not vanish by themselves, what is kept, and their Jacobian."""
        rates, by_x, by_value = self.family.linearise(*self.point(y))
        coordinates = len(self.size)
        rows = np.concatenate([self.free, np.arange(coordinates, len(rates))])
        residual = rates - np.append(np.zeros(coordinates), self.kept)
        jacobian = np.column_stack(
            [by_x[:, self.free] * self.size[self.free], by_value * self.span]
        )
        return residual[rows], jacobian[rows]

    def axis(self, coordinate: int | None = None) -> NDArray:
        """Unit vector of a coordinate, or of the parameter."""
        place = -1 if coordinate is None else int(np.flatnonzero(self.free == coordinate)[0])
        return np.eye(len(self.free) + 1)[place]

    def correct(self, guess: NDArray, normal: NDArray, along: NDArray) -> Reading | None:
        """Bring a guess onto the curve, across a normal, and read its Jacobian."""
        return self.read(correct(self.equations, guess, normal, along, self.tolerance))

    def at_parameter(self, x: NDArray, value: float) -> Reading | None:
        """Take coordinates to the fixed point at a parameter."""
        axis = self.axis()
        return self.correct(self.unknowns(x, value), axis, axis)

    def read(self, spot: Spot | None) -> Reading | None:
        """Take the eigenvalues at a point; None where they have no value."""
        if spot is None:
            return None
        x, value = self.point(spot.y)
        jacobian = self.family.linearise(x, value)[1][: len(x)]
        alive = _eigenvalues(jacobian, self.free)
        explained = np.argsort(np.abs(alive))[: len(self.kept)]
        blocks = {ALIVE: np.delete(alive, explained)}
        for mode, at in self.vanished.items():
            if self.rough[at].any():
                blocks[mode] = np.copysign(np.inf, np.diag(jacobian)[at]).astype(complex)
            else:
                blocks[mode] = _eigenvalues(jacobian, at)
        found = np.concatenate(list(blocks.values()))
        if np.isnan(found).any():
            return None
        zero = np.abs(found) <= zero_size(found)
        everything = np.concatenate([found, alive[explained]])
        order = np.lexsort((np.imag(everything), -np.real(everything)))
        rates = np.real(found)
        rates = np.where(np.abs(rates) <= ROUND_OFF * zero_size(found), 0.0, rates)
        stability = stability_of(rates[~zero], int(zero.sum()))
        return Reading(spot, x, value, blocks, everything[order], stability)


def curve_through(
    family: Family, x: NDArray, value: float, size: NDArray, tolerance: float
) -> Curve:
    """Set up the equations of the branch through a fixed point (coordinates,) at μ.

    Modes that have vanished stay so, and conserved quantities keep their values.
    """
    vanished = vanished_modes(family.system.names, x)
    gone = np.concatenate([np.empty(0, int), *vanished.values()])
    rates, jacobian, _ = family.linearise(x, value)
    return Curve(
        family=family,
        size=size,
        free=np.setdiff1d(np.arange(len(x)), gone),
        vanished=vanished,
        rough=rough_coordinates(family.system, x, jacobian[: len(x)], family.at(value)),
        kept=rates[len(x) :],
        tolerance=tolerance,
    )


def stands_alone(curve: Curve, reading: Reading) -> bool:
    """Whether a fixed point is isolated, at its parameter and on its levels."""
    _, jacobian = curve.equations(reading.spot.y)
    sizes = np.linalg.svd(jacobian[:, :-1], compute_uv=False)
    return len(sizes) == 0 or bool(sizes.min() > zero_size(sizes))


def _eigenvalues(jacobian: NDArray, at: NDArray) -> NDArray:
    block = jacobian[np.ix_(at, at)]
    if not np.isfinite(block).all():
        return np.full(len(at), np.nan, complex)
    return np.linalg.eigvals(block).astype(complex) + 0.0
