"""Claims about forecasts of a network's spectrum."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from eigendyn.settings.siamese import Siamese
from eigendyn.training.foretell import explained, forecast
from eigendyn.training.measured import measure, tangent_gains
from tests.training.tangents import SIGNAL, diagonal_views, euclidean, linear

SINGULAR = np.array([0.9, 0.5, 1.4, 1.9])  # each of them driven up or down beyond doubt
ETA, MOMENTUM, DECAY, AVERAGED, STEPS = 0.05, 0.9, 0.01, 0.9, 60


def descend(loss, alpha, ema):
    """Train a linear encoder on all pairs at once, with heavy ball; diagonals of its weights."""
    x1, x2 = (jnp.asarray(x) for x in diagonal_views())
    weights = target = jnp.diag(SINGULAR)
    speed, correlation = jnp.zeros_like(weights), (x1 @ weights).T @ (x1 @ weights) / len(x1)

    def step(state, _):
        weights, target, speed, correlation = state
        z1 = x1 @ weights
        correlation = AVERAGED * correlation + (1 - AVERAGED) * z1.T @ z1 / len(x1)
        values, vectors = jnp.linalg.eigh(correlation)
        predictor = (vectors * values**alpha) @ vectors.T

        def objective(w):
            return loss(x1 @ w, x2 @ (w if ema is None else target), predictor)

        speed = MOMENTUM * speed - jax.grad(objective)(weights) - DECAY * weights
        weights = weights + ETA * speed
        target = weights if ema is None else ema * target + (1 - ema) * weights
        return (weights, target, speed, correlation), jnp.diagonal(weights)

    start = (weights, target, speed, correlation)
    return np.asarray(jax.jit(lambda s: jax.lax.scan(step, s, length=STEPS))(start)[1])


@pytest.mark.parametrize(("alpha", "ema"), [(1.0, None), (0.5, 0.95)])
def test_forecast_of_a_linear_encoder_is_its_descent(alpha, ema):
    settings = Siamese(
        loss="euclidean",
        predictor="running",
        alpha=alpha,
        correlation_momentum=AVERAGED,
        target="shared" if ema is None else "ema",
        ema=ema,
        weight_decay=DECAY,
        momentum=MOMENTUM,
        learning_rate=ETA,
    )
    start = jnp.diag(SINGULAR)
    target = None if ema is None else start
    now = measure(linear, start, target, start, euclidean, *diagonal_views())
    steps = [0, 1, 10, STEPS]
    gains = tangent_gains(linear, start, *diagonal_views(), now.vectors)
    found = forecast("euclidean", now, gains, steps, settings)
    states = np.vstack([SINGULAR, descend(euclidean, alpha, ema)])
    truth = np.sort(states[steps] ** 2 * SIGNAL, axis=1)[:, ::-1].T
    np.testing.assert_allclose(found.variance, truth, rtol=1e-9)
    assert found.status == "completed"
    assert found.variance[0, -1] != pytest.approx(found.variance[0, 0], rel=0.1)
    assert explained(found.variance, truth, now) == pytest.approx(1)
    assert explained(found.variance[:, :1].repeat(4, axis=1), truth, now) == pytest.approx(
        0, abs=1e-9
    )
