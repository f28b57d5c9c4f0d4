"""Say how far samples alone scatter what is seen of a record: variances, shares, rank.

Errors are those that a log has measured over its pairs. Of records that have none they are those of
Gaussian samples whose modes scatter independently.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-300  # in the place of zero, whose logarithm is none
NORMAL = 1.4826  # standard deviation of a normal variable over its median absolute deviation


@dataclass(frozen=True)
class Errors:
    """Standard errors of logarithms.

    Args:
        least: Variance that samples do not tell from none: the standard error of v (modes, times).
        variance: Of v (modes, times).
        share: Of v/Σv (modes, times).
        total: Of Σv (times,).
        rank: Of the effective rank (times,).
        are_known: Whether they are those of samples; otherwise they are in units of that of a
            mode, the same for all.
    """

    least: NDArray
    variance: NDArray
    share: NDArray
    total: NDArray
    rank: NDArray
    are_known: bool

    def calibrated(self, logs: NDArray) -> Errors:
        """Those that recordings scatter by, which for fresh samples are the same.

        Recordings of the same inputs scatter less than those of fresh ones. Scatter is taken from
        second differences, so that what bends counts as scatter.

        Args:
            logs: ln v (modes, times) of modes that are told from noise, else not a number.
        """
        squares = self.variance**2
        expected = np.sqrt(squares[:, 2:] + 4 * squares[:, 1:-1] + squares[:, :-2])
        bends = np.abs(np.diff(logs, 2, axis=1))
        usable = np.isfinite(bends) & (expected > 0)
        factor = 1.0
        if usable.any():
            factor = float(np.median(bends[usable] / expected[usable])) * NORMAL
        factor = min(factor, 1.0) if self.are_known else factor
        return Errors(
            self.least,
            factor * self.variance,
            factor * self.share,
            factor * self.total,
            factor * self.rank,
            are_known=True,
        )


def sampling_errors(
    of: Callable[[str], NDArray],
    variance: NDArray,
    noise1: NDArray,
    noise2: NDArray,
    together: NDArray,
) -> Errors:
    """Errors of what is averaged over recordings.

    Of N Gaussian samples var(v)/v² = (c11 c22/v² + 1)/N.

    Args:
        of: A measure of the record by its name, averaged; not a number where it has none.
        variance: v (modes, times).
        noise1: Of the first view (modes, times).
        noise2: Of the second view.
        together: Recordings in each average (times,).
    """
    sums = np.maximum(variance.sum(axis=0), LEAST)
    shares = variance / sums
    rank = entropy(shares)

    def measured(name: str, whole: NDArray | float, otherwise: NDArray) -> NDArray:
        found = of(name) / np.sqrt(together) / whole
        return np.where(np.isfinite(found), found, otherwise)

    squares = (variance + noise1) * (variance + noise2) + variance**2
    least = np.nan_to_num(np.sqrt(squares / (of("samples") * together)))
    least = measured("variance_error", 1.0, least)
    are_known = bool((least > 0).any())
    own = least / np.maximum(variance, np.maximum(least, LEAST))
    own = own if are_known else np.ones_like(own)
    of_share = measured("share_error", 1.0, own * shares)
    tilt = shares * (np.log(np.where(shares > 0, shares, 1.0)) + rank)
    return Errors(
        least,
        own,
        of_share / np.maximum(shares, np.maximum(of_share, LEAST)),
        measured("shared_variance_error", sums, np.sqrt((shares**2 * own**2).sum(axis=0))),
        measured("effective_rank_error", np.exp(rank), np.sqrt((tilt**2 * own**2).sum(axis=0))),
        are_known,
    )


def noise_alone(
    of: Callable[[str], NDArray], noise1: NDArray, noise2: NDArray, together: NDArray
) -> NDArray:
    """Variance that noise alone pretends (times,).

    Eigenvalues of a cross-covariance of N samples of noises a1, a2 in M dimensions reach
    √(2 a1 a2 M/N).
    """
    size = np.sqrt(noise1 * noise2).mean(axis=0)
    return np.nan_to_num(size * np.sqrt(2 * len(noise1) / (of("samples") * together)))


def entropy(shares: NDArray) -> NDArray:
    """−Σ q ln q of shares (modes, times)."""
    return -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=0)
