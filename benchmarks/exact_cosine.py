"""Evaluate the exact cosine closure in NumPy, by hand, with a dense reference.

    G1_m = ∫∫ w Z λ_m [c12'_m Σ λ² c11' − λ_m c11'_m Σ λ c12'],  Z = Π_m Δ_m^{−1/2}

with λ = v and no noise, so that c11 = c22 = c12 = v and Δ_m = 1 + v_m (P_m + Q).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ACCURACY = 1e-7  # of the nodes that the SciPy loop and eigendyn's fitted rule share
Rule = tuple[NDArray, NDArray, NDArray]  # weights of dy/y, y² = τ; τ of ‖λ z1‖², τ of ‖z2‖²


def rate(_time: float, v: NDArray) -> NDArray:
    """dv/dt of one spectrum (modes,) with eigendyn's nodes at this accuracy."""
    return 2 * moments(v, nodes())


def moments(v: NDArray, rule: Rule) -> NDArray:
    """G1 of every mode (modes,); τ in units of one over the mean of its form."""
    weights, tau1, tau2 = rule
    square = v * v
    a, b = tau1 / (square @ v), tau2 / v.sum()
    p, q = 2 * np.outer(a, square), 2 * b[:, None]
    tilted = v / (1 + v * (p + q))  # of c11, c12 and c22 alike, without noise
    z = np.sqrt(np.prod(tilted / v, axis=1))
    w = weights * z * a**1.5 * np.sqrt(b) * (8 / np.pi)
    first, second = tilted @ square, tilted @ v
    return v * (((w * first) @ tilted) - v * ((w * second) @ tilted))


@lru_cache
def nodes() -> Rule:
    """Nodes that eigendyn fits to the first spectra of the ensemble and to equal ones."""
    from problems import Problem

    import eigendyn

    starts = Problem("X", 10, 8).starts()
    spectra = np.concatenate([starts, np.full((1, 10), starts.mean())])
    field, *_ = eigendyn.vector_field(
        "cosine", spectra, closure="exact", closure_accuracy=ACCURACY, sigma1=0.0, sigma2=0.0
    )
    taus = [np.asarray(field.nodes.values[name]).ravel() for name in field.node_names]
    rule = np.asarray(field.nodes.weights), *taus
    dense = moments(starts[0], dense_rule())
    mirrored = rule[0], rule[2], rule[1]
    return min(rule, mirrored, key=lambda one: np.abs(moments(starts[0], one) - dense).max())


@lru_cache
def dense_rule(step: float = 0.5) -> Rule:
    """A plain trapezoid in log τ1 and log τ2: no stretching, other variables than eigendyn's."""
    grid = np.exp(np.arange(-56, 40, step))
    tau1, tau2 = (axis.ravel() for axis in np.meshgrid(grid, grid, indexing="ij"))
    return np.full(len(tau1), step**2 / 4), tau1, tau2


def reference(starts: NDArray, times: NDArray) -> NDArray:
    """DOP853 at 1e-12 from saved time to saved time (trajectories, modes, times)."""
    from scipy.integrate import solve_ivp

    rule = _pruned(dense_rule(), [*starts, np.full(starts.shape[1], starts.mean())])
    values = np.empty((*starts.shape, len(times)))
    for start, row in zip(starts, values, strict=True):
        row[:, 0] = start
        for i in range(1, len(times)):
            ends = (times[i - 1], times[i])
            found = solve_ivp(
                lambda _t, v: 2 * moments(v, rule), ends, row[:, i - 1], "DOP853",
                rtol=1e-12, atol=1e-15, first_step=ends[1] - ends[0],
            )  # fmt: skip
            row[:, i] = found.y[:, -1]
    return values


def _pruned(rule: Rule, spectra: list[NDArray]) -> Rule:
    """Leave out nodes that matter to no spectrum, of factors e^−36 and less."""
    weights, tau1, tau2 = rule
    size = np.zeros(len(weights))
    for v in spectra:
        square = v * v
        p, q = 2 * np.outer(tau1 / (square @ v), square), 2 * (tau2 / v.sum())[:, None]
        log_z = -0.5 * np.log1p(v * (p + q)).sum(axis=1)
        share = log_z + 1.5 * np.log(tau1) + 0.5 * np.log(tau2)
        size = np.maximum(size, np.exp(share))
    kept = size > 1e-17
    return weights[kept], tau1[kept], tau2[kept]
