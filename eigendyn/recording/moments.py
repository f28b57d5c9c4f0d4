"""Accumulate means and second moments of two views over batches, in float64."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigendyn.recording.sampling import LEAST

KEPT = 512  # pairs that are kept as they are, for standard errors of products


@dataclass(frozen=True)
class Moments:
    """Centred moments of a window of batches.

    Args:
        samples: How many pairs.
        mean1: E z1 (dimensions,).
        mean2: E z2 (dimensions,).
        first: C11, centred covariance of the first view (dimensions, dimensions).
        second: C22.
        shared: C12, the symmetric part of E[z1 z2ᵀ] centred.
        turning: Its antisymmetric part; None where it was not taken.
        some1: z1 of some pairs, less its mean (pairs, dimensions).
        some2: z2 of the same.
        deviation: Standard deviation of z1/‖z1‖, mean over dimensions, × √dimensions.
    """

    samples: int
    mean1: NDArray
    mean2: NDArray
    first: NDArray
    second: NDArray
    shared: NDArray
    turning: NDArray | None
    some1: NDArray
    some2: NDArray
    deviation: float


class Window:
    """Batches of one recording, as sums about a point among them.

    All is taken relative to the first pair, so that nothing cancels where means are much larger
    than spreads; a constant is zero exactly. Three products of a matrix with itself, which take
    half as long as others, give all: of x, of y, and of x + y, since its square is x², y² and twice
    the symmetric part of xy. Only a predictor that is not symmetric sees the other part; for it the
    product of x and y stands in the place of the third.

    Args:
        z1: Any batch of the first view (samples, dimensions).
        z2: The same of the second view.
        turns: Whether the antisymmetric part of E[z1 z2ᵀ] is taken too.
    """

    def __init__(self, z1: NDArray, z2: NDArray, turns: bool = False) -> None:
        dims = z1.shape[1]
        self.origin1, self.origin2 = z1[0].copy(), z2[0].copy()
        self.samples = 0
        self.sum1, self.sum2 = np.zeros(dims), np.zeros(dims)
        self.turns = turns
        self.squares = np.zeros((2, dims, dims))
        self.both = np.zeros((dims, dims))  # of x and y, or the square of x + y
        self.unit, self.unit_squares = np.zeros(dims), np.zeros(dims)
        self.kept: list[tuple[NDArray, NDArray]] = []

    def add(self, z1: NDArray, z2: NDArray) -> None:
        """Take in a batch (samples, dimensions)."""
        x, y = z1 - self.origin1, z2 - self.origin2
        self.samples += len(x)
        ones = np.ones(len(x))  # products with vectors sum in half the time
        self.sum1 += ones @ x
        self.sum2 += ones @ y
        if sum(len(pair[0]) for pair in self.kept) < KEPT:
            self.kept.append((x[:KEPT].copy(), y[:KEPT].copy()))
        squares = z1 * z1
        lengths = squares.sum(axis=1)
        inverse = 1 / np.where(lengths > LEAST, lengths, 1)
        self.unit += np.sqrt(inverse) @ z1
        self.unit_squares += inverse @ squares
        self.squares[0] += x.T @ x
        self.squares[1] += y.T @ y
        if self.turns:
            self.both += x.T @ y
        else:
            x += y
            self.both += x.T @ x

    def moments(self) -> Moments:
        """What all batches so far amount to; covariances are unbiased."""
        count = self.samples
        m1, m2 = self.sum1 / count, self.sum2 / count
        divisor = max(count - 1, 1)

        def centred(products: NDArray, one: NDArray, other: NDArray) -> NDArray:
            return (products - count * np.outer(one, other)) / divisor

        first, second = centred(self.squares[0], m1, m1), centred(self.squares[1], m2, m2)
        turning = None
        if self.turns:
            product = centred(self.both, m1, m2)
            shared, turning = (product + product.T) / 2, (product - product.T) / 2
        else:
            shared = (centred(self.both, m1 + m2, m1 + m2) - first - second) / 2
        spread = self.unit_squares / count - (self.unit / count) ** 2
        return Moments(
            samples=count,
            mean1=self.origin1 + m1,
            mean2=self.origin2 + m2,
            first=first,
            second=second,
            shared=shared,
            turning=turning,
            some1=np.concatenate([x for x, _ in self.kept]) - m1,
            some2=np.concatenate([y for _, y in self.kept]) - m2,
            deviation=float(np.sqrt(np.maximum(spread, 0)).mean() * np.sqrt(len(m1))),
        )
