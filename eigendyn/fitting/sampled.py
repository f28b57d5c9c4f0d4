"""Draw what recordings would read of modes: with errors, and pushed apart by one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST = np.log(1e-12)  # of the share of its variance that a mode is read by, at least


def sampled(
    log_variance: NDArray, error: NDArray, are_eigenvalues: bool, rng: np.random.Generator
) -> NDArray:
    r"""Draw recorded ln v (lanes, modes, times) of true ones.

    What is recorded are eigenvalues of a sample's covariance, √v (1 + E) √v with a symmetric E of
    independent Gaussian elements: E_ii has the relative error ρ_i, E_ij the variance ρ_i ρ_j/2.
    They keep the order of the modes. Where a lane has left what numbers can hold, nothing is read.

    Args:
        log_variance: ln v (lanes, modes, times).
        error: Relative errors ρ of one recording (lanes, modes).
        are_eigenvalues: Whether samples were too few to tell eigenvectors; else every mode is read
            by itself.
        rng: What draws them.

    Source: Anderson 1963, Ann. Math. Statist. 34, 122, the limit of many samples.
    """
    x = np.moveaxis(log_variance, 1, 2)  # (lanes, times, modes)
    lasts = np.isfinite(x).all(axis=2, keepdims=True)
    x = np.where(lasts, x, 0.0)
    rho = np.broadcast_to(error[:, None], x.shape)
    if not are_eigenvalues:
        found = x + rho * rng.normal(size=x.shape)
        return np.moveaxis(np.where(lasts, found, np.nan), 2, 1)
    drawn = rng.normal(size=(*x.shape, x.shape[2])) / 2
    drawn = drawn + np.swapaxes(drawn, 2, 3)  # of variance 1/2, and 1 on the diagonal
    largest = x.max(axis=2, keepdims=True)
    root = np.exp((x - largest) / 2)
    elements = (root * np.sqrt(rho))[..., None] * (root * np.sqrt(rho))[..., None, :] * drawn
    elements[..., np.arange(x.shape[2]), np.arange(x.shape[2])] += root**2
    values = np.linalg.eigvalsh(elements)
    order = np.argsort(x, axis=2)
    found = np.empty_like(x)
    np.put_along_axis(found, order, values, axis=2)
    with np.errstate(divide="ignore"):
        found = np.log(np.maximum(found, 0.0))
    found = np.maximum(found + largest, x + LEAST) + rho**2 / 2
    return np.moveaxis(np.where(lasts, found, np.nan), 2, 1)
