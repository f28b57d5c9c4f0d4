"""Measure an encoder's weights: eigenvalues, and how they lie among the components of the data."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from eigendyn.simulation.matrix.moments import SecondMoments
from eigendyn.simulation.matrix.rates import Law, Numbers, State, expected_loss, predictor

ROUND_OFF = 3.0  # √ε times as much of the largest singular value leaves a vector no direction
LABELS = {  # variable → axes, what it is, its unit
    "eigenvalue": (("mode",), "eigenvalue of the clean correlation W Σ₁₂ Wᵀ", "variance"),
    "singular_value": (("mode",), "singular value of W", "√variance/input"),
    "predictor_eigenvalue": (
        ("mode",),
        "eigenvalue of the predictor’s symmetric part",
        "variance^α",
    ),
    "component_variance": (
        ("component",),
        "clean variance along the component, d ‖W q‖²",
        "variance",
    ),
    "overlap": (
        ("mode",),
        "cosine of the right singular vector of W and the component nearest to it",
        "1",
    ),
    "nearest_component": (("mode",), "component nearest to the right singular vector of W", "1"),
    "off_component_share": (
        (),
        "share of ‖WᵀW‖² off the diagonal in the basis of the components",
        "1",
    ),
    "expected_loss": ((), "expected loss, E[½ ‖P W x₁ − W̃ x₂‖²]", "variance"),
}


def measures(law: Law, state: State, moments: SecondMoments, numbers: Numbers) -> dict[str, Array]:
    """Take every measure of a state; singular values and eigenvalues are the largest first."""
    weights = state.weights
    squares, left = jnp.linalg.eigh(weights @ weights.T)
    singular = jnp.sqrt(jnp.maximum(squares[::-1], 0))
    rows = left[:, ::-1].T @ weights  # singular values × right singular vectors
    lengths = jnp.linalg.norm(rows, axis=1)
    floor = ROUND_OFF * jnp.sqrt(jnp.finfo(weights.dtype).eps) * singular[0]
    cosines = jnp.abs(rows) / jnp.where(lengths > floor, lengths, jnp.nan)[:, None]
    along = jnp.sum(weights**2, axis=0)  # diagonal of Qᵀ WᵀW Q
    whole = jnp.sum(squares**2)
    made = predictor(law, state, moments, numbers)
    symmetric = jnp.eye(len(weights)) if made is None else (made + made.T) / 2
    found = {
        "eigenvalue": jnp.linalg.eigvalsh((weights * moments.signal) @ weights.T)[::-1],
        "singular_value": singular,
        "predictor_eigenvalue": jnp.linalg.eigvalsh(symmetric)[::-1],
        "component_variance": moments.signal * along,
        "overlap": cosines.max(axis=1),
        "nearest_component": cosines.argmax(axis=1),
        "off_component_share": jnp.maximum(0, 1 - jnp.sum(along**2) / whole),
    }
    if not law.has_family:
        found["expected_loss"] = expected_loss(law, state, moments, numbers)
    return found
