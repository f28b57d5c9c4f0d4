"""Claims about forecasts of a network's spectrum."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from structures import first_of

from eigendyn.settings.siamese import Siamese
from eigendyn.training.foretell import explained, forecast
from tests.training.tangents import SIGNAL, diagonal_views, euclidean, measured

SINGULAR = np.array([0.9, 0.5, 1.4, 1.9])
ETA, MOMENTUM, DECAY, AVERAGED, STEPS = 0.05, 0.9, 0.01, 0.9, 60


def chosen(**settings):
    return Siamese(loss="euclidean", predictor="running", correlation_momentum=AVERAGED, **settings)


def deep(weights, x):
    for layer in weights:
        x = x @ layer
    return x


def descend(weights, settings, steps):
    """Train a linear network on all pairs at once; its singular values at every step."""
    x1, x2 = (jnp.asarray(x) for x in diagonal_views())

    def step(state, _):
        weights, target, speed, correlation = state
        z1 = deep(weights, x1)
        correlation = AVERAGED * correlation + (1 - AVERAGED) * z1.T @ z1 / len(z1)
        values, vectors = jnp.linalg.eigh(correlation)
        predictor = (vectors * values**settings.alpha) @ vectors.T

        def objective(w):
            seen = w if settings.target == "shared" else target
            return euclidean(deep(w, x1), deep(seen, x2), predictor)

        def heavy_ball(v, slope, w):
            return settings.momentum * v - slope - settings.weight_decay * w

        speed = jax.tree.map(heavy_ball, speed, jax.grad(objective)(weights), weights)
        weights = jax.tree.map(lambda w, v: w + settings.learning_rate * v, weights, speed)
        kept = settings.ema or 0.0
        target = jax.tree.map(lambda old, new: kept * old + (1 - kept) * new, target, weights)
        return (weights, target, speed, correlation), jnp.diagonal(deep(weights, jnp.eye(4)))

    z1 = deep(weights, x1)
    start = (weights, weights, jax.tree.map(jnp.zeros_like, weights), z1.T @ z1 / len(z1))
    later = jax.jit(lambda s: jax.lax.scan(step, s, length=steps)[1])(start)
    return np.vstack([jnp.diagonal(deep(weights, jnp.eye(4))), later])


def foretold_and_seen(weights, settings, steps):
    """What was measured, the forecast, and the spectrum that came, both (modes, steps)."""
    target = None if settings.target == "shared" else weights
    now = measured(deep, weights, target, jnp.diag(SINGULAR), euclidean)
    states = descend(weights, settings, max(steps))[steps]
    truth = np.sort(states**2 * SIGNAL, axis=1)[:, ::-1].T
    return now, forecast("euclidean", now, now.gain, steps, settings), truth


@pytest.mark.parametrize(("alpha", "ema"), first_of((0.5, 0.95), (1.0, None)))
def test_forecast_of_a_linear_encoder_is_its_descent(alpha, ema):
    settings = chosen(
        alpha=alpha,
        target="shared" if ema is None else "ema",
        ema=ema,
        weight_decay=DECAY,
        momentum=MOMENTUM,
        learning_rate=ETA,
    )
    weights = (jnp.diag(SINGULAR),)
    now, found, truth = foretold_and_seen(weights, settings, [0, 1, 10, STEPS])
    np.testing.assert_allclose(found.variance, truth, rtol=1e-9)
    assert found.status == "completed"
    assert found.variance[0, -1] != pytest.approx(found.variance[0, 0], rel=0.1)
    assert explained(found.variance, truth, now) == pytest.approx(1)
    still = found.variance[:, :1].repeat(4, axis=1)
    assert explained(still, truth, now) == pytest.approx(0, abs=1e-9)


def test_gains_grow_with_their_modes_in_a_deep_linear_network():
    settings = chosen(alpha=1.0, weight_decay=DECAY, learning_rate=0.01)
    layer = jnp.diag(np.array([0.3, 0.35, 0.4, 0.45]) ** 0.5)
    now, found, truth = foretold_and_seen((layer, layer), settings, [0, 1000, 1500, 2500, 4000])
    assert truth[0, -1] > 3 * truth[0, 0]
    np.testing.assert_allclose(found.variance, truth, rtol=0.03)
    assert explained(found.variance, truth, now) > 0.999


def test_modes_without_variance_are_not_foretold():
    weights = (jnp.diag(np.array([0.9, 0.5, 1.4, 0.0])),)
    now = measured(deep, weights, None, jnp.eye(4), euclidean)
    found = forecast("euclidean", now, now.gain, [0, 10], chosen(learning_rate=ETA))
    assert np.isfinite(found.variance[:3]).all()
    assert np.isnan(found.variance[3]).all() or found.variance[3].max() < 1e-20


@pytest.mark.parametrize("layers", [1, 2])  # of two, gains grow until squares overflow
@pytest.mark.parametrize("size", [1e3, 30.0])
def test_a_forecast_that_diverges_says_so_and_keeps_what_came_before(layers, size):
    weights = (jnp.diag(SINGULAR ** (1 / layers)),) * layers
    now = measured(deep, weights, None, jnp.diag(SINGULAR), euclidean)
    found = forecast("euclidean", now, size * SIGNAL, [0, 500], chosen(learning_rate=ETA))
    assert found.status == "diverged"
    np.testing.assert_allclose(found.variance[:, 0], now.variance)
    assert np.isnan(found.variance[:, 1]).all()
