"""Follow modes from one recording to the next by the overlap of their eigenvectors.

Sampling turns an eigenvector u_i by a squared angle of about Σ_j e_ij²/(v_i − v_j)², where e_ij is
the standard error of the covariance's element between both. Eigenvalues that are equal repel each
other in a sample: the square of their distance is 4 e² times a χ² of two degrees of freedom. Modes
whose eigenvectors are told apart so are followed by overlap, across crossings; those of the others
mean nothing, and these modes keep their order. A mode is known by the vector that it had when it
was last told apart, so that it is found again behind a crossing at which it was not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLEAR = 0.25  # squared overlap from which on two vectors may be of the same mode
TURNED = 0.5  # squared angle by which sampling may turn an eigenvector that is told apart
TOWARDS_ONE = 1 / 32  # the same towards any one other: equal ones look so in exp(−4), 2 % of cases
TIE = 1e-6  # of a squared overlap: order decides where overlaps do not


@dataclass(frozen=True)
class Followed:
    """Which eigenvector belongs to which mode.

    Args:
        places: Of every mode, the place of its eigenvector (modes,).
        overlap: |u·u| with the vector the mode was known by (modes,); of modes that are not told
            apart, with the space of all such. NaN at the first recording.
        known: Vectors that modes are known by from now on, in columns (dimensions, modes).
        crossings: Modes that changed their place in the order of variances.
    """

    places: NDArray
    overlap: NDArray
    known: NDArray
    crossings: int


def told_apart(
    variance: NDArray, whole1: NDArray, whole2: NDArray, samples: int
) -> NDArray[np.bool_]:
    """Whether samples are enough to tell the eigenvector of a mode (modes,).

    Args:
        variance: v, shared variance along eigenvectors (modes,).
        whole1: Variance of the first view along them (modes,).
        whole2: Variance of the second view.
        samples: How many pairs there are.
    """
    errors = np.outer(whole1, whole2)
    errors += errors.T + 2 * np.outer(variance, variance)
    errors /= 4 * samples  # squared, of elements off the diagonal, for Gaussian views
    gaps = (variance[:, None] - variance) ** 2
    np.fill_diagonal(gaps, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        turned = np.where(errors > 0, errors / gaps, 0)
    is_told = (turned.sum(axis=1) < TURNED) & (turned.max(axis=1) < TOWARDS_ONE)
    return is_told & (whole1 > 0) & (whole2 > 0)


def follow(vectors: NDArray, told: NDArray, known: NDArray | None, order: NDArray) -> Followed:
    """Find every mode among the eigenvectors of a recording.

    Args:
        vectors: Eigenvectors in columns, the largest variance first (dimensions, modes).
        told: Which of them are told apart (modes,).
        known: Vectors that modes are known by, in columns; None at the first recording.
        order: Place of every mode in the order of variances one recording before (modes,).
    """
    count = len(order)
    if known is None:
        return Followed(np.arange(count), np.full(count, np.nan), vectors.copy(), 0)
    from scipy.optimize import linear_sum_assignment

    squares = (known.T @ vectors) ** 2
    gain = np.where(told & (squares > CLEAR), squares, 0)
    gain -= TIE * ((order[:, None] - np.arange(count)) / count) ** 2
    _, places = linear_sum_assignment(gain, maximize=True)
    is_told = told[places]
    own = np.where(is_told, squares[np.arange(count), places], squares[:, ~told].sum(axis=1))
    renewed = np.where(is_told, vectors[:, places], known)
    crossings = int((places != order).sum())
    return Followed(places, np.sqrt(np.minimum(own, 1)), renewed, crossings)
