"""Claims about correlations and closed-form predictors."""

import jax.numpy as jnp
import numpy as np
import pytest

from eigendyn.network.predictors import correlation, matrix_power


@pytest.mark.parametrize("encoder", ["linear", "relu"])
def test_correlation_is_that_of_many_samples(encoder):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(3, 5))
    h = weights @ rng.normal(size=(5, 400_000))
    z = h if encoder == "linear" else np.maximum(h, 0)
    products = z[:, None] * z[None]  # (3, 3, samples)
    error = products.std(axis=-1) / np.sqrt(products.shape[-1])
    found = np.asarray(correlation(encoder, jnp.asarray(weights)))
    assert (np.abs(found - products.mean(axis=-1)) < 4.5 * error).all()


def test_relu_correlation_of_one_unit_is_half_its_variance():
    weights = jnp.asarray([[0.6, -0.8], [0.0, 0.0]])
    np.testing.assert_allclose(correlation("relu", weights), [[0.5, 0.0], [0.0, 0.0]], atol=1e-15)


def test_powers_stay_orthogonal_for_nearly_equal_eigenvalues():
    rng = np.random.default_rng(1)
    basis = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    values = 1 + 1e-13 * np.arange(6)
    root = np.asarray(matrix_power(jnp.asarray((basis * values) @ basis.T), 0.5))
    np.testing.assert_allclose(root @ root, (basis * values) @ basis.T, atol=1e-14)


def test_what_has_no_variance_is_left_alone():
    singular = jnp.asarray([[1.0, 1.0], [1.0, 1.0]])
    for exponent in (0.5, -0.5):
        power = np.asarray(matrix_power(singular, exponent))
        np.testing.assert_allclose(power, 2**exponent * np.full((2, 2), 0.5), atol=1e-7)
