"""Claims about what is measured of a network, against tangents that are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from eigendyn.training.measured import measure, tangent_gains
from tests.training.tangents import (
    MODES,
    NOISE,
    SIGNAL,
    cosine,
    diagonal_views,
    euclidean,
    linear,
    mixed_net,
    relu_net,
)

SINGULAR = np.array([0.9, 0.8, 0.7, 0.6])


def aligned(loss, target=None):
    return measure(linear, jnp.diag(SINGULAR), target, jnp.diag(SINGULAR), loss, *diagonal_views())


@pytest.mark.parametrize("target", [None, 0.5 * np.eye(MODES)])
def test_gain_of_a_linear_encoder_is_the_signal_of_its_data(target):
    found = aligned(euclidean, target)
    np.testing.assert_allclose(found.gain, SIGNAL, rtol=1e-10)
    np.testing.assert_allclose(found.layers, 1, rtol=1e-10)
    gains = tangent_gains(linear, jnp.diag(SINGULAR), *diagonal_views(), found.vectors)
    np.testing.assert_allclose(gains, SIGNAL, rtol=1e-10)


def test_spectrum_noises_and_drive_are_those_of_the_theory():
    v, c11 = SINGULAR**2 * SIGNAL, SINGULAR**2 * (SIGNAL + NOISE)
    found = aligned(euclidean)
    np.testing.assert_allclose(found.variance, v, rtol=1e-10)
    np.testing.assert_allclose(found.noise1, c11 - v, rtol=1e-8)
    np.testing.assert_allclose(found.noise2, c11 - v, rtol=1e-8)
    np.testing.assert_allclose(found.drive, SINGULAR * v - SINGULAR**2 * c11, rtol=1e-8)
    np.testing.assert_allclose(found.alignment, 1, rtol=1e-12)


def test_noise_and_covariance_in_the_target_are_those_that_the_loss_sees():
    found = aligned(euclidean, 0.5 * np.eye(MODES))
    np.testing.assert_allclose(found.target_variance, 0.25 * SIGNAL, rtol=1e-10)
    np.testing.assert_allclose(found.noise2, 0.25 * NOISE, rtol=1e-8)
    v, c11 = SINGULAR**2 * SIGNAL, SINGULAR**2 * (SIGNAL + NOISE)
    drive = SINGULAR * (0.5 * SINGULAR * SIGNAL) - SINGULAR**2 * c11
    np.testing.assert_allclose(found.drive, drive, rtol=1e-8)
    np.testing.assert_allclose(found.variance, v, rtol=1e-10)


@pytest.mark.parametrize("layers", [2, 4])
def test_weight_decay_acts_on_every_layer_of_a_homogeneous_network(layers):
    weights = mixed_net(1, [MODES, *[16] * (layers - 1), MODES])
    found = measure(relu_net, weights, None, jnp.eye(MODES), cosine, *diagonal_views())
    np.testing.assert_allclose(found.layers, layers, rtol=1e-8)


def test_gains_foretell_a_small_step_of_a_network():
    weights, views = mixed_net(2, [MODES, 16, MODES]), diagonal_views()
    predictor, eta, decay = 0.5 * jnp.eye(MODES), 1e-6, 0.1

    def objective(w):
        return cosine(relu_net(w, views[0]), relu_net(w, views[1]), predictor)

    slopes = jax.grad(objective)(weights)
    stepped = [w - eta * (g + decay * w) for w, g in zip(weights, slopes, strict=True)]
    before, after = (
        measure(relu_net, w, None, predictor, cosine, *views) for w in (weights, stepped)
    )
    change = np.log(after.variance / before.variance) / eta
    rate = 2 * (before.gain * before.drive / before.variance - decay * before.layers)
    np.testing.assert_allclose(rate, change, rtol=1e-3, atol=1e-4)


def test_a_constant_representation_has_all_its_share_in_the_mean_and_rank_one():
    weights = jnp.zeros((MODES, MODES))
    found = measure(
        lambda w, x: x @ w + 1.0, weights, None, jnp.eye(MODES), euclidean, *diagonal_views()
    )
    assert found.mean_share == pytest.approx(1)
    assert found.rankme == pytest.approx(1, rel=1e-6)


def test_networks_in_float32_are_measured_in_float64():
    weights = mixed_net(1, [MODES, 8, MODES], np.float32)
    views = (np.asarray(x, np.float32) for x in diagonal_views())
    seen = []

    def embed(w, x):
        z = relu_net(w, x)
        seen.append(z.dtype)
        return z

    found = measure(embed, weights, None, jnp.eye(MODES, dtype=np.float32), cosine, *views)
    assert {np.dtype(dtype) for dtype in seen} == {np.dtype(np.float32)}
    assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {np.dtype(np.float64)}
