"""Claims about quadrature nodes."""

import tracemalloc
from dataclasses import replace

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from independent import cosine_moments
from structures import first_of

from eigendyn.program.derivation import program_of
from eigendyn.program.in_jax import compile_field
from eigendyn.simulation import nodes
from eigendyn.simulation.node_errors import Points
from eigendyn.simulation.nodes import fit_nodes, judge_nodes
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics
from eigendyn.theory.losses import cosine, named_loss

PARAMETERS = {"sigma1": 0.0, "sigma2": 0.1, "weight_decay": 0.0}
DYNAMICS = close(mode_dynamics(cosine()))
PROGRAM = program_of(DYNAMICS)


def rates(fit, states, parameters=PARAMETERS):
    field = replace(compile_field(DYNAMICS), nodes=fit.nodes)
    return _rates(field, states, parameters)


@jax.jit
def _rates(field, states, parameters):
    return field(0.0, states, parameters)[0]


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


def test_nodes_for_many_modes_are_chosen_in_little_memory():
    """Modes × modes would be 32 MB. What follows with them is in program/test_in_jax.py."""
    spectrum = 10 ** np.random.default_rng(0).uniform(-2, 0.3, 2_000)
    tracemalloc.start()
    fit_nodes(PROGRAM, points(spectrum), PARAMETERS, 1e-2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6


@pytest.mark.parametrize("spectrum", first_of([1e-12, 1e-6, 1.0], [1e-6, 2.0]))
def test_spectra_over_many_decades_keep_their_relative_accuracy(spectrum):
    fit = fit_nodes(PROGRAM, points(spectrum), PARAMETERS)
    states = jnp.asarray(points(spectrum)[0])
    moments = rates(fit, states) * states[0]
    v = np.array(spectrum)
    expected = cosine_moments(v, v, 0.0, 0.01, farthest=120)[0]
    np.testing.assert_allclose(moments[:-1], expected[:-1], rtol=1e-7)


@pytest.mark.parametrize("accuracy", [1e-7, 1e-11])
@pytest.mark.parametrize("modes", [2, 4, 10, 50])
def test_few_rules_are_tried_before_one_is_as_accurate_as_asked_and_hardly_more(
    monkeypatch, modes, accuracy
):
    tried = []

    def counted(program, step, reach):
        tried.append(step)
        return rules(program, step, reach)

    rules = nodes.rules
    monkeypatch.setattr(nodes, "rules", counted)
    fit = fit_nodes(PROGRAM, points(np.geomspace(0.05, 2, modes)), PARAMETERS, accuracy)
    assert len(tried) <= 5
    assert fit.step == tried[-1]
    assert 1e-3 * accuracy < max(fit.excess) <= accuracy


def test_states_that_a_settled_run_repeats_are_judged_once(monkeypatch):
    settled = np.concatenate([points([0.3, 1.0]), *[points([0.8, 0.9])] * 5, points([0.1, 0.2])])
    fit = fit_nodes(PROGRAM, settled[:2], PARAMETERS, 1e-6)
    single = [judge_nodes(PROGRAM, fit, one[None], PARAMETERS, 1e-6) for one in settled]
    looked = []
    points_of = nodes.points_of
    monkeypatch.setattr(
        nodes, "points_of", lambda *given: looked.append(len(given[1])) or points_of(*given)
    )
    judged = judge_nodes(PROGRAM, fit, settled, PARAMETERS, 1e-6)
    assert looked == [3]
    expected = [one.excess[0] for one in single]
    np.testing.assert_allclose(judged.excess, expected, rtol=1e-6, atol=1e-14)
    assert judged.error == pytest.approx(max(one.error for one in single), rel=1e-6)


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


def two_modes_seen_alike(v1, v2):
    """E[z1 δ1] of iso-cosine for two modes and σ = 0, in polar coordinates, by mpmath.

    A sample is r (√v1 cos θ, √v2 sin θ) with θ uniform, and the integrand does not depend on r.
    """
    v1, v2 = mpmath.mpf(v1), mpmath.mpf(v2)

    def integrand(u):  # tan θ = e^u
        cos2, sin2 = 1 / (1 + mpmath.exp(2 * u)), 1 / (1 + mpmath.exp(-2 * u))
        first, second = v1 * cos2, v2 * sin2
        p = mpmath.sqrt(v1**2 * first + v2**2 * second)
        z = mpmath.sqrt(first + second)
        return first * v2 * second * (v2 - v1) / (p**3 * z) * mpmath.sqrt(cos2 * sin2)

    far = 2 * abs(mpmath.log(v1 / v2)) + 40
    return float(2 / mpmath.pi * mpmath.quad(integrand, mpmath.linspace(-far, far, 81)))


def two_modes_seen_apart(v, noise, step=0.25):
    """E[z1 δ1] of iso-cosine for two modes and σ2² = noise, by the angles of both views.

    The angles θ and φ of two correlated isotropic pairs have the density below; the integrand
    depends on nothing else. tan θ = e^u, tan φ = e^w in every pair of quadrants.
    """
    u = np.arange(-135, 135, step)
    cos, sin = 1 / np.sqrt(1 + np.exp(2 * u)), 1 / np.sqrt(1 + np.exp(-2 * u))
    r, weight = 1 / np.sqrt(1 + noise), 4 * step**2 * cos * sin
    a, b = np.sqrt(v[0]), np.sqrt(v[1])
    x, xs = (each[:, None] for each in (cos, sin))
    p = np.hypot(v[0] * a * x, v[1] * b * xs)
    z = np.hypot(a * cos, b * sin)
    nodes, gauss = np.polynomial.legendre.leggauss(6)

    def density(k):
        angle = np.pi / 2 + np.arcsin(k)
        return (1 - r**2) / (4 * np.pi**2 * (1 - k**2)) * (1 + k * angle / np.sqrt(1 - k**2))

    def slope(k):
        angle, q = np.pi / 2 + np.arcsin(k), 1 - k**2
        own = 2 * k / q**2 * (1 + k * angle / np.sqrt(q))
        inner = angle / np.sqrt(q) + k / q + k**2 * angle / q**1.5
        return (1 - r**2) / (4 * np.pi**2) * (own + inner / q)

    total = 0.0
    for sign in (1, -1):
        middle, half = sign * r * x * cos, r * xs * sin
        both = density(middle + half) + density(middle - half)
        odd = sum(g * half * slope(middle + n * half) for n, g in zip(nodes, gauss, strict=True))
        odd = np.where(half < 0.01, odd, density(middle + half) - density(middle - half))
        first, second = v[0] * a * x / p, v[1] * b * xs / p
        even_part = second * sign * a * cos / z * both  # the sign of the second mode's second view
        odd_part = first * b * sin / z * odd
        integrand = a * x / p * second * (even_part - odd_part)
        total += (integrand * weight[:, None] * weight / (4 * step**2)).sum()
    return total


@pytest.mark.parametrize("small", [1e-6, 1e-20, 1e-40])
def test_a_mode_far_below_the_largest_keeps_its_relative_accuracy(small):
    program = program_of(close(mode_dynamics(named_loss("iso-cosine"))))
    silent = {**PARAMETERS, "sigma2": 0.0}
    fit = fit_nodes(program, points([small, 1.0]), silent)
    assert fit.reached
    found = first_moment(program, fit, [small, 1.0], silent)
    assert found == pytest.approx(two_modes_seen_alike(small, 1.0), rel=1e-9)


def test_so_it_does_where_the_views_differ():
    small = 1e-30
    program = program_of(close(mode_dynamics(named_loss("iso-cosine"))))
    noisy = {**PARAMETERS, "sigma2": 1.0}
    fit = fit_nodes(program, points([small, 1.0]), noisy)
    assert fit.reached
    found = first_moment(program, fit, [small, 1.0], noisy)
    assert found == pytest.approx(two_modes_seen_apart([small, 1.0], 1.0), rel=1e-9)


def first_moment(program, fit, spectrum, parameters):
    states = points(spectrum)[0]
    moments = Points(program, states[None], parameters).moments(fit.nodes)[0][0]
    return (moments[:, 0] * states[0, 0]).sum()


def test_a_spectrum_too_wide_for_the_numbers_is_said_to_be():
    fit = fit_nodes(PROGRAM, points([1e-120, 1.0]), PARAMETERS)
    assert not fit.reached
    far = fit_nodes(PROGRAM, points([1e100, 1e-250]), PARAMETERS)
    assert not far.reached
    assert far.error == np.inf


def test_nodes_that_see_nothing_of_an_integrand_do_not_serve():
    """What they take for its size is nothing too, so that the moment itself has to tell."""
    spectrum = points([0.3, 1.0, 2.0])
    fit = fit_nodes(PROGRAM, spectrum, PARAMETERS)
    silent = replace(fit, nodes=replace(fit.nodes, weights=0 * fit.nodes.weights))
    judged = judge_nodes(PROGRAM, silent, spectrum, PARAMETERS)
    assert judged.excess[0] == pytest.approx(1, rel=1e-12)
    assert not judged.reached


def test_nodes_that_single_precision_cannot_use_are_found_out():
    """λ² of the small mode is no number of float32."""
    spectrum = points([1e-30, 1.0])
    fit = fit_nodes(PROGRAM, spectrum, PARAMETERS, 1e-7)
    assert judge_nodes(PROGRAM, fit, spectrum, PARAMETERS, 1e-5).reached
    assert not judge_nodes(PROGRAM, fit, spectrum, PARAMETERS, 1e-5, "float32").reached


def test_of_very_many_modes_some_tell_the_nodes_for_all():
    spectrum = points(np.exp(np.random.default_rng(0).normal(size=2000)))
    fit = fit_nodes(PROGRAM, spectrum, PARAMETERS)
    assert fit.reached
    assert len(fit.excess) == 1
    finer = fit_nodes(PROGRAM, spectrum[..., ::8], PARAMETERS, 1e-13)
    assert judge_nodes(PROGRAM, finer, spectrum, PARAMETERS, 1e-12).reached
