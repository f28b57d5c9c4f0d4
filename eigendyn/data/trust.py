"""Say how far aligned modes can be trusted on data whose noise mixes components."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def end_gap(covariance_12: NDArray, covariance_11: NDArray, components: NDArray) -> NDArray:
    r"""By what share aligned modes end too low, the k-th largest of them for each k.

    An aligned mode ends with the eigenvalue d/(d + a1) of its component q, the share of signal in
    what the first view has along q. Of all directions w it is wᵀΣ₁₂w/(wᵀΣ₁₁w), and noise off the
    diagonal lets an encoder turn to directions with a larger share: the weights are at rest where
    Σ₁₂ w = λ Σ₁₁ w, so that in the long run the largest eigenvalues λ of this pair are reached.

        gap_k = 1 − (k-th largest d/(d + a1)) / (k-th largest λ)

    It is zero if all noise is on the diagonal. End values of aligned modes are too low by this
    share, for Euclidean losses, plain and isotropic, with the clean correlation, α = 1 and no
    decay. Recruitment times are off by a part of it. Under the plain loss noise is of second order
    in small eigenvalues, d λ − (d + a1) λ², and hardly matters before they have grown: times are
    too early by an eighth of the gap for the first components of handwritten digits under shifts of
    a pixel, and by at most half in the tests, where misalignment is varied. Under the isotropic
    loss it is by up to three quarters of the gap on these digits. The first gap is never negative;
    later ones may be, where a large share is traded for others.

    Args:
        covariance_12: Σ₁₂ (inputs, inputs), symmetric.
        covariance_11: Σ₁₁, likewise.
        components: Eigenvectors of Σ₁₂, one a row (components, inputs).

    Returns:
        Gaps (components,), zero where there is no signal.
    """
    variances, vectors = np.linalg.eigh(covariance_11)
    seen = variances > np.finfo(float).eps * len(variances) * variances[-1]
    whitening = vectors[:, seen] / np.sqrt(variances[seen])
    best = np.zeros(len(components))
    best[: seen.sum()] = np.linalg.eigvalsh(whitening.T @ covariance_12 @ whitening)[::-1]
    signal, whole = (
        np.einsum("ci,ij,cj->c", components, matrix, components, optimize=True)
        for matrix in (covariance_12, covariance_11)
    )
    floor = np.finfo(float).eps * len(signal) * np.abs(whole).max()
    own = np.sort(np.divide(signal, whole, out=np.zeros(len(signal)), where=whole > floor))[::-1]
    has_signal = own > len(own) * np.finfo(float).eps
    return np.where(has_signal, 1 - own / np.where(has_signal, best, 1), 0.0)
