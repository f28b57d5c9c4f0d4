"""Follow the representations of given inputs while singular values change."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidSpectrum
from eigendyn.settings.spectrum import check_weights


def representations(weights: ArrayLike, inputs: ArrayLike, singular_values: ArrayLike) -> NDArray:
    r"""Follow the representations of inputs, which move with the modes alone.

    z(t) = W(t) x = U diag(s(t)) Rᵀ x with the singular vectors of the first weights W = U S Rᵀ,
    that is z(t) = U diag(s(t)/s(0)) Uᵀ z(0).

    Args:
        weights: First weights (dimensions, inputs).
        inputs: Inputs (inputs, samples).
        singular_values: s(t) (modes, times), largest first at the start.

    Returns:
        Representations (dimensions, samples, times).

    Raises:
        InvalidSpectrum: The weights are no finite matrix, or shapes do not fit.

    Source: Halvagal et al. 2023; singular vectors stay fixed for isotropic inputs.
    """
    matrix = check_weights(weights)
    samples, values = np.asarray(inputs, float), np.asarray(singular_values, float)
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    if samples.ndim != 2 or len(samples) != matrix.shape[1] or len(values) != len(matrix):
        message = (
            f"Weights of the shape {matrix.shape} need inputs ({matrix.shape[1]}, samples) and "
            f"singular values ({len(matrix)}, times), not {samples.shape} and {values.shape}."
        )
        raise InvalidSpectrum(message)
    return np.einsum("dm,mt,mi,ij->djt", left, values, right, samples)
