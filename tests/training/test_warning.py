"""Claims about early warnings of collapse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from eigendyn.training.warning import IN_A_ROW, collapse_warning
from tests.training.tangents import diagonal_views, euclidean, linear, measured

SINGULAR = np.array([0.5, 0.6, 0.7, 0.8])
ETA, STEPS, EPOCHS = 0.05, 40, 20  # of an epoch


def without_stop_gradient(z1, z2, predictor):
    return 0.5 * jnp.mean(jnp.sum((z1 @ predictor - z2) ** 2, axis=1))


def history(loss, decay, has_predictor=True):
    """Train a linear encoder on all pairs at once, and measure it after every epoch."""
    x1, x2 = (jnp.asarray(x) for x in diagonal_views())

    def predictor(weights):
        z1 = x1 @ weights
        return z1.T @ z1 / len(z1) if has_predictor else jnp.eye(len(weights))

    def step(weights, _):
        fixed = predictor(weights)
        slope = jax.grad(lambda w: loss(x1 @ w, x2 @ w, fixed))(weights)
        return weights - ETA * (slope + decay * weights), None

    epoch = jax.jit(lambda w: jax.lax.scan(step, w, length=STEPS)[0])
    weights, found = jnp.diag(SINGULAR), []
    for _ in range(EPOCHS + 1):
        found.append(measured(linear, weights, None, predictor(weights), loss))
        weights = epoch(weights)
    return found


def warned(found, decay):
    """Epoch and text of the first warning."""
    for epoch in range(EPOCHS):
        said = collapse_warning(found[: epoch + 1], ETA * STEPS, decay)
        if said is not None:
            return epoch, said
    return None


def test_networks_that_learn_are_not_warned_of():
    found = history(euclidean, 0.0)
    assert found[-1].variance[0] > 0.5
    assert warned(found, 0.0) is None


@pytest.mark.parametrize(
    ("loss", "decay", "has_predictor"),
    [(without_stop_gradient, 0.0, True), (euclidean, 0.0, False), (euclidean, 1.0, True)],
    ids=["no stop-gradient", "no predictor", "weight decay"],
)
def test_collapse_is_warned_of_well_before_the_end(loss, decay, has_predictor):
    found = history(loss, decay, has_predictor)
    assert found[-1].variance.sum() < 0.05 * found[0].variance.sum()
    epoch, said = warned(found, decay)
    assert IN_A_ROW <= epoch <= EPOCHS / 2
    assert "every mode shrinks" in said
