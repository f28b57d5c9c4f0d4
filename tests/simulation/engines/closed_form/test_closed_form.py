"""Claims about closed forms: against mpmath, against numerical integration, against the flow."""

from fractions import Fraction
from functools import cache

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp
from structures import first_of

from eigendyn.errors import NoClosedForm
from eigendyn.program.derivation import program_of
from eigendyn.program.in_jax import compile_field
from eigendyn.simulation.engines.closed_form.closed_form import (
    SOLUTIONS,
    bernoulli,
    closed_form,
    exponential,
    match_closed_form,
    omega,
)
from eigendyn.simulation.engines.closed_form.powers import growth_powers
from eigendyn.simulation.engines.in_jax.flow import gradient_flow
from eigendyn.simulation.engines.shifted.power_sum import growth_rate
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics
from eigendyn.theory.losses import SymbolicLoss, euclidean, named_loss
from eigendyn.theory.models import named_model

ROUND_OFF = np.finfo(float).eps
STARTS = np.array([1e-6, 1e-4, 1e-2, 0.1, 0.5, 1 / 1.3, 0.9, 1.0, 1.1, 2.0, 30.0, 1e3])
SIDES = {"euclidean": omega, "iso-euclidean": bernoulli}
LOSSES = pytest.mark.parametrize("loss", SIDES)
EXPONENTS = pytest.mark.parametrize("alpha", first_of(0.5, 1.0, 2.0))
NOISES = pytest.mark.parametrize("noise", [0.0, 0.3])  # σ₁²


def _exact(loss, v0, t, alpha, a, b):
    """Solve dv/dt = v q (a − b q) or v (a − b q) to 60 digits or more."""
    with mp.workdps(120):  # half of them cancel for huge starts
        v0, t, alpha, a, b = (mp.mpf(x) for x in (v0, t, alpha, a, b))
        if loss == "euclidean":
            u = a / (b * v0**alpha) - 1
            w = mp.lambertw(u * mp.exp(u - alpha * a**2 / b * t)).real
            return (a / (b * (1 + w))) ** (1 / alpha)
        decay = mp.exp(-alpha * a * t)
        duration = alpha * t if a == 0 else (1 - decay) / a
        remaining = decay + b * v0**alpha * duration
        return v0 * remaining ** (-1 / alpha) if remaining > 0 else mp.inf


def _errors(values, loss, starts, times, alpha, a, b):
    """Relative errors (modes, times) against `_exact`."""
    errors = np.empty(values.shape)
    with mp.workdps(60):
        for (i, j), value in np.ndenumerate(values):
            exact = _exact(loss, starts[i], times[j], alpha, a, b)
            errors[i, j] = abs(mp.mpf(float(value)) / exact - 1)
    return errors


def _growth(loss, v, alpha, a, b):
    q = v**alpha
    return q * (a - b * q) if loss == "euclidean" else a - b * q


def _dynamics(name, alpha=1.0, closure="exact", **options):
    return close(mode_dynamics(named_loss(name, **options), alpha), closure)


@cache
def _compiled(name, alpha):
    """The same field for every noise, so that its flow is compiled once."""
    dynamics = _dynamics(name, alpha)
    return dynamics, compile_field(dynamics)


def _solved(dynamics, starts, times, parameters):
    return closed_form(program_of(dynamics), starts, times, parameters)


def _growth_of(dynamics, **parameters):
    return growth_powers(program_of(dynamics), parameters, modes=3)


@LOSSES
@EXPONENTS
@NOISES
def test_closed_forms_are_exact_to_round_off(loss, alpha, noise):
    times = np.concatenate([[0], np.geomspace(1e-12, 1e6, 37)])
    a, b = 2.0, 2 * (1 + noise)
    values = np.asarray(SIDES[loss](STARTS, times, alpha, a, b))
    errors = _errors(values, loss, STARTS, times, alpha, a, b)
    assert errors.max() < 1e-14


@EXPONENTS
@NOISES
def test_euclidean_recruitment_errs_by_no_more_than_round_off_of_time(alpha, noise):
    a, b = 2.0, 2 * (1 + noise)
    pace = alpha * a**2 / b
    for start in np.geomspace(1e-6, 0.1, 6):
        recruitment = (a / (b * start**alpha) - 1) / pace
        times = recruitment * np.linspace(0.5, 1.5, 11)
        values = np.asarray(omega(np.array([start]), times, alpha, a, b))
        errors = _errors(values, "euclidean", [start], times, alpha, a, b)
        assert errors.max() < 2 * ROUND_OFF * (8 + pace * recruitment / alpha)


@pytest.mark.parametrize("start", [1e6, 1e12])
@EXPONENTS
def test_huge_starts_keep_their_digits_at_any_time(start, alpha):
    times = np.concatenate([[0], np.geomspace(1e-60, 10, 62)])
    for loss, solution in SIDES.items():
        values = np.asarray(solution(np.array([start]), times, alpha, 2.0, 2.0))
        errors = _errors(values, loss, [start], times, alpha, 2.0, 2.0)
        assert errors.max() < 1e-14


@EXPONENTS
def test_tiny_starts_neither_overflow_nor_underflow(alpha):
    starts = np.array([1e-300, 1e-200, 1e-30])
    times = np.concatenate([[0], np.linspace(1, 2000, 60)])
    values = np.asarray(bernoulli(starts, times, alpha, 2.0, 2.0))
    errors = _errors(values, "iso-euclidean", starts, times, alpha, 2.0, 2.0)
    assert errors.max() < 4 * ROUND_OFF * 700
    waiting = np.asarray(omega(starts, times, alpha, 2.0, 2.0))  # changes by 2 v^α t < 1e-11
    np.testing.assert_allclose(waiting, np.tile(starts[:, None], 61), rtol=1e-11)


@LOSSES
@EXPONENTS
@NOISES
def test_closed_forms_agree_with_an_independent_integrator(loss, alpha, noise):
    times = np.concatenate([[0], np.geomspace(1e-3, 150, 20)])
    a, b = 2.0, 2 * (1 + noise)
    values = np.asarray(SIDES[loss](STARTS, times, alpha, a, b))
    for start, ours in zip(STARTS, values, strict=True):
        run = solve_ivp(  # ln v spans nine decades without losing relative accuracy
            lambda _, x: _growth(loss, np.exp(x), alpha, a, b),
            (0, 150),
            [np.log(start)],
            method="DOP853",
            t_eval=times,
            rtol=1e-12,
            atol=1e-13,
        )
        np.testing.assert_allclose(ours, np.exp(run.y[0]), rtol=1e-9)


@pytest.mark.full  # as with the independent integrator above
@LOSSES
@EXPONENTS
@NOISES
def test_closed_forms_agree_with_the_gradient_flow(loss, alpha, noise):
    dynamics, field = _compiled(loss, alpha)
    parameters = {"sigma1": noise**0.5, "sigma2": 0.1, "weight_decay": 0.0}
    times = np.linspace(0, 150, 31)
    flowed = gradient_flow(field, np.sqrt(STARTS)[None], times, parameters)
    solved = _solved(dynamics, STARTS, times, parameters)
    assert solved.states == flowed.states
    assert solved.status == flowed.status == "completed"
    np.testing.assert_array_equal(solved.times, flowed.times)
    np.testing.assert_allclose(solved.values, flowed.values, rtol=1e-9)


@LOSSES
@EXPONENTS
def test_what_they_are_compared_with_satisfies_its_differential_equation(loss, alpha):
    a, b = mp.mpf(2), mp.mpf(2.6)
    for start in (1e-3, 0.3, 5.0):
        for time in (0.01, 1.0, 7.0):
            with mp.workdps(60):
                h = mp.mpf(10) ** -20
                before, now, after = (
                    _exact(loss, mp.mpf(start), time + step, mp.mpf(alpha), a, b)
                    for step in (-h, 0, h)
                )
                slope = (after - before) / (2 * h)
                expected = now * _growth(loss, now, mp.mpf(alpha), a, b)
            assert abs(slope / expected - 1) < 1e-20


@pytest.mark.parametrize(("a", "b"), [(-1.0, 2.0), (0.0, 2.0), (1e-9, 1.0), (-1e-9, 1.0)])
@EXPONENTS
def test_bernoulli_without_growth_decays(alpha, a, b):
    times = np.concatenate([[0], np.geomspace(1e-6, 300, 20)])
    values = np.asarray(bernoulli(STARTS, times, alpha, a, b))
    errors = _errors(values, "iso-euclidean", STARTS, times, alpha, a, b)
    assert errors.max() < 4 * ROUND_OFF * (4 + abs(a) * 300)


def test_bernoulli_without_saturation_is_exponential():
    times = np.linspace(0, 20, 5)
    for a in (-1.5, 0.0, 2.0):
        np.testing.assert_allclose(
            bernoulli(STARTS, times, 0.5, a, 0.0), exponential(STARTS, times, a), rtol=1e-13
        )


def test_bernoulli_with_negative_saturation_ends_where_it_becomes_infinite():
    end = 1 / (2 * 0.5)  # 1/(α |b| v₀^α)
    times = np.array([0, 0.5, 0.999, 1.001, 5]) * end
    values = np.asarray(bernoulli(np.array([0.5]), times, 1.0, 0.0, -2.0))[0]
    np.testing.assert_allclose(values[:3], 0.5 / (1 - times[:3] / end), rtol=1e-12)
    np.testing.assert_array_equal(values[3:], np.inf)


@LOSSES
@EXPONENTS
def test_zero_stays_zero_and_the_fixed_point_stays(loss, alpha):
    fixed = (2.0 / 2.6) ** (1 / alpha)
    times = np.array([0, 1e-9, 1.0, 1e6])
    values = SIDES[loss](np.array([0.0, fixed]), times, alpha, 2.0, 2.6)
    np.testing.assert_array_equal(values[0], 0)
    np.testing.assert_allclose(values[1], fixed, rtol=1e-15)
    np.testing.assert_array_equal(SIDES[loss](np.ones(1), times, alpha, 2.0, 2.0), 1)


@LOSSES
def test_single_precision_stays_single(loss):
    starts, times = STARTS.astype(np.float32), np.linspace(0, 20, 9)
    values = np.asarray(SIDES[loss](starts, times, 1.0, 2.0, 2.6))
    assert values.dtype == np.float32
    double = SIDES[loss](starts.astype(float), times.astype(np.float32), 1.0, 2.0, 2.6)
    np.testing.assert_allclose(values, double, rtol=3e-5)


@EXPONENTS
def test_derived_growth_rates_match_the_patterns(alpha):
    b = 2 + 2 * Fraction(3, 10) ** 2

    def match(dynamics):
        form = match_closed_form(_growth_of(dynamics, sigma1=0.3, sigma2=0.1, weight_decay=0.0))
        return form.pattern, form.arguments

    assert match(_dynamics("euclidean", alpha)) == ("omega", (alpha, 2, b))
    assert match(_dynamics("iso-euclidean", alpha)) == ("bernoulli", (alpha, 2, b))
    bare = _dynamics("euclidean", predictor=False)
    assert match(bare) == ("exponential", (-2 * Fraction(3, 10) ** 2,))


def test_an_exponent_that_is_a_parameter_matches_as_well():
    dynamics = close(mode_dynamics(euclidean(), sym.alpha))
    growth = _growth_of(dynamics, sigma1=0.0, sigma2=0.1, weight_decay=0.0, alpha=1 / 3)
    assert match_closed_form(growth).pattern == "omega"
    assert match_closed_form(growth).arguments == (Fraction(1, 3), 2, 2)


@pytest.mark.parametrize("stopped", [True, False])
@pytest.mark.parametrize("predictor", [True, False])
@pytest.mark.parametrize("alpha", [0.5, 0.3, 1.0])
@LOSSES
def test_powers_of_a_program_are_those_of_its_growth_rate_in_symbols(
    loss, alpha, predictor, stopped
):
    dynamics = _dynamics(loss, alpha, predictor=predictor, stop_gradient=stopped)
    _powers_agree(dynamics, {"sigma1": 0.3, "sigma2": 0.1, "weight_decay": 0.02})


@pytest.mark.parametrize("model", ["barlow-twins", "deep-linear"])
def test_so_are_those_of_models(model):
    dynamics = named_model(model)
    _powers_agree(dynamics, {"weight_decay": 0.0, **dict(dynamics.parameters)})


def _powers_agree(dynamics, numbers):
    found = _growth_of(dynamics, **numbers)
    exact = {
        symbol: sp.nsimplify(numbers[str(symbol)], rational=True)
        for symbol in growth_rate(dynamics).free_symbols - {sym.variance}
    }
    growth = sp.expand(growth_rate(dynamics).xreplace(exact))
    told = sum(sp.Rational(c) * sym.variance ** sp.Rational(r) for r, c in found.items())
    assert sp.expand(growth - told) == 0


@pytest.mark.parametrize("decay", [0.3, 1.0, 1.7])
def test_weight_decay_leaves_the_isotropic_loss_its_closed_form(decay):
    dynamics = _dynamics("iso-euclidean", 0.5)
    parameters = {"sigma1": 0.4, "sigma2": 0.1, "weight_decay": decay}
    times = np.linspace(0, 20, 11)
    solved = _solved(dynamics, STARTS, times, parameters)
    expected = bernoulli(STARTS, times, 0.5, 2 * (1 - decay), 2 * (1 + 0.4**2))
    np.testing.assert_allclose(solved.values[0] ** 2, expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "options", "decay"),
    [
        ("euclidean", {}, 0.1),
        ("euclidean", {"stop_gradient": False}, 0.0),
        ("euclidean", {"beta": 0.5}, 0.0),
        ("euclidean", {"closure": "sampled"}, 0.0),
        ("cosine", {}, 0.0),
        ("cosine", {"closure": "mean-field"}, 0.0),
        ("iso-cosine", {"predictor": False}, 0.0),
    ],
)
def test_dynamics_without_a_closed_form_are_refused(name, options, decay):
    parameters = {"sigma1": 0.0, "sigma2": 0.1, "weight_decay": decay}
    with pytest.raises(NoClosedForm, match=r"needs.*Try `method='flow'"):
        _solved(_dynamics(name, **options), STARTS, np.linspace(0, 1, 3), parameters)


def test_patterns_need_their_signs():
    for growth in ({2: 1, 1: -1}, {1: -1, 2: -1}, {-1: 1, 0: -1}, {2: 1, 3: -1}):
        with pytest.raises(NoClosedForm, match="Here g = "):
            match_closed_form(growth)


def test_what_is_no_sum_of_powers_says_so():
    logarithmic = SymbolicLoss("logarithmic", sym.mode_sum(sp.log(sym.lam) * sym.z1**2))
    with pytest.raises(NoClosedForm, match=r"function, log.*Try `method='flow'"):
        _growth_of(close(mode_dynamics(logarithmic)), sigma1=0.1, weight_decay=0.0)


def test_modes_keep_their_order_and_times_may_start_anywhere():
    dynamics = _dynamics("euclidean")
    parameters = {"sigma1": 0.0, "sigma2": 0.1, "weight_decay": 0.0}
    shuffled = np.array([0.3, 5.0, 0.0, 0.01])
    early = _solved(dynamics, shuffled, np.array([0.0, 1.0]), parameters)
    late = _solved(dynamics, shuffled, np.array([7.0, 8.0]), parameters)
    assert early.values.shape == (1, 4, 2)
    np.testing.assert_array_equal(early.values, late.values)
    np.testing.assert_array_equal(early.values[0, :, 0], np.sqrt(shuffled))


@LOSSES
def test_starts_beyond_the_range_of_floats_are_forgotten_at_once(loss):
    dynamics = _dynamics(loss, 2.0)
    parameters = {"sigma1": 0.0, "sigma2": 0.1, "weight_decay": 0.0}
    starts = np.array([1e200, 1e300, 1e12])
    solved = _solved(dynamics, starts, np.linspace(0, 2, 5), parameters)
    assert solved.status == "completed"
    np.testing.assert_array_equal(solved.values[0, :, 0], np.sqrt(starts))
    np.testing.assert_allclose(solved.values[0, 0, 1:], solved.values[0, 2, 1:], rtol=1e-12)
    np.testing.assert_allclose(solved.values[0, 1, 1:], solved.values[0, 2, 1:], rtol=1e-12)


def test_many_modes_are_solved_in_blocks_of_time():
    dynamics = _dynamics("iso-euclidean")
    parameters = {"sigma1": 0.0, "sigma2": 0.1, "weight_decay": 0.0}
    starts, times = np.geomspace(1e-6, 1e3, 50_000), np.linspace(0, 10, 50)
    solved = _solved(dynamics, starts, times, parameters)
    expected = bernoulli(starts[::5000], times, 1.0, 2.0, 2.0)
    np.testing.assert_allclose(solved.values[0, ::5000] ** 2, expected, rtol=1e-14)


def test_a_mode_that_becomes_infinite_ends_the_trajectory():
    growing = SymbolicLoss("growing", -sym.mode_sum(sym.lam * sym.z1**2) / 2)  # dv/dt = 2 v²
    dynamics = close(mode_dynamics(growing))
    parameters = {"sigma1": 0.0, "weight_decay": 0.0}
    trajectory = _solved(dynamics, np.array([0.5, 0.1]), np.linspace(0, 2, 21), parameters)
    assert trajectory.status == "diverged"
    assert "infinite after time 0.9" in trajectory.message
    assert trajectory.values.shape == (1, 2, 10)
    assert np.isfinite(trajectory.values).all()


def test_every_solution_starts_at_its_start():
    for name, solution in SOLUTIONS.items():
        arguments = (2.0,) if name == "exponential" else (1.0, 2.0, 2.6)
        values = solution(STARTS, np.zeros(1), *arguments)
        np.testing.assert_allclose(values[:, 0], STARTS, rtol=1e-15)
