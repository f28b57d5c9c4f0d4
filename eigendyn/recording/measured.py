"""Turn the moments of a window of batches into what a record holds of one time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.recording.following import follow, told_apart
from eigendyn.recording.moments import Moments
from eigendyn.recording.ranks import scalars


@dataclass(frozen=True)
class Modes:
    """What modes are known by, between recordings.

    Args:
        known: Eigenvectors in columns (dimensions, modes).
        order: Place of every mode in the order of variances (modes,).
    """

    known: NDArray
    order: NDArray


ROUNDING = 1e-6  # of float32, in which most predictors are

Row = dict[str, NDArray | float]  # by name, arrays (modes,) and numbers


def measure(moments: Moments, predictor: NDArray | None, before: Modes | None) -> tuple[Row, Modes]:
    """Measure every mode.

    Args:
        moments: Of the window.
        predictor: W_P (dimensions, dimensions), z @ W_P; None where there is none.
        before: What modes are known by; None at the first recording.

    Returns:
        Measures, by the names of a record; and what modes are known by from now on.
    """
    values, vectors = np.linalg.eigh(moments.shared)
    values, vectors = values[::-1], vectors[:, ::-1]
    whole1 = _along(moments.first, vectors)
    whole2 = _along(moments.second, vectors)
    told = told_apart(values, whole1, whole2, moments.samples)
    order = np.arange(len(values)) if before is None else before.order
    found = follow(vectors, told, None if before is None else before.known, order)
    whole = (whole1 + whole2) / 2
    history: dict[str, NDArray] = {
        "variance": values,
        "noise1": whole1 - values,
        "noise2": whole2 - values,
        "signal_share": np.divide(values, whole, out=np.zeros_like(values), where=whole > 0),
    }
    errors = _of_sampling(moments, values, vectors)
    history |= {name: errors.pop(name) for name in ("variance_error", "share_error")}
    if predictor is not None:
        history |= _of_predictor(predictor, values, vectors, moments)
    row: Row = {name: one[found.places] for name, one in history.items()}
    row |= {"overlap": found.overlap, "crossings": float(found.crossings)}
    row |= {
        "samples": float(moments.samples),
        "dimensions_per_sample": len(values) / moments.samples,
        "total_variance": float(np.trace(moments.first)),
        "noise_floor": noise_floor(values, whole1 - values, whole2 - values, moments.samples),
        "told_apart": float(told.sum()),
    }
    row |= errors
    row |= _of_means(moments, predictor)
    row |= scalars(moments, values)
    return row, Modes(found.known, found.places)


def is_asymmetric(predictor: NDArray) -> bool:
    """Whether a predictor (dimensions, dimensions) differs from its transpose beyond rounding."""
    return bool(np.linalg.norm(predictor - predictor.T) > ROUNDING * np.linalg.norm(predictor))


def noise_floor(variance: NDArray, noise1: NDArray, noise2: NDArray, samples: int) -> float:
    r"""Shared variance up to which sampling alone makes modes.

    Where two views share nothing and have the variances a and b along d dimensions, elements of C12
    have the variance ab/(2N) and its eigenvalues fill a semicircle of radius √(2 d ab/N). Modes
    whose noises differ have the radius √(max_m (a_m Σb + b_m Σa)/N) at most. Of the smallest modes,
    as many as lie within the radius of their own noise are taken to be nothing else.

    Args:
        variance: v (modes,), largest first.
        noise1: Noise of the first view (modes,).
        noise2: Noise of the second view.
        samples: N, how many pairs.

    Source: Wigner 1958, the semicircle; its edge for unequal variances is bounded by the largest
    sum over a row.
    """
    a, b = np.maximum(noise1[::-1], 0), np.maximum(noise2[::-1], 0)
    sums_a, sums_b = a.cumsum(), b.cumsum()
    largest_a, largest_b = np.maximum.accumulate(a), np.maximum.accumulate(b)
    radius = np.sqrt((largest_a * sums_b + largest_b * sums_a) / samples)
    inside = np.flatnonzero(variance[::-1] <= radius)
    return float(radius[inside[-1]]) if len(inside) else 0.0


def _along(matrix: NDArray, vectors: NDArray) -> NDArray:
    return np.einsum("dm,dm->m", matrix @ vectors, vectors)


def _of_sampling(moments: Moments, values: NDArray, vectors: NDArray) -> dict[str, Any]:
    """Standard errors of v, of Σv, of the shares q = v/Σv and of exp(−Σ q ln q).

    Each is the spread over pairs of what one pair adds, to first order: δq = (δv − q Σδv)/Σv, and
    δ ln rank = −Σ ln q δq. Modes of real networks scatter together, and wider than Gaussian ones.
    """
    products = (moments.some1 @ vectors) * (moments.some2 @ vectors)  # (pairs, modes)
    products -= products.mean(axis=0)
    sums, own = products.sum(axis=1), np.maximum(values, 0)
    whole = float(own.sum())  # 0 where no mode has a variance: then nothing is shared out
    shares = own / whole if whole > 0 else np.zeros_like(own)
    of_shares = products - sums[:, None] * shares
    of_shares = of_shares / whole if whole > 0 else np.zeros_like(products)
    logs = np.log(np.where(shares > 0, shares, 1.0))
    of_rank = of_shares @ logs * np.exp(-(shares @ logs))
    parts = (products, of_shares, sums, of_rank)
    names = ("variance_error", "share_error", "shared_variance_error", "effective_rank_error")
    root = np.sqrt(moments.samples)
    return {name: one.std(axis=0) / root for name, one in zip(names, parts, strict=True)}


def _of_predictor(
    predictor: NDArray, values: NDArray, vectors: NDArray, moments: Moments
) -> dict[str, NDArray]:
    """λ, what is mixed in, and the commutator of every mode, whose squares sum to the matrices'.

    In the eigenbasis of C12 an element of W_P C12 − C12 W_P is P_km (v_m − v_k).
    """
    inside = vectors.T @ predictor @ vectors
    size = np.linalg.norm(predictor) * np.linalg.norm(values)
    lengths = np.linalg.norm(inside * (values - values[:, None]), axis=0)
    eigenvalue, predicts = np.diagonal(inside).copy(), predictor @ vectors
    whole, own = _along(moments.first, predicts), _along(moments.first, vectors)
    found = {
        "predictor_eigenvalue": eigenvalue,
        "mixed_variance": whole - eigenvalue**2 * own,
        "commutator": lengths / size if size > 0 else np.zeros_like(lengths),
    }
    if moments.turning is not None:
        found["mixed_shared"] = (predicts * (moments.turning @ vectors)).sum(axis=0)
    return found


def _of_means(moments: Moments, predictor: NDArray | None) -> Row:
    """The mean as a mode of its own."""
    m1, m2 = moments.mean1, moments.mean2
    square = float(m1 @ m1)
    share = (moments.samples - 1) / moments.samples
    whole = square + share * float(np.trace(moments.first))
    row: Row = {
        "mean_first": square,
        "mean_second": float(m2 @ m2),
        "mean_shared": float(m1 @ m2),
        "mean_share": square / whole if whole > 0 else 1.0,
    }
    if predictor is not None:
        predicted = m1 @ predictor
        row |= {
            "mean_predictor": float(predicted @ m1) / square if square > 0 else 0.0,
            "mean_predicted": float(predicted @ predicted),
            "mean_predicted_shared": float(predicted @ m2),
        }
    return row
