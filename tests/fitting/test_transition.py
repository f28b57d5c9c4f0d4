"""Claims about the filter: it is the exact likelihood where that is known, and takes real steps."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from eigendyn.fitting.candidate import candidate
from eigendyn.fitting.likelihood import WORST
from eigendyn.fitting.micro_steps import MOST, counts
from eigendyn.fitting.motion import advance, now, numbers_of
from eigendyn.fitting.numbers import to_coordinates
from eigendyn.fitting.readings import read
from eigendyn.recording.record import record
from eigendyn.simulation.node_errors import points_of
from eigendyn.simulation.nodes import fit_nodes
from tests.fitting.planted import planted

TIMES = np.linspace(0, 4, 9)


def tiny(measures=()):
    """Modes so small that an isotropic loss lets ln v wander about a straight line."""
    x = -30 + 1.6 * TIMES + 0.1 * np.random.default_rng(1).normal(size=(2, 9))
    return record({"variance": np.exp(x), **dict(measures)}, TIMES, TIMES, title="tiny")


def test_the_likelihood_is_that_of_a_random_walk_read_with_error():
    a, c, decay, q, r = 0.9, 1.2, 0.05, 0.01, 0.08
    seen = read(tiny())
    likelihood = candidate("iso-euclidean", {}).likelihood(seen)
    place = to_coordinates(np.array([a, c, 1.0, decay, 1.0, q, r, 0.3, 0.3]))
    found = likelihood.values(place[None])[0]
    # by hand: y(t) − y(0) has the mean 2(A − ω)t and errors of both, and what batches add
    t = TIMES[1:]
    added = 4 * q * a * (c * c + 1)
    covariance = r**2 * (np.eye(8) + 1) + added * np.minimum(t[:, None], t)
    expected = 0.0
    for x in seen.log_variance:
        gap = x[1:] - x[0] - 2 * (a - decay) * t
        expected += 0.5 * (gap @ np.linalg.solve(covariance, gap))
        expected += 0.5 * np.linalg.slogdet(covariance)[1]
    assert found + 0.5 * np.log(2 * added * t[-1]) == pytest.approx(expected, rel=1e-6)
    # where the batch is known, ln q is expected to be ln(A η/B), give or take one
    found = replace(likelihood, batch_noise=0.05 / 32).values(place[None])[0]
    expected += 0.5 * np.log(q / (a * 0.05 / 32)) ** 2
    assert found == pytest.approx(expected, rel=1e-6)


def test_the_batch_of_a_record_is_that_of_the_steps_that_it_saw():
    told = {"learning_rate": np.full(9, 0.1), "batch_size": np.array([np.nan, 24, *7 * [32.0]])}
    log = tiny(told).assign_coords(step=("time", TIMES / 0.1))
    assert read(log).batch_noise == pytest.approx(0.1 / 32)
    assert np.isnan(read(log.drop_vars("learning_rate")).batch_noise)
    assert np.isnan(read(tiny()).batch_noise)


def test_numbers_that_carry_modes_away_within_a_step_are_far_from_likely():
    likelihood = candidate("iso-euclidean", {}).likelihood(read(tiny()))
    values = [
        likelihood.values(
            to_coordinates(np.array([a, 1.2, 1.0, 0.05, 1.0, 0.01, 0.08, 0.3, 0.3]))[None]
        )[0]
        for a in (0.9, 10.0, 1e2, 1e4)
    ]
    assert min(values[1:]) > values[0] + 50
    assert max(values) < WORST


@pytest.mark.parametrize("batch_noise", [np.nan, 0.05 / 32])
def test_the_slope_of_the_likelihood_is_that_of_its_values(batch_noise):
    likelihood = candidate("iso-euclidean", {}).likelihood(read(tiny()))
    likelihood = replace(likelihood, batch_noise=batch_noise)
    place = to_coordinates(np.array([0.9, 1.2, 1.0, 0.05, 1.0, 1e-3, 0.08, 0.3, 0.3]))
    free = np.array([True, False, False, True, False, True, True, False, False])
    steps = 1e-5 * np.eye(len(place))[free]
    values = likelihood.values(np.concatenate([place + steps, place - steps]))
    slope = (values[:4] - values[4:]) / 2e-5
    assert likelihood.around(place[None], free).slope[0][free] == pytest.approx(slope, rel=1e-4)


def test_nodes_of_a_fit_serve_every_recording_whatever_the_noise():
    one, seen = candidate("cosine", {}), read(planted(count=6))
    found = one.likelihood(seen).loss.field.nodes
    states = np.exp(seen.log_variance.T[:, None] / 2)
    for noise in (0.0, 0.36):
        numbers = {"alpha": 1.0, "noise1": noise, "noise2": 0.0, "signal": 1.0, "weight_decay": 0.0}
        best = fit_nodes(one.system.program, states, numbers, 1e-8).nodes
        (points,) = points_of(one.system.program, states, numbers)
        own, gross, _ = points.moments(found)
        assert np.abs(own - points.means(best)).max() < 2e-3 * gross.max()


@pytest.mark.full
def test_steps_of_descent_are_followed_to_third_order_in_their_length():
    numbers = jnp.array([1.0, 1.2, 1.0, 0.02, 1.0, 1e-9, 1e-2, 0.3, 0.3])
    errors, follow = [], jax.jit(advance, static_argnums=1)
    for eta in (0.1, 0.05):
        log = tiny({"learning_rate": np.full(9, eta)})
        likelihood = candidate("euclidean", {}).likelihood(read(log))
        assert likelihood.kind.takes_steps
        none = jnp.zeros((0, 2)), jnp.full((2, 2), jnp.nan)
        at = now(likelihood.kind, numbers_of(_log(numbers)), *none)
        s = np.array([0.3, 0.6])
        x = 2 * np.log(s)
        for _ in range(round(1 / eta)):
            eigenvalue = s**2
            s = s + eta * (eigenvalue * (1 - 1.2 * eigenvalue) - 0.02) * s
            x = follow(likelihood.loss, likelihood.kind, at, x, eta, jnp.array(eta))
        errors.append(np.abs(np.asarray(x) - 2 * np.log(s)).max())
    assert errors[0] < 3e-4
    assert errors[1] < errors[0] / 6


@pytest.mark.parametrize("scale", [1.0, 30.0, 300.0])
def test_modes_that_move_within_a_step_come_to_rest_and_stay(scale):
    log = tiny({"learning_rate": np.full(9, 0.05)})
    likelihood = candidate("euclidean", {}).likelihood(read(log))
    numbers = jnp.array([scale, 1.2, 1.0, 0.02, 1.0, 1e-9, 1e-2, 0.3, 0.3])
    none = jnp.zeros((0, 2)), jnp.full((2, 2), jnp.nan)
    at = now(likelihood.kind, numbers_of(_log(numbers)), *none)
    x, follow = jnp.log(jnp.array([1e-3, 2.0])), jax.jit(advance, static_argnums=1)
    for _ in range(200):
        x = follow(likelihood.loss, likelihood.kind, at, x, 0.2, jnp.array(0.05))
    root = np.sqrt(1 - 4 * 1.2 * 0.02 / scale)  # λ (1 − cλ) = ω/A
    rest = (1 + root) / 2.4
    grown = np.isclose(np.exp(x), rest, rtol=1e-6)
    assert grown[1]
    assert grown[0] == ((1 - root) / 2.4 < 1e-3)  # else it falls for ever


def _log(numbers):
    return jnp.asarray(to_coordinates(np.asarray(numbers)))


def test_a_mode_that_died_long_ago_goes_on_dying_as_its_decay_says():
    one = candidate("euclidean", {"alpha": 1, "weight_decay": 0.25, "sigma1": 0, "sigma2": 0})
    likelihood = one.likelihood(read(tiny()))
    numbers = numbers_of(likelihood.low).at[3].set(0.25).at[4].set(1.0)
    at = now(likelihood.kind, numbers, np.zeros((0, 2)), np.ones((2, 2)))
    x = jnp.array([-100.0, -2000.0])
    moved = advance(likelihood.loss, likelihood.kind, at, x, jnp.array(1.0), jnp.array(0.0))
    np.testing.assert_allclose(moved - x, -0.5)


def test_times_however_uneven_have_micro_steps_that_can_be_counted():
    assert counts(np.array([1e9]), 2).tolist() == [2 * MOST]
    assert counts(np.array([0.1, 1e9, 0.3]), 1).tolist() == [1, MOST - 3, 2]
    assert counts(np.array([3.0, 0.6]), 1).tolist() == [12, 3]
