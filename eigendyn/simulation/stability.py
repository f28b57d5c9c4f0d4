"""Compute the largest learning rate at which gradient steps stay stable."""

from __future__ import annotations

import math
from collections.abc import Mapping

import jax
import numpy as np
from numpy.typing import NDArray

from eigendyn.program.in_jax import VectorField


def stable_learning_rate(
    field: VectorField, states: NDArray, parameters: Mapping[str, float]
) -> float:
    r"""Largest η at which s ← s + η ds/dt shrinks every deviation that the flow shrinks.

    |1 + η μ| < 1 for every eigenvalue μ of the Jacobian with Re μ < 0, that is
    η < −2 Re μ/|μ|²; the smallest such bound over the given states.

    Args:
        field: Vector field.
        states: States (points, states, modes) along a trajectory.
        parameters: One number for each of the field's parameters.

    Returns:
        The learning rate; infinite where nothing shrinks.
    """
    jacobians = np.asarray(_jacobians(field, states, dict(parameters)))
    size = math.prod(states.shape[1:])
    eigenvalues = np.linalg.eigvals(jacobians.reshape(len(states), size, size)).ravel()
    shrinking = eigenvalues[eigenvalues.real < 0]
    return float((-2 * shrinking.real / np.abs(shrinking) ** 2).min(initial=math.inf))


@jax.jit
def _jacobians(field, states, parameters):
    jacobian = jax.jacfwd(lambda state: field(0.0, state, parameters))
    return jax.lax.map(jacobian, states)
