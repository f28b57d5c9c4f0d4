"""Claims about the losses of a batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from independent import loss_value

from eigendyn.choices import LOSS_NAMES
from eigendyn.network.losses import sample_losses
from eigendyn.network.predictors import matrix_power

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(4, 6))
VALUES, BASIS = np.linalg.eigh(WEIGHTS @ WEIGHTS.T)
PREDICTOR = jnp.asarray(WEIGHTS @ WEIGHTS.T)
Z1, Z2 = jnp.asarray(RNG.normal(size=(2, 4, 7)))


@pytest.mark.parametrize("stops", [True, False])
@pytest.mark.parametrize("name", LOSS_NAMES)
def test_losses_and_gradients_do_not_depend_on_the_basis(name, stops):
    """In the original basis they are what they are in the predictor's eigenbasis."""

    def here(z1, z2):
        return sample_losses(name, z1, z2, PREDICTOR, None, stops).sum()

    def in_eigenbasis(z1, z2):
        def sample(a, b):
            return loss_value(name, a, b, jnp.asarray(VALUES), stop_gradient=stops)

        return jax.vmap(sample, in_axes=1)(BASIS.T @ z1, BASIS.T @ z2).sum()

    ours, theirs = (jax.value_and_grad(f, argnums=(0, 1))(Z1, Z2) for f in (here, in_eigenbasis))
    for mine, other in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-10, atol=1e-11)


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
