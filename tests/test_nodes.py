"""Claims about quadrature nodes."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from independent import cosine_moments

from eigendyn.closure import close
from eigendyn.compile import compile_field
from eigendyn.derive import mode_dynamics
from eigendyn.losses import cosine
from eigendyn.nodes import fit_nodes, judge_nodes
from eigendyn.program.derivation import program_of

PARAMETERS = {"sigma1": 0.0, "sigma2": 0.1, "weight_decay": 0.0}
DYNAMICS = close(mode_dynamics(cosine()))
PROGRAM = program_of(DYNAMICS)


def rates(fit, states, parameters=PARAMETERS):
    return replace(compile_field(DYNAMICS), nodes=fit.nodes)(0.0, states, parameters)[0]


def points(*spectra):
    return np.sqrt(np.array(spectra))[:, None, :]


def test_more_accuracy_takes_more_nodes_and_brings_less_error():
    spectrum = points([0.01, 0.2, 0.9])
    loose, tight = (fit_nodes(PROGRAM, spectrum, PARAMETERS, a) for a in (1e-3, 1e-10))
    assert len(loose.nodes.weights) < len(tight.nodes.weights)
    assert loose.error > 100 * tight.error


def test_nodes_do_not_depend_on_the_scale_of_the_spectrum():
    """E[z·δ] of the cosine loss depends on ratios of variances alone, α = 1."""
    v = np.array([0.05, 0.3, 1.0])
    for scale in (1e-8, 1e8):
        fit = fit_nodes(PROGRAM, points(scale * v), PARAMETERS)
        states = jnp.asarray(points(scale * v)[0])
        moments = rates(fit, states) * states[0]
        expected = cosine_moments(v, v, 0.0, 0.01)[0]
        np.testing.assert_allclose(moments, expected, rtol=1e-8)


@pytest.mark.parametrize("spectrum", [[1e-6, 2.0], [1e-12, 1e-6, 1.0]])
def test_spectra_over_many_decades_keep_their_relative_accuracy(spectrum):
    fit = fit_nodes(PROGRAM, points(spectrum), PARAMETERS)
    states = jnp.asarray(points(spectrum)[0])
    moments = rates(fit, states) * states[0]
    v = np.array(spectrum)
    expected = cosine_moments(v, v, 0.0, 0.01, farthest=120)[0]
    np.testing.assert_allclose(moments[:-1], expected[:-1], rtol=1e-7)


def test_nodes_that_do_not_serve_another_spectrum_are_found_out():
    narrow = fit_nodes(PROGRAM, points([1.0, 1.0]), PARAMETERS, 1e-6)
    assert judge_nodes(PROGRAM, narrow, points([1.0, 0.9]), PARAMETERS, 1e-6).reached
    wide = judge_nodes(PROGRAM, narrow, points([1.0, 1e-9]), PARAMETERS, 1e-6)
    assert not wide.reached


def test_nodes_at_equal_variances_serve_their_neighbourhood():
    silent = {**PARAMETERS, "sigma2": 0.0}
    fit = fit_nodes(PROGRAM, points([0.8, 0.8, 0.8]), silent, 1e-10)
    states = jnp.asarray(points([0.8, 0.8, 0.8])[0])
    jacobian = jax.jacfwd(lambda s: rates(fit, s, silent))(states)
    slowest = np.linalg.eigvalsh(np.asarray(jacobian)[:, 0])[0]
    assert slowest == pytest.approx(-2 / (5 * 0.8), rel=1e-9)


def test_a_vanished_mode_asks_for_no_nodes_of_its_own():
    """Beside the largest it could only be served by nodes over as many decades."""
    served = fit_nodes(PROGRAM, points([1e-40, 0.3, 1.0]), PARAMETERS)
    alone = fit_nodes(PROGRAM, points([0.3, 1.0]), PARAMETERS)
    assert served.reached
    assert len(served.nodes.weights) <= 2 * len(alone.nodes.weights)
