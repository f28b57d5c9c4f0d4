"""Claims about the gradient of a batch."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from structures import first_of

from eigendyn.network.gradient import BLOCK, Weights, batch_correlation, batch_gradient
from eigendyn.network.network import Network

RNG = np.random.default_rng(3)
ENCODER, TARGET = jnp.asarray(RNG.normal(size=(2, 3, 5)))
PREDICTOR = jnp.asarray(RNG.normal(size=(3, 3)))
KEY = jax.random.key(0)
take = jax.jit(batch_gradient)  # one for all tests: networks that differ in numbers share code


def weights(**parts):
    kept = dict.fromkeys(("target", "correlation", "predictor", "predictor_velocity"))
    return Weights(**kept | {"encoder": ENCODER, "velocity": 0 * ENCODER} | parts)


@pytest.mark.parametrize("batch", [2, *first_of(1_251, 1_250, 7_000)])
def test_every_sample_of_a_batch_counts_once(batch):
    """One mode and no noise: the cosine of every sample is one."""
    one = Weights(ENCODER[:1], 0 * ENCODER[:1], None, None, None, None)
    network = Network(loss="cosine", sigma2=0.0, batch=batch)
    assert take(network, one, KEY).loss == pytest.approx(-1)


def test_population_gradient_is_the_matrix_formula_for_any_weights():
    """−∂ℓ/∂W = W_Pᵀ(W̃ − c1 W_P W), −∂ℓ/∂W_P = (W̃ − c1 W_P W) Wᵀ; no eigenvectors aligned."""
    network = Network("euclidean", predictor="learned", target="ema", sigma1=0.6, batch=None)
    start = weights(predictor=PREDICTOR, target=TARGET)
    found = take(network, start, KEY)
    residual = TARGET - 1.36 * PREDICTOR @ ENCODER
    np.testing.assert_allclose(found.encoder, -PREDICTOR.T @ residual, atol=1e-12)
    np.testing.assert_allclose(found.predictor, -residual @ ENCODER.T, atol=1e-12)
    correlation = batch_correlation(network, start, KEY)
    np.testing.assert_allclose(correlation, 1.36 * ENCODER @ ENCODER.T, atol=1e-12)


@pytest.mark.parametrize(
    ("loss", "stops"),
    [
        ("euclidean", True),
        pytest.param("iso-euclidean", False, marks=pytest.mark.full),
        pytest.param("euclidean", False, marks=pytest.mark.full),
        pytest.param("iso-euclidean", True, marks=pytest.mark.full),
    ],
)
def test_large_batches_approach_the_population(loss, stops):
    network = Network(loss, stop_gradient=stops, sigma1=0.3, sigma2=0.2, batch=2_000)
    exact = take(replace(network, batch=None), weights(), KEY).encoder
    draws = jax.lax.map(
        lambda key: batch_gradient(network, weights(), key).encoder,
        jax.random.split(jax.random.key(1), 200),
    )
    error = draws.std(axis=0) / np.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0) - exact) < 4.5 * error).all()


def test_relu_units_that_are_off_pass_no_gradient():
    network = Network("cosine", encoder="relu", predictor="none", batch=100)
    off = weights(encoder=ENCODER.at[1].set(0.0))
    found = take(network, off, KEY)
    assert not found.encoder[1].any()
    assert found.encoder[0].any()


def test_memory_does_not_grow_with_the_batch():
    """The code is the same for every batch, and with it the memory that XLA sets aside."""
    start, sizes = weights(), []
    for batch in (2, BLOCK + 1, 3 * BLOCK):
        take(Network("cosine", batch=batch), start, KEY)
        sizes.append(take._cache_size())
    assert sizes[0] == sizes[-1]
