"""Claims about what is measured on a network."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from eigendyn.network.gradient import Weights
from eigendyn.network.measures import MEASURES, Frame, measure
from eigendyn.network.network import Network

RNG = np.random.default_rng(5)
compiled = jax.jit(measure, static_argnums=0)


def take(name, encoder, network=None, samples=None, **parts):
    encoder = jnp.asarray(encoder)
    left, _, right = np.linalg.svd(encoder, full_matrices=False)
    followed = np.zeros((encoder.shape[1], 0)) if samples is None else samples
    frame = Frame(*map(jnp.asarray, (left, right.T, followed)))
    kept = dict.fromkeys(("target", "correlation", "predictor", "predictor_velocity"))
    weights = Weights(**kept | {"encoder": encoder, "velocity": 0 * encoder} | parts)
    network = network or Network()
    return np.asarray(compiled((name,), network, weights, frame, jax.random.key(0))[name])


def test_modes_are_the_singular_values_at_the_start():
    encoder = RNG.normal(size=(3, 5))
    singular = np.linalg.svd(encoder, compute_uv=False)
    np.testing.assert_allclose(take("singular_value", encoder), singular, rtol=1e-12)
    np.testing.assert_allclose(take("eigenvalue", encoder), singular**2, rtol=1e-12)
    for name in ("predictor_value", "predictor_eigenvalue"):
        np.testing.assert_allclose(take(name, encoder), singular**2, rtol=1e-12)
        root = take(name, encoder, Network(alpha=0.5))
        np.testing.assert_allclose(root, singular, rtol=1e-12)
    assert take("off_mode_share", encoder) == pytest.approx(0, abs=1e-14)


def test_collapse_metrics_count_equal_modes():
    equal = np.eye(5)[:4] * np.array([1.0, 1.0, 1.0, 0.0])[:, None]
    for name in ("effective_rank", "participation_ratio"):
        assert take(name, equal) == pytest.approx(3)
    np.testing.assert_allclose(take("standard_deviation", equal), [1, 1, 1, 0], atol=1e-15)


def test_relu_standard_deviations_are_those_of_many_samples():
    encoder = RNG.normal(size=(2, 3))
    z = np.maximum(encoder @ RNG.normal(size=(3, 400_000)), 0)
    found = take("standard_deviation", encoder, Network(encoder="relu"))
    np.testing.assert_allclose(found, z.std(axis=1), rtol=0.01)


def test_a_closed_form_predictor_is_aligned_and_a_random_one_is_not():
    encoder = RNG.normal(size=(3, 5))
    np.testing.assert_allclose(take("alignment", encoder), 1, rtol=1e-12)
    assert take("commutator", encoder) < 1e-14
    learned = Network(predictor="learned")
    predictor = jnp.asarray(RNG.normal(size=(3, 3)))
    assert take("alignment", encoder, learned, predictor=predictor).min() < 0.9
    assert take("commutator", encoder, learned, predictor=predictor) > 0.1


def test_alignment_of_what_is_round_off_is_undefined():
    encoder = np.diag([1.0, 1e-9])
    found = take("alignment", encoder)
    assert found[0] == pytest.approx(1)
    assert np.isnan(found[1])


def test_representations_of_chosen_samples_are_followed():
    encoder, samples = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 4))
    found = take("representation", encoder, Network(encoder="relu"), samples)
    np.testing.assert_allclose(found, np.maximum(encoder @ samples, 0))


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("encoder", ["linear", "relu"])
def test_every_measure_is_finite(name, encoder):
    found = take(name, RNG.normal(size=(3, 5)), Network(encoder=encoder))
    assert np.isfinite(found).all()
