"""Compute the eigenvalues at a fixed point, and judge its stability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.analysis.fixed_points.beside import stability_of, tendencies
from eigendyn.analysis.fixed_points.newton import (
    Dynamics,
    conserved_here,
    evaluate,
    gradient,
    rates_at,
)
from eigendyn.settings.states import STATES

ZERO = 1e-7  # an eigenvalue is a zero mode below this share of the largest, or of 1
NEWTONS = 4.0  # of Newton's steps by which a position may be off
ROUND_OFF = 8 * float(np.finfo(float).eps)
NEAR = 0.04  # share of the largest coordinate at which the growth of a vanishing one is looked at
DIVERGES = 1.5  # factor between growth rates, the one nearer to zero by half, that have no limit


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """A fixed point, or one of a continuum of fixed points.

    Args:
        x: Coordinates (coordinates,); on a continuum, of a point in its middle half, near to
            the window's centre.
        eigenvalues: Of the Jacobian (coordinates,), complex, largest real part first [1/time]; what
            is smaller than the error that the position's own error makes is zero.
        stability: "stable", "unstable" or "saddle", by the signs of the eigenvalues and, along zero
            modes that nothing explains, by the rates a little away; "half-stable" where those
            decay on one side and grow on the other, as where two fixed points merge; "neutral"
            where neither decides.
        zero_modes: Number of eigenvalues that vanish.
        explained: How many of these conserved quantities and a symmetry of scale explain.
        residual: Largest absolute rate at x.
        continuum: Lines between neighbours on the continuum (lines, 2, coordinates); none if the
            point is isolated.
    """

    x: NDArray
    eigenvalues: NDArray
    stability: str
    zero_modes: int
    explained: int
    residual: float
    continuum: NDArray = field(repr=False)

    @property
    def time_scales(self) -> NDArray:
        """1/|Re μ| of every eigenvalue (coordinates,); infinite for zero modes."""
        rates = np.abs(np.real(self.eigenvalues))
        zero = np.abs(self.eigenvalues) <= zero_size(self.eigenvalues)
        return np.divide(1.0, rates, out=np.full(len(rates), np.inf), where=~zero & (rates > 0))


def judge(
    system: Dynamics, x: ArrayLike, is_continuum: bool = False, **parameters: float
) -> FixedPoint:
    """Take the eigenvalues at a fixed point x (coordinates,), and say what they mean.

    Args:
        system: Rates of change.
        x: Coordinates (coordinates,).
        is_continuum: Whether it stands on a line of others, along which nothing moves.
        parameters: Numbers by name, in the place of the system's own.
    """
    x = np.asarray(x, float)
    rest = evaluate(system, x[None], parameters)
    jacobian = rest.jacobian[0]
    rough = rough_coordinates(system, x, jacobian, parameters)
    nearby = [] if rough.any() else _nearby(system, x, jacobian, parameters)
    eigenvalues, errors = _eigenvalues(jacobian, rough, nearby)
    zero = np.abs(eigenvalues) <= np.maximum(zero_size(eigenvalues), errors)
    rates = np.where(np.abs(np.real(eigenvalues)) <= errors, 0.0, np.real(eigenvalues))
    count = int(zero.sum())
    explained = min(count, _explained(system, x, jacobian, parameters))
    unexplained = count - max(explained, min(count, int(is_continuum)))
    look = unexplained > 0 and not rough.any() and np.isfinite(jacobian).all()
    sides = tendencies(system, x, jacobian, count, parameters) if look else ()
    return FixedPoint(
        x=x,
        eigenvalues=np.where(zero, 0.0, rates + 1j * np.imag(eigenvalues)),
        stability=stability_of(rates[~zero], unexplained, sides),
        zero_modes=count,
        explained=explained,
        residual=float(rest.residual[0]),
        continuum=np.empty((0, 2, len(x))),
    )


def is_odd(name: str) -> bool:
    """Whether a coordinate changes sign with its mode, s → −s."""
    state = name.rpartition("_")[0]
    return state in STATES and STATES[state].odd


def zero_size(eigenvalues: NDArray) -> float:
    """Size up to which an eigenvalue counts as a zero mode."""
    sizes = np.abs(eigenvalues)
    return ZERO * max(1.0, float(sizes[np.isfinite(sizes)].max(initial=0)))


def _nearby(
    system: Dynamics, x: NDArray, jacobian: NDArray, parameters: Mapping
) -> Sequence[NDArray]:
    """Jacobians where the fixed point may be instead, for what rates and their round-off tell.

    Where two roots nearly are one, Newton's step from beside them is half of the way to either, so
    that a few of these steps reach beyond. Coordinates that have vanished are exact.
    """
    if not np.isfinite(jacobian).all():
        return []
    left, sizes, right = np.linalg.svd(jacobian)
    round_off = ROUND_OFF * max(1.0, np.abs(x).max()) * max(1.0, np.abs(jacobian).max())
    off = np.abs(left.T @ rates_at(system, x[None], parameters)[0]) + round_off
    sure = sizes > zero_size(sizes)
    steps = NEWTONS * np.where(sure, off, 0.0) / np.where(sure, sizes, 1.0)
    shift = np.where(x == 0, 0.0, steps @ right)
    return list(evaluate(system, np.stack([x + shift, x - shift]), parameters).jacobian)


def _eigenvalues(
    jacobian: NDArray, rough: NDArray, nearby: Sequence[NDArray]
) -> tuple[NDArray, NDArray]:
    """Eigenvalues, largest real part first, and their errors: how they change to those nearby.

    They are ±∞ for coordinates that decay or grow at no rate. Such a coordinate is zero, and stays
    so: nothing else enters its row.
    """
    smooth = jacobian[np.ix_(~rough, ~rough)]
    infinite = np.copysign(np.inf, np.diag(jacobian)[rough])
    own, vectors = np.linalg.eig(smooth)
    inverse = np.linalg.pinv(vectors)
    changes = [np.abs(np.diag(inverse @ (one - jacobian) @ vectors)) for one in nearby]
    errors = np.max(np.nan_to_num(changes), axis=0) if len(changes) else np.zeros(len(own))
    values = np.concatenate([own, infinite]).astype(complex) + 0.0
    errors = np.concatenate([errors, np.zeros(len(infinite))])
    errors = np.maximum(errors, ROUND_OFF * np.abs(own).max(initial=0.0))
    order = np.lexsort((values.imag, -values.real))
    return values[order], errors[order]


def rough_coordinates(
    system: Dynamics, x: NDArray, jacobian: NDArray, parameters: Mapping[str, float]
) -> NDArray:
    """Which vanished singular values (coordinates,) have a growth rate that diverges at zero.

    Beside one other mode, a vanishing one under the isotropic cosine loss moves at a finite speed.
    """
    odd = np.array([is_odd(name) for name in system.names])
    rough = np.zeros(len(x), bool)
    vanished = np.flatnonzero(odd & (x == 0) & (np.abs(x).max(initial=0) > 0))
    if not len(vanished):
        return rough
    beside = NEAR * np.abs(x).max() * np.eye(len(x))[vanished]
    near, far = (
        np.diag(rates_at(system, x + k * beside, parameters)[:, vanished]) / (k * beside.max())
        for k in (1, 2)
    )
    own = np.diag(jacobian)[vanished]
    rough[vanished] = (np.abs(near) > DIVERGES * np.abs(far)) & (
        np.abs(own) > DIVERGES * np.abs(near)
    )
    return rough


def _explained(system: Dynamics, x: NDArray, jacobian: NDArray, parameters: Mapping) -> int:
    """Dimension of the zero modes that conserved quantities and symmetry of scale account for.

    Gradients of conserved quantities are left null vectors; where fixed points stay fixed as a
    state of all modes is scaled, that state is a right one. A left and a right vector that are not
    orthogonal explain the same mode.
    """
    size = zero_size(np.linalg.eigvals(jacobian)) * 10
    gradients = [
        gradient(quantity, x) for quantity in conserved_here(system, x[None], parameters).values()
    ]
    left = _independent(
        [g for g in gradients if np.abs(g @ jacobian).max() <= size * np.linalg.norm(g)], len(x)
    )
    right = _independent(_scalings(system, x, parameters), len(x))
    return sum(map(len, (left, right))) - int(np.linalg.matrix_rank(left @ right.T, tol=1e-6))


def _scalings(system: Dynamics, x: NDArray, parameters: Mapping) -> list[NDArray]:
    """Parts of x, state by state and in groups, along which scaled fixed points stay fixed."""
    states = [name.rpartition("_")[0] for name in system.names]
    parts = [np.where(np.equal(states, state), x, 0.0) for state in dict.fromkeys(states)]
    parts = [part for part in [*parts, x] if part.any()]
    if not parts:
        return []
    scaled = np.stack([x + c * part for part in parts for c in (-0.2, 0.3)])
    residual = evaluate(system, scaled, parameters).residual.reshape(-1, 2)
    return [part for part, off in zip(parts, residual, strict=True) if (off <= 1e-8).all()]


def _independent(vectors: list[NDArray], size: int) -> NDArray:
    """Orthonormal rows that span what the vectors span (rank, size)."""
    vectors = [v / np.linalg.norm(v) for v in vectors if np.linalg.norm(v) > 0]
    if not vectors:
        return np.empty((0, size))
    _, sizes, rows = np.linalg.svd(np.stack(vectors), full_matrices=False)
    return rows[sizes > 1e-6]
