"""Claims about the sampled closure."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from independent import cosine_moments

from eigendyn.closure import close
from eigendyn.compile import compile_field
from eigendyn.derive import mode_dynamics
from eigendyn.losses import named_loss
from eigendyn.nodes import draw_samples, standard_error
from eigendyn.program.derivation import program_of

V = np.array([0.05, 0.3, 1.0, 2.0])
PARAMETERS = {"sigma1": 0.3**0.5, "sigma2": 0.5**0.5, "weight_decay": 0.0}


DYNAMICS = close(mode_dynamics(named_loss("cosine")), "sampled")
PROGRAM = program_of(DYNAMICS)


def draw(seed, samples=20_000):
    return draw_samples(PROGRAM, len(V), samples, seed)


def sampled_moments(nodes):
    field = replace(compile_field(DYNAMICS), nodes=nodes)
    states = jnp.sqrt(jnp.asarray(V))[None]
    return np.asarray(field(0.0, states, PARAMETERS)[0] * states[0])


def test_it_agrees_with_the_exact_moments_within_its_standard_error():
    samples = draw(0)
    error = standard_error(PROGRAM, samples, np.sqrt(V)[None, None], PARAMETERS)
    exact = cosine_moments(V, V, 0.3, 0.5)[0]
    assert np.abs(sampled_moments(samples) - exact).max() < 4 * error


def test_its_standard_error_is_the_spread_over_seeds():
    drawn = [sampled_moments(draw(seed, 500)) for seed in range(60)]
    error = standard_error(PROGRAM, draw(0, 500), np.sqrt(V)[None, None], PARAMETERS)
    assert np.std(drawn, axis=0).max() == pytest.approx(error, rel=0.3)


def test_the_same_seed_gives_the_same_field():
    np.testing.assert_array_equal(sampled_moments(draw(7)), sampled_moments(draw(7)))
    assert (sampled_moments(draw(7)) != sampled_moments(draw(8))).all()
