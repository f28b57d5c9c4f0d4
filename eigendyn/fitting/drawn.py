"""Draw numbers that are about as likely as the likeliest ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.search import Found
from eigendyn.fitting.told import loosely_known

DRAWN = 63  # sets of numbers beside the likeliest
PROPOSED = 4 * (DRAWN + 1)  # sets that these are taken of
ROUNDING = 1e-12  # of the largest eigenvalue of a precision
WIDER = 1.3  # times their uncertainty, that sets are proposed by


def drawn(found: Found, rng: np.random.Generator) -> NDArray:
    """Give the likeliest coordinates, and others as they are likely (1 + DRAWN, numbers).

    Sets are proposed by the parabola at the optimum, within the box; of these, sets are taken by
    how likely each is beside how often it is proposed. A number that the record does not tell lies
    within a change that counts as large.

    Args:
        found: The fit.
        rng: What draws them.

    Source: Rubin 1988, Bayesian Statistics 3, 395, sampling with importance, then again.
    """
    best, likelihood = found.optimum, found.likelihood
    free = np.flatnonzero(found.candidate.free)
    loose = loosely_known(best.place, free)
    precision = best.local.information[np.ix_(free, free)] + loose
    root = WIDER * _root_of_inverse(precision)
    ways = rng.normal(size=(8 * PROPOSED, len(free))) @ root.T
    low, high = likelihood.low[free], likelihood.high[free]
    inside = ((ways + best.place[free] >= low) & (ways + best.place[free] <= high)).all(axis=1)
    ways = ways[inside][:PROPOSED] if inside.any() else np.zeros((1, len(free)))
    places = np.repeat(best.place[None], 1 + len(ways), axis=0)
    places[1:, free] += ways
    surplus = np.einsum("ni,ij,nj->n", ways, precision / WIDER**2 - loose, ways) / 2
    logs = surplus - likelihood.values(places[1:])
    weights = np.exp(logs - logs.max())
    evenly = (np.arange(DRAWN) + rng.random()) / DRAWN
    taken = np.searchsorted(np.cumsum(weights) / weights.sum(), evenly)
    return places[np.concatenate([[0], 1 + np.minimum(taken, len(ways) - 1)])]


def _root_of_inverse(precision: NDArray) -> NDArray:
    """Lower triangular L with L Lᵀ the inverse, of what rounding may have left indefinite.

    Numbers of very different scales are brought to one before.
    """
    scale = np.diagonal(precision) ** -0.5
    values, vectors = np.linalg.eigh(precision * np.outer(scale, scale))
    values = np.maximum(values, ROUNDING * values[-1])
    return scale[:, None] * np.linalg.cholesky(vectors / values @ vectors.T)
