"""A point at rest enters; its eigenvalues, and what they say of stability, leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.analysis.newton import Dynamics, conserved_here, evaluate, gradient, rates_at

ZERO = 1e-7  # an eigenvalue is a zero mode below this share of the largest, or of 1
ODD = ("singular_value", "target_value", "velocity")  # states that change sign with their mode
NEAR = 0.04  # share of the largest coordinate at which the growth of a vanishing one is looked at
DIVERGES = 1.5  # factor between growth rates, the one nearer to zero by half, that have no limit


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """A point where nothing moves, or one of a continuum of such points.

    Args:
        x: Coordinates (coordinates,); on a continuum, of a point in its middle half, near to
            the window's centre.
        eigenvalues: Of the Jacobian (coordinates,), complex, largest real part first [1/time].
        stability: By the eigenvalues that are not zero: "stable", "unstable" or "saddle"; "neutral"
            where none grows and there are zero modes that nothing explains, so that terms of
            higher order decide.
        zero_modes: Number of eigenvalues that vanish.
        explained: How many of these conserved quantities and a symmetry of scale explain.
        residual: Largest absolute rate at x.
        continuum: Lines between neighbours on the continuum (lines, 2, coordinates); none if the
            point stands alone.
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


def judge(system: Dynamics, x: ArrayLike, **parameters: float) -> FixedPoint:
    """Take the eigenvalues at a fixed point x (coordinates,), and say what they mean."""
    x = np.asarray(x, float)
    rest = evaluate(system, x[None], parameters)
    jacobian = rest.jacobian[0]
    eigenvalues = _eigenvalues(jacobian, rough_coordinates(system, x, jacobian, parameters))
    zero = np.abs(eigenvalues) <= zero_size(eigenvalues)
    explained = min(int(zero.sum()), _explained(system, x, jacobian, parameters))
    return FixedPoint(
        x=x,
        eigenvalues=eigenvalues,
        stability=stability_of(np.real(eigenvalues[~zero]), int(zero.sum()) - explained),
        zero_modes=int(zero.sum()),
        explained=explained,
        residual=float(rest.residual[0]),
        continuum=np.empty((0, 2, len(x))),
    )


def is_odd(name: str) -> bool:
    """Whether a coordinate changes sign with its mode, s → −s."""
    return name.rpartition("_")[0] in ODD


def zero_size(eigenvalues: NDArray) -> float:
    """Size up to which an eigenvalue counts as a zero mode."""
    sizes = np.abs(eigenvalues)
    return ZERO * max(1.0, float(sizes[np.isfinite(sizes)].max(initial=0)))


def _eigenvalues(jacobian: NDArray, rough: NDArray) -> NDArray:
    """Eigenvalues, largest real part first, and ±∞ for coordinates that decay or grow at no rate.

    Such a coordinate is zero, and stays so: nothing else enters its row.
    """
    smooth = jacobian[np.ix_(~rough, ~rough)]
    infinite = np.copysign(np.inf, np.diag(jacobian)[rough])
    values = np.concatenate([np.linalg.eigvals(smooth), infinite]).astype(complex) + 0.0
    return values[np.lexsort((values.imag, -values.real))]


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


def stability_of(rates: NDArray, unexplained: int) -> str:
    """Stability by the eigenvalues' real parts that are not zero, and the number of zero modes."""
    if (rates > 0).any():
        return "saddle" if (rates < 0).any() else "unstable"
    return "neutral" if unexplained else "stable"


def _explained(system: Dynamics, x: NDArray, jacobian: NDArray, parameters: Mapping) -> int:
    """Dimension of the zero modes that conserved quantities and symmetry of scale account for.

    Gradients of conserved quantities are left null vectors; where resting points stay at rest as a
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
    """Parts of x, state by state and in groups, that can be scaled at rest."""
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
