"""Claims about the sampled closure."""

import jax.numpy as jnp
import numpy as np
import pytest
from independent import cosine_moments

from eigendyn.closure import close
from eigendyn.compile import compile_field
from eigendyn.derive import mode_dynamics
from eigendyn.losses import named_loss
from eigendyn.nodes import draw_samples, standard_error

V = np.array([0.05, 0.3, 1.0, 2.0])
PARAMETERS = {"sigma1": 0.3**0.5, "sigma2": 0.5**0.5, "weight_decay": 0.0}


def sampled_field(seed, samples=20_000):
    field = compile_field(close(mode_dynamics(named_loss("cosine")), "sampled"))
    return draw_samples(field, len(V), samples, seed)


def sampled_moments(field):
    states = jnp.sqrt(jnp.asarray(V))[None]
    return np.asarray(field(0.0, states, PARAMETERS)[0] * states[0])


def test_it_agrees_with_the_exact_moments_within_its_standard_error():
    field = sampled_field(0)
    error = standard_error(field, np.sqrt(V)[None, None], PARAMETERS)
    exact = cosine_moments(V, V, 0.3, 0.5)[0]
    assert np.abs(sampled_moments(field) - exact).max() < 4 * error


def test_its_standard_error_is_the_spread_over_seeds():
    drawn = [sampled_moments(sampled_field(seed, 500)) for seed in range(60)]
    error = standard_error(sampled_field(0, 500), np.sqrt(V)[None, None], PARAMETERS)
    assert np.std(drawn, axis=0).max() == pytest.approx(error, rel=0.3)


def test_the_same_seed_gives_the_same_field():
    np.testing.assert_array_equal(
        sampled_moments(sampled_field(7)), sampled_moments(sampled_field(7))
    )
    assert (sampled_moments(sampled_field(7)) != sampled_moments(sampled_field(8))).all()
