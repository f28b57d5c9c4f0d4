"""Claims about what is measured of a network, against tangents that are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from eigendyn.training.measured import decayed_layers, measure, tangent_gains
from tests.training.tangents import (
    MODES,
    NOISE,
    SIGNAL,
    cosine,
    diagonal_views,
    euclidean,
    linear,
    measured,
    mixed_net,
    relu_net,
)

SINGULAR = np.array([0.9, 0.8, 0.7, 0.6])


def aligned(loss, target=None):
    return measured(linear, jnp.diag(SINGULAR), target, jnp.diag(SINGULAR), loss)


def gradient_rate(embed, weights, objective, vectors):
    """dv_m/dt of descent on an objective of the weights, at fixed u (modes,)."""

    def variance(w):
        z1, z2 = (embed(w, x) @ vectors for x in diagonal_views())
        return jnp.mean(z1 * z2, axis=0)

    return -jax.jvp(variance, (weights,), (jax.grad(objective)(weights),))[1]


@pytest.mark.parametrize("target", [None, 0.5 * np.eye(MODES)])
def test_gain_of_a_linear_encoder_is_the_signal_of_its_data(target):
    """Under any loss of it, which drives every mode for itself: dv_m/dt = 2 κ_m G_m."""
    found, weights, (x1, x2) = aligned(euclidean, target), jnp.diag(SINGULAR), diagonal_views()
    np.testing.assert_allclose(found.gain, SIGNAL, rtol=1e-10)
    np.testing.assert_allclose(found.layers, 1, rtol=1e-10)

    def objective(w):
        return euclidean(x1 @ w, x2 @ (w if target is None else target), jnp.diag(SINGULAR))

    rate = gradient_rate(linear, weights, objective, found.vectors)
    np.testing.assert_allclose(rate, 2 * found.gain * found.drive, rtol=1e-10)


@pytest.mark.parametrize("count", [0, 2, MODES])
def test_gains_are_how_far_a_drive_along_a_mode_moves_it_and_of_the_leading_modes_alone(count):
    weights, views = mixed_net(2, [MODES, 16, MODES]), diagonal_views()
    found = measured(relu_net, weights, None, jnp.eye(MODES), cosine)
    gains = tangent_gains(relu_net, weights, *views, found.vectors, count)
    assert np.isnan(gains[count:]).all()
    for mode in range(count):
        u = found.vectors[:, mode]

        def along(w, u=u):  # descended, it drives z1_m by z2_m/2 and z2_m by z1_m/2: G_m = v_m
            return -jnp.mean((relu_net(w, views[0]) @ u) * (relu_net(w, views[1]) @ u)) / 2

        rate = gradient_rate(relu_net, weights, along, found.vectors)[mode]
        np.testing.assert_allclose(rate, 2 * gains[mode] * found.variance[mode], rtol=1e-10)


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
    found = measured(relu_net, weights, None, jnp.eye(MODES), cosine)
    np.testing.assert_allclose(found.layers, layers, rtol=1e-8)


def test_layers_foretell_a_small_step_of_weight_decay_alone():
    """Of a network with biases, in which they are no whole number."""
    weights, eta = mixed_net(2, [MODES, 16, MODES]), 1e-6

    def biased(w, x):
        return jax.nn.relu(x @ w[0]) @ w[1] + w[2]

    weights = [*weights, jnp.full(MODES, 0.3)]
    stepped = [(1 - eta) * w for w in weights]
    before, after = (measured(biased, w, None, jnp.eye(MODES), cosine) for w in (weights, stepped))
    change = np.log(after.variance / before.variance) / eta
    np.testing.assert_allclose(-2 * before.layers, change, rtol=1e-4)
    assert 1.05 < before.layers[0] < 1.95


def test_a_constant_representation_has_all_its_share_in_the_mean_and_rank_one():
    weights = jnp.zeros((MODES, MODES))
    found = measured(lambda w, x: x @ w + 1.0, weights, None, jnp.eye(MODES), euclidean)
    assert found.mean_share == pytest.approx(1)
    assert found.rankme == pytest.approx(1, rel=1e-6)


def test_networks_in_float32_are_measured_in_float64():
    weights = mixed_net(1, [MODES, 8, MODES], np.float32)
    views = [np.asarray(x, np.float32) for x in diagonal_views()]
    seen = []

    def embed(w, x):
        z = relu_net(w, x)
        seen.append(z.dtype)
        return z

    z = tuple(embed(weights, x) for x in views)
    found = measure(z, None, jnp.eye(MODES, dtype=np.float32), cosine)
    gains = tangent_gains(embed, weights, *views, found.vectors, MODES)
    layers = decayed_layers(embed, weights, *views, found.vectors)
    assert {np.dtype(dtype) for dtype in seen} == {np.dtype(np.float32)}
    every = jax.tree.leaves((found, gains, layers))
    assert {leaf.dtype for leaf in every} == {np.dtype(np.float64)}
