"""Claims about the sampled closure."""

import json
import time
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from independent import cosine_moments

import eigendyn
from eigendyn.program.derivation import program_of
from eigendyn.program.in_jax import compile_field
from eigendyn.simulation.samples import draw_samples, standard_error
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics
from eigendyn.theory.losses import named_loss

V = np.array([0.05, 0.3, 1.0, 2.0])
PARAMETERS = {"sigma1": 0.3**0.5, "sigma2": 0.5**0.5, "weight_decay": 0.0}


DYNAMICS = close(mode_dynamics(named_loss("cosine")), "sampled")
PROGRAM = program_of(DYNAMICS)
FIELD = compile_field(DYNAMICS)


def draw(seed, samples=20_000):
    return draw_samples(PROGRAM, len(V), samples, seed)


def sampled_moments(nodes):
    states = jnp.sqrt(jnp.asarray(V))[None]
    return np.asarray(rates(replace(FIELD, nodes=nodes), states)[0] * states[0])


@jax.jit
def rates(field, states):
    return field(0.0, states, PARAMETERS)


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


CORNERS = "sum(sqrt((lam*z1 - sg(z2))**2))"  # an L1 loss, which rests at λ = 1


@pytest.mark.full
def test_a_loss_with_corners_is_followed_to_its_end():
    """With the tolerance of a smooth field, steps end at every sample's corner."""
    start = time.process_time()
    run = eigendyn.simulate(eigendyn.parse_loss(CORNERS), V, samples=2_000)
    assert run.attrs["status"] == "completed"
    assert time.process_time() - start < 20  # 2 s, derivation and compilation included
    np.testing.assert_allclose(run.variance[:, -1], 1, atol=0.01)


def test_the_flow_is_as_exact_as_its_samples():
    """The relative tolerance is the standard error over the largest moment, drawn anew here."""
    run = eigendyn.simulate(eigendyn.parse_loss(CORNERS), [4.0], steps=1, samples=20_000)
    clean, noise = np.random.default_rng(1).standard_normal((2, 100_000))
    first, second = 2 * clean, 2 * clean + 0.2 * noise
    moments = -first * 4 * np.sign(4 * first - second)
    expected = moments.std() / 20_000**0.5 / abs(moments.mean())
    rtol = json.loads(run.attrs["settings"])["rtol"]
    assert rtol == pytest.approx(expected, rel=0.05)
    assert f"`rtol={rtol:.2g}` follows" in run.attrs["closure_error_meaning"]


def test_a_tolerance_that_is_given_is_kept():
    run = eigendyn.simulate("cosine", V, closure="sampled", steps=5, rtol=1e-7)
    assert json.loads(run.attrs["settings"])["rtol"] == 1e-7
    assert "rtol" not in run.attrs["closure_error_meaning"]


def test_following_samples_loosely_costs_less_than_sampling():
    chosen = {"closure": "sampled", "steps": 300, "samples": 2_000}
    loose, tight = (eigendyn.simulate("cosine", V, **chosen, **r) for r in ({}, {"rtol": 1e-9}))
    exact = eigendyn.simulate("cosine", V, steps=300)
    sampling = np.abs(tight.variance / exact.variance - 1).max()
    assert np.abs(loose.variance / tight.variance - 1).max() < 0.05 * sampling
