"""Claims about what is drawn for a batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from eigendyn.network.gradient import Weights, batch_gradient
from eigendyn.network.losses import sample_losses
from eigendyn.network.network import Network
from eigendyn.network.views import Moments, draw_views, population_views, seen_basis

NOISES = (0.4, 0.7)


def second_moments(x1, x2):
    both = np.concatenate([x1, x2])
    return both @ both.T / both.shape[1]


def expected_moments(coordinates, noises):
    c1, c2 = (1 + noise**2 for noise in noises)
    return np.kron([[c1, 1], [1, c2]], np.eye(coordinates))


@pytest.mark.parametrize("noises", [NOISES, (0.0, 0.1), (0.3, 0.0), (0.0, 0.0)])
def test_views_have_the_covariance_of_noisy_inputs(noises):
    own = Moments(1.0, *(noise**2 for noise in noises))
    drawn = own if any(noises) else None
    views = draw_views(jax.random.key(0), 3, 200_000, drawn, "float64")
    np.testing.assert_allclose(second_moments(*views), expected_moments(3, noises), atol=0.02)
    exact = second_moments(*population_views(3, own, "float64"))
    np.testing.assert_allclose(exact, expected_moments(3, noises), atol=1e-14)


def test_every_input_may_have_a_signal_and_noises_of_its_own():
    d, a1, a2 = np.array([2.0, 0.5]), np.array([0.1, 0.3]), np.array([0.0, 1.0])
    own = Moments(*(jnp.asarray(each)[:, None] for each in (d, a1, a2)))
    expected = np.block([[np.diag(d + a1), np.diag(d)], [np.diag(d), np.diag(d + a2)]])
    exact = second_moments(*population_views(2, own, "float64"))
    np.testing.assert_allclose(exact, expected, atol=1e-14)


def test_all_is_seen_with_as_many_rows_as_inputs():
    assert seen_basis(jnp.ones((3, 3))) is None
    rows = jnp.asarray(np.random.default_rng(0).normal(size=(2, 5)))
    basis = seen_basis(rows)
    np.testing.assert_allclose(rows @ basis @ basis.T, rows, atol=1e-14)


@pytest.mark.full  # covariances of views, and what is seen, above; gradients: test_gradient.py
@pytest.mark.parametrize(
    ("loss", "stops", "target"), [("cosine", False, None), ("euclidean", True, "ema")]
)
def test_the_gradient_has_the_distribution_that_whole_inputs_give_it(
    loss, stops, target, monkeypatch
):
    """Mean and covariance of every weight's gradient, over many small batches."""
    draws, batch, modes, inputs = 20_000, 5, 2, 5
    monkeypatch.setattr("eigendyn.network.gradient.BLOCK", 3)  # two of them
    rng = np.random.default_rng(0)
    encoder, other = jnp.asarray(rng.normal(size=(2, modes, inputs)))
    network = Network(
        loss=loss,
        stop_gradient=stops,
        target=target or "shared",
        sigma1=NOISES[0],
        sigma2=NOISES[1],
        batch=batch,
    )
    weights = Weights(encoder, encoder * 0, other if target else None, None, None, None)
    predictor = encoder @ encoder.T

    def projected(key):
        return batch_gradient(network, weights, key).encoder.ravel()

    def whole(key):
        x, n1, n2 = jax.random.normal(key, (3, inputs, batch))

        def mean_loss(w):
            z1 = w @ (x + NOISES[0] * n1)
            z2 = (other if target else w) @ (x + NOISES[1] * n2)
            return sample_losses(loss, z1, z2, predictor, None, stops).mean()

        return jax.grad(mean_loss)(encoder).ravel()

    ours, theirs = (
        np.asarray(jax.lax.map(f, jax.random.split(jax.random.key(i), draws), batch_size=200))
        for i, f in enumerate((projected, whole))
    )
    assert _apart(ours, theirs) < 4.5
    products = [(g[:, :, None] * g[:, None]).reshape(draws, -1) for g in (ours, theirs)]
    assert _apart(*products) < 4.5


def _apart(one, other):
    """Largest difference of two means, in standard errors."""
    error = np.sqrt((one.var(axis=0) + other.var(axis=0)) / len(one))
    return (np.abs(one.mean(axis=0) - other.mean(axis=0)) / error).max()
