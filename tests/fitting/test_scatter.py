"""Claims about what is not known of coupled modes: the filter gives their joint distribution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import multivariate_normal

from eigendyn.fitting.motion import Kind, pushes
from eigendyn.fitting.scatter import carried, independent, learned, of_readings

RNG = np.random.default_rng(0)
SLOPES = RNG.normal(size=(3, 3)) - 0.5 * np.eye(3)
NOISE, ERRORS = np.array([0.02, 0.05, 0.01]), np.array([0.1, 0.2, 1.0])
INSIDE = np.array([[1.0, 0, 0], [0, 1, 1], [0, 0, 0]])  # the third is no reading
PART = np.array([1.0, 0.3, 0.7])
WEIGHTS = INSIDE * PART
FIRST, STEPS = np.diag([0.3, 0.2, 0.4]), 4


def test_prediction_errors_of_coupled_modes_are_those_of_their_joint_distribution():
    y = RNG.normal(size=(STEPS, 3)) * [1, 1, 0]
    mean, scatter, found = np.zeros(3), jnp.asarray(FIRST), 0.0
    for read in y:
        mean, scatter = expm(SLOPES) @ mean, carried(scatter, SLOPES, np.diag(NOISE))
        innovation, spread = read - WEIGHTS @ mean, of_readings(scatter, INSIDE, PART, ERRORS)
        known = learned(scatter, INSIDE, PART, spread, innovation)
        errors, variances = np.asarray(known.errors), np.asarray(known.variances)
        again = np.asarray(independent(innovation, spread))
        assert again == pytest.approx(np.array([errors, variances]))
        found += 0.5 * (errors**2 / variances + np.log(2 * np.pi * variances)).sum()
        mean, scatter = mean + known.shift, known.scatter
    # x_k = Φ^k x_0 + Σ_j Φ^(k−j) ξ_j, all at once, each ξ_j an integral over its step
    flows = [expm(SLOPES * k) for k in range(STEPS + 1)]
    within = [expm(SLOPES * s) for s in (np.arange(1000) + 0.5) / 1000]
    noise = np.mean([flow @ np.diag(NOISE) @ flow.T for flow in within], axis=0)
    places = range(1, STEPS + 1)
    joint = np.zeros((STEPS, 3, STEPS, 3))
    for a in places:
        for b in places:
            inner = flows[a] @ FIRST @ flows[b].T
            for j in range(1, min(a, b) + 1):
                inner = inner + flows[a - j] @ noise @ flows[b - j].T
            joint[a - 1, :, b - 1] = WEIGHTS @ inner @ WEIGHTS.T + (a == b) * np.diag(ERRORS)
    whole = multivariate_normal(np.zeros(3 * STEPS), joint.reshape(3 * STEPS, -1))
    assert found == pytest.approx(-whole.logpdf(y.ravel()), rel=1e-6)


def test_modes_apart_are_coupled_ones_without_coupling():
    own, first, inside, part = np.diag(SLOPES), np.diag(FIRST), np.eye(3), np.ones(3)
    apart, together = carried(first, own, NOISE), carried(FIRST, np.diag(own), np.diag(NOISE))
    assert np.diag(np.asarray(together)) == pytest.approx(np.asarray(apart), rel=1e-6)
    spreads = [of_readings(scatter, inside, part, ERRORS) for scatter in (first, FIRST)]
    assert np.asarray(spreads[1]) == pytest.approx(np.diag(spreads[0]))
    pairs = zip((first, FIRST), spreads, strict=True)
    one, all_ = (learned(scatter, inside, part, spread, NOISE) for scatter, spread in pairs)
    assert np.asarray(all_.shift) == pytest.approx(np.asarray(one.shift))
    assert np.asarray(all_.kept) == pytest.approx(np.asarray(one.kept))
    assert np.diag(np.asarray(all_.scatter)) == pytest.approx(np.asarray(one.scatter))


def test_no_lapack_is_called_that_waits_for_ever_where_two_programs_run():
    program = jax.jit(learned).lower(FIRST, INSIDE, PART, np.diag(ERRORS), NOISE).as_text()
    assert "lapack" not in program
    assert "lapack" in jax.jit(jnp.linalg.cholesky).lower(FIRST).as_text()  # as it would be named


def test_stiff_modes_are_known_as_well_as_the_noise_that_is_left():
    found = carried(FIRST, np.diag([-500.0, -1.0, 0.0]), np.zeros((3, 3)))
    expected = np.diag([0.0, 0.2 * np.exp(-2), 0.4])
    assert np.isfinite(found).all()
    assert np.diag(np.asarray(found))[0] < 1e-8
    assert carried(FIRST, np.diag([-10.0, -1.0, 0.0]), np.zeros((3, 3))) == pytest.approx(
        expected, abs=1e-7
    )


def test_noise_of_batches_leaves_the_whole_variance_of_a_normalised_loss():
    x, added = np.log([0.5, 0.2, 0.1]), NOISE
    kind = Kind(is_coupled=True, is_scale_free=True, beta=0.0, takes_steps=False)
    root = np.asarray(pushes(kind, jnp.asarray(x), jnp.asarray(added)))
    assert np.exp(x) @ root == pytest.approx(np.zeros(3), abs=1e-15)
    left = np.diag(added) - root @ root.T  # only along one direction
    assert np.linalg.matrix_rank(left, tol=1e-12) == 1
    free = pushes(kind._replace(is_scale_free=False), jnp.asarray(x), jnp.asarray(added))
    assert np.asarray(free @ free.T) == pytest.approx(np.diag(added))
