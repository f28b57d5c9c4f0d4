"""Say in one number how many dimensions a representation uses, by every definition in use.

Source: Garrido et al. 2023, RankMe; Roy & Vetterli 2007, effective rank; Agrawal et al. 2022,
α-ReQ; Thilak et al. 2023, LiDAR.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigendyn.recording.moments import Moments

FIRST, LAST, ENOUGH = (
    11,
    100,
    30,
)  # ranks of the power law, and dimensions below which all are taken
RIDGE = 1e-4  # added to the scatter within classes, as LiDAR's authors do


def entropy_rank(values: NDArray) -> float:
    """exp(−Σ p ln p) with p = x/Σx of numbers (modes,); what is negative is left out, 0 of none."""
    positive = values[values > 0]
    shares = positive / positive.sum()
    return float(np.exp(-(shares * np.log(shares)).sum())) if len(positive) else 0.0


def participation_ratio(values: NDArray) -> float:
    """(Σx)²/Σx² of numbers (modes,), 0 of nothing."""
    largest = values.max()
    if largest <= 0:
        return 0.0
    scaled = values / largest
    return float(scaled.sum() ** 2 / (scaled**2).sum())


def participation_less_sampling(values: NDArray, samples: int) -> float:
    r"""The participation ratio of the population that samples were drawn of.

    With n = samples − 1 and the sums t1 = Σλ, t2 = Σλ² of eigenvalues of a sample covariance,
    Gaussian samples have the unbiased estimates

        tr Σ²  ≈ n²/((n−1)(n+2)) (t2 − t1²/n),
        (tr Σ)² ≈ n/((n−1)(n+2)) ((n+1) t1² − 2 t2),

    since E t2 = tr Σ² (1 + 1/n) + (tr Σ)²/n and E t1² = (tr Σ)² + 2 tr Σ²/n. Without it 1/n stands
    below the inverse ratio, however many dimensions are used.

    Args:
        values: Eigenvalues (modes,).
        samples: How many samples they were taken of.
    """
    n = samples - 1
    if n < 2 or values.max() <= 0:
        return 0.0 if values.max() <= 0 else float("nan")
    scaled = values / values.max()
    t1, t2 = scaled.sum(), (scaled**2).sum()
    squares = n * (t2 - t1**2 / n)
    square = (n + 1) * t1**2 - 2 * t2
    return float(square / squares) if squares > 0 else float("inf")


def power_law(values: NDArray) -> float:
    """α of λ ∝ rank^−α (modes,), over the ranks named above; NaN where fewer than two are there."""
    ordered = np.sort(values)[::-1]
    start = FIRST if len(ordered) >= ENOUGH else 1
    ranks = np.arange(start, min(LAST, len(ordered)) + 1)
    chosen = ordered[ranks - 1]
    ranks, chosen = ranks[chosen > 0], chosen[chosen > 0]
    if len(ranks) < 2:
        return float("nan")
    slope, _ = np.polyfit(np.log(ranks), np.log(chosen), 1, w=ranks**-0.5)  # squared there
    return float(-slope)


def lidar(moments: Moments) -> float:
    """The entropy rank of a linear discriminant's eigenvalues; a class is one sample's views.

    Two views lie at ± (z1 − z2)/2 about their mean, so that Σw = E[(z1 − z2)(z1 − z2)ᵀ]/2 and Σb is
    the covariance of (z1 + z2)/2.
    """
    from scipy.linalg import cholesky, solve_triangular

    gap = moments.mean1 - moments.mean2
    whole = moments.first + moments.second
    share = (moments.samples - 1) / moments.samples  # the classes' own means take nothing away
    within = (share * (whole - 2 * moments.shared) + np.outer(gap, gap)) / 2
    between = (whole + 2 * moments.shared) / 4
    rounding = len(within) * np.finfo(np.float64).eps * np.trace(whole)  # of differences above
    within[np.diag_indices(len(within))] += RIDGE + rounding
    root = cholesky(within, lower=True)
    half = solve_triangular(root, between, lower=True)
    return entropy_rank(np.linalg.eigvalsh(solve_triangular(root, half.T, lower=True)))


def scalars(moments: Moments, variance: NDArray) -> dict[str, float]:
    """Every such number, by its name in a record.

    Args:
        moments: Of the batches.
        variance: Shared variance of the modes (modes,).
    """
    samples, first, mean = moments.samples, moments.first, moments.mean1
    centred = np.linalg.eigvalsh(first)
    squares = (samples - 1) * first + samples * np.outer(mean, mean)
    uncentred = np.linalg.eigvalsh(squares)
    rounding = len(uncentred) * np.finfo(np.float64).eps * uncentred[-1]
    singular = np.sqrt(np.where(uncentred > rounding, uncentred, 0))  # whose root is not small
    return {
        "rankme_of_uncentred_singular_values": entropy_rank(singular),
        "rankme_of_centred_eigenvalues": entropy_rank(centred),
        "effective_rank_of_shared_variance": entropy_rank(variance),
        "participation_ratio_of_centred_eigenvalues": participation_ratio(centred),
        "participation_ratio_less_sampling": participation_less_sampling(centred, samples),
        "alpha_req_of_centred_eigenvalues": power_law(centred),
        "lidar_of_two_views": lidar(moments),
        "deviation_of_normalised": moments.deviation,
    }
