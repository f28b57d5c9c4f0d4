"""Runs end where the pages on learned and running predictors say, and collapse where they say."""

import jax
import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp

import eigendyn
from derivations import learned_predictor as learned
from derivations import running_correlation as running
from eigendyn.results.dataset import kept_quantities
from eigendyn.simulation.engines.in_jax.flow import gradient_flow
from eigendyn.theory import symbols as sym

KAPPA, NOISE, DECAY = 2.0, 0.2, 0.15
C = 1 + NOISE**2
NUMBERS = {learned.tau: 1, sym.sigma1: NOISE, sym.weight_decay: DECAY, sym.predictor_rate: KAPPA}


def settings(decay=DECAY, **more):
    chosen = {"predictor": "learned", "predictor_rate": KAPPA, "sigma1": NOISE}
    return chosen | {"weight_decay": decay, "predictor_decay": decay} | more


def learn(variances, start, decay=DECAY, **more):
    return eigendyn.simulate(
        "euclidean",
        variances,
        predictor_start=start,
        **settings(decay, **({"method": "compiled", "steps": 3000} | more)),
    )


def number(expression, more=()):
    return float(expression.subs(NUMBERS | dict(more)))


SADDLE, NODE = number(learned.hand_saddle()), number(learned.hand_node())
ROOTS = {learned.saddle: SADDLE, learned.node: NODE}


def test_starts_on_the_parabola_above_the_saddle_end_at_the_node():
    for start in (SADDLE * (1 + 1e-6), 0.5, 1.5):
        run = learn([start**2 / KAPPA], start)
        assert run.predictor_value[0, -1] == pytest.approx(NODE, abs=1e-8)
        assert run.variance[0, -1] == pytest.approx(NODE**2 / KAPPA, abs=1e-8)


@pytest.mark.full  # off the parabola both sides of the manifold are followed below
def test_starts_on_the_parabola_below_the_saddle_collapse():
    for start in (SADDLE * (1 - 1e-6), 0.05):
        run = learn([start**2 / KAPPA], start, method="flow")  # compiled code flags the first
        assert run.predictor_value[0, -1] < 1e-8
        assert run.outcome.values == ["collapsed"]


def test_an_ema_target_ends_at_the_same_state():
    """The ratio τ ends at one, whatever it was on the way."""
    run = learn([0.3, 1.0], 0.5, target="ema", ema=0.9)
    np.testing.assert_allclose(run.predictor_value[:, -1], NODE, rtol=0, atol=1e-8)
    ratio = run.target_value / run.singular_value
    np.testing.assert_allclose(ratio[:, -1], 1, rtol=0, atol=1e-8)
    assert np.abs(ratio - 1).max() > 0.05


@pytest.mark.parametrize(("side", "far"), [(1, 0.5), (-1, 0.06)])
def test_starts_off_the_parabola_part_at_the_stable_manifold_of_the_saddle(side, far):
    """The manifold is followed backwards from the saddle, along its slope, with other code."""

    def backwards(_, state):
        p, v = state
        pull = v * (1 - C * p)
        return [DECAY * p - KAPPA * pull, 2 * DECAY * v - 2 * p * pull]

    def reached(_, state):
        return state[0] - far

    reached.terminal = True
    direction = np.array([1, number(learned.hand_boundary_slope(), ROOTS)])
    beside = np.array([SADDLE, SADDLE**2 / KAPPA]) + side * 1e-6 * direction
    path = solve_ivp(backwards, (0, 60), beside, events=reached, rtol=1e-12, atol=1e-15)
    p, v = path.y[:, -1]
    assert abs(v / (p**2 / KAPPA) - 1) > 0.5  # far off the parabola
    run = learn([v * (1 - 1e-6), v * (1 + 1e-6)], p)
    assert run.predictor_value[0, -1] < 1e-8
    assert run.predictor_value[1, -1] == pytest.approx(NODE, abs=1e-8)


@pytest.mark.parametrize("loss", ["euclidean", "cosine"])
def test_encoder_and_predictor_become_balanced(loss):
    run = eigendyn.simulate(
        loss, [0.3, 1.0, 2.0], predictor_start=0.5, **settings(method="compiled", steps=100)
    )
    found = kept_quantities(run)
    assert [name for name in found if "κ" in name]
    assert all(one.attrs["relative_drift"] < 1e-9 for one in found.values())
    unbalanced = run.variance - run.predictor_value**2 / KAPPA
    decayed = unbalanced[:, 0] * np.exp(-2 * DECAY * run.time)  # of every mode by itself
    np.testing.assert_allclose(unbalanced, decayed, rtol=0, atol=1e-9)


def test_the_compiled_field_has_the_derived_eigenvalues():
    for root in (SADDLE, NODE):
        field, states, numbers = eigendyn.vector_field(
            "euclidean", [root**2 / KAPPA], predictor_start=root, **settings()
        )
        np.testing.assert_allclose(field(0.0, states, numbers), 0, atol=1e-15)
        slope = jax.jacfwd(lambda x, f=field, n=numbers: f(0.0, x[:, None], n)[:, 0])(states[:, 0])
        along = number(learned.hand_eigenvalue_along(), {sym.predictor_value: root})
        expected = sorted([number(learned.hand_eigenvalue_across()), along])
        np.testing.assert_allclose(np.sort(np.linalg.eigvals(slope)), expected, atol=1e-14)


def test_the_critical_decay_is_within_one_percent():
    critical = number(learned.hand_critical_decay())
    starts = [0.1, 0.5, 3.0]
    below = learn(starts, 1.0, decay=0.99 * critical, steps=10_000)
    attractor = number(learned.hand_node(), {sym.weight_decay: 0.99 * critical})
    np.testing.assert_allclose(below.predictor_value[1:, -1], attractor, rtol=0, atol=1e-8)
    beyond = learn(starts, 1.0, decay=1.01 * critical, steps=10_000)
    assert (beyond.outcome == "collapsed").all()
    slowest = beyond.variance[:, 0] * np.exp(-2 * 0.01 * critical * beyond.time)
    assert (beyond.variance <= slowest * (1 + 1e-9)).all()


def test_without_decay_a_predictor_that_starts_too_large_collapses():
    start, variances = 1.5, np.array([0.3, 0.6, 0.75, 2.0])
    run = learn(variances, start, decay=0.0)
    here = {learned.p0: start}
    threshold = number(learned.hand_largest_start(), {learned.s0: 1}) - KAPPA  # τ²/c²
    ends = [
        number(learned.hand_final_variance(), here | {learned.s0: s}) for s in np.sqrt(variances)
    ]
    survives = start**2 < KAPPA * variances + threshold
    assert survives.tolist() == [False, False, True, True]
    np.testing.assert_allclose(run.variance[:, -1], np.where(survives, ends, 0), atol=1e-8)
    stuck = np.sqrt(np.maximum(start**2 - KAPPA * variances, 0))
    predictors = np.where(survives, 1 / C, stuck)
    np.testing.assert_allclose(run.predictor_value[:, -1], predictors, rtol=0, atol=1e-8)
    assert all(one.attrs["relative_drift"] < 1e-9 for one in kept_quantities(run).values())


def test_without_decay_a_negative_predictor_has_another_threshold():
    """p0² = κ s0² rather than κ s0² + 1/c²; settings have positive starts alone."""
    start, variances = -1.0, np.array([0.4, 0.6])
    field, states, numbers = eigendyn.vector_field("euclidean", variances, **settings(decay=0.0))
    states[field.states.index("predictor_value")] = start
    run = gradient_flow(field, states, np.array([0.0, 300.0]), numbers)
    singular, predictor = run.values[..., -1]
    ends = [0, variances[1] + (1 / C**2 - start**2) / KAPPA]
    np.testing.assert_allclose(singular**2, ends, rtol=0, atol=1e-8)
    stuck = -np.sqrt(start**2 - KAPPA * variances[0])
    np.testing.assert_allclose(predictor, [stuck, 1 / C], rtol=0, atol=1e-8)


def follow(time, alpha, **more):
    """Run with a correlation that follows within T, T as given."""
    rate = 0.01
    chosen = {"correlation_momentum": 1 - rate / time, "learning_rate": rate, "alpha": alpha}
    return eigendyn.simulate(
        "euclidean",
        [0.2, 1.5],
        predictor="running",
        sigma1=0.6,
        **(chosen | {"method": "compiled", "rtol": 1e-12, "atol": 1e-14, "saves": 2001} | more),
    )


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_a_running_correlation_sees_the_noise_of_the_first_view(alpha):
    noisy = {sym.sigma1: sp.Rational(3, 5), sym.alpha: sp.nsimplify(alpha)}
    run = follow(1.0, alpha, steps=10_000)
    np.testing.assert_allclose(run.predictor_eigenvalue[:, -1], 1 / 1.36, rtol=0, atol=1e-8)
    at_rest = float(running.hand_variance().subs(noisy))
    np.testing.assert_allclose(run.variance[:, -1], at_rest, rtol=0, atol=1e-8)


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_a_running_correlation_oscillates_beyond_the_derived_time(alpha):
    numbers = {sym.sigma1: sp.Rational(3, 5), sym.alpha: sp.nsimplify(alpha)}
    longest = float(running.hand_longest_time().subs(numbers))

    def crossings(factor):
        """Times at which λ passes its fixed point, by linear interpolation."""
        time = factor * longest
        run = follow(time, alpha, steps=round(100 * np.sqrt(factor) * longest / 0.01))
        distance = run.predictor_eigenvalue.values - 1 / 1.36
        distance = np.where(np.abs(distance) < 1e-10, np.nan, distance)  # no crossing from here on
        found = []
        for one in distance:
            at = np.flatnonzero(one[:-1] * one[1:] < 0)
            share = one[at] / (one[at] - one[at + 1])
            found.append(run.time.values[at] + share * np.diff(run.time.values)[at])
        return found

    assert all(len(found) <= 1 for found in crossings(0.8))
    assert all(len(found) >= 2 for found in crossings(1.25))
    frequency = float(running.hand_frequency().subs(numbers | {running.T: 10 * longest}))
    for found in crossings(10):
        np.testing.assert_allclose(np.diff(found)[-3:], np.pi / frequency, rtol=1e-3)
