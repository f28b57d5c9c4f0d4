"""Claims about the losses of a batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from eigendyn.network.losses import sample_losses
from eigendyn.network.predictors import matrix_power
from eigendyn.settings.choices import LOSS_NAMES

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(4, 6))
VALUES, BASIS = np.linalg.eigh(WEIGHTS @ WEIGHTS.T)
PREDICTOR = jnp.asarray(WEIGHTS @ WEIGHTS.T)
Z1, Z2 = jnp.asarray(RNG.normal(size=(2, 4, 7)))


@pytest.mark.parametrize("stops", [True, False])
@pytest.mark.parametrize("name", LOSS_NAMES)
def test_losses_and_gradients_do_not_depend_on_the_basis(name, stops):
    """In the original basis they are what they are in the predictor's eigenbasis."""

    def of(predictor):
        def total(z1, z2):
            return sample_losses(name, z1, z2, predictor, None, stops).sum()

        return jax.value_and_grad(total, argnums=(0, 1))

    value, gradients = of(PREDICTOR)(Z1, Z2)
    diagonal, rotated = of(jnp.diag(jnp.asarray(VALUES)))(BASIS.T @ Z1, BASIS.T @ Z2)
    np.testing.assert_allclose(value, diagonal, rtol=1e-12)
    for here, there in zip(gradients, rotated, strict=True):
        np.testing.assert_allclose(BASIS.T @ here, there, rtol=1e-10, atol=1e-11)


def test_losses_are_their_definitions():
    """One sample in plain Python; the predictor is diagonal."""
    lam, z1, z2 = np.array([0.4, 1.5]), np.array([1.2, -0.7]), np.array([0.3, 0.8])
    p = lam * z1
    lengths = np.linalg.norm(p) * np.linalg.norm(z2)
    direction = z2 / lengths - (p @ z2) * p / (np.linalg.norm(p) ** 2 * lengths)
    expected = {
        "euclidean": 0.5 * ((p - z2) ** 2).sum(),
        "cosine": -(p @ z2) / lengths,
        "iso-euclidean": 0.5 * ((p - z2) ** 2).sum(),
        "iso-cosine": -(z1 @ direction),
    }
    views = z1[:, None], z2[:, None]
    for name, value in expected.items():
        found = sample_losses(name, *views, jnp.diag(jnp.asarray(lam)), None, True)
        np.testing.assert_allclose(found, [value], rtol=1e-14)


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_a_stopped_target_receives_no_gradient(name):
    gradient = jax.grad(lambda z2: sample_losses(name, Z1, z2, PREDICTOR, None, True).sum())(Z2)
    assert not gradient.any()


@pytest.mark.parametrize("name", ["euclidean", "cosine"])
@pytest.mark.parametrize("beta", [0.3, 1.0])
def test_the_family_multiplies_the_gradient_by_a_power_of_the_predictor(name, beta):
    def gradient(family):
        return jax.grad(lambda z1: sample_losses(name, z1, Z2, PREDICTOR, family, True).sum())(Z1)

    power = matrix_power(PREDICTOR, -beta)
    np.testing.assert_allclose(gradient(power), power @ gradient(None), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", LOSS_NAMES)
@pytest.mark.parametrize("stops", [True, False])
def test_a_sample_without_representation_has_a_finite_gradient(name, stops):
    def total(z1, z2):
        return sample_losses(name, z1, z2, PREDICTOR, None, stops).sum()

    for z1, z2 in ((0 * Z1, Z2), (Z1, 0 * Z2), (0 * Z1, 0 * Z2)):
        for part in jax.tree.leaves(jax.value_and_grad(total, argnums=(0, 1))(z1, z2)):
            assert jnp.isfinite(part).all()
