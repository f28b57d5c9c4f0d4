"""Claims about the exact closure: moments of polynomials, quadrature for ratios."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp
from independent import cosine_moments
from structures import first_of

import eigendyn
from eigendyn.errors import NoExactClosure
from eigendyn.program.derivation import program_of
from eigendyn.program.in_jax import compile_expressions, compile_field, substitute
from eigendyn.simulation.nodes import fit_nodes
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import descent_directions, mode_dynamics
from eigendyn.theory.losses import SymbolicLoss, cosine, named_loss

# Cosine, v = (0.05, 0.3, 1, 2), λ = v; σ1², σ2²: G1 of each mode, nine decimals.
V = np.array([0.05, 0.3, 1.0, 2.0])
MODES = (2, 3, 5, 10, 20, 50)  # few different shapes: each is compiled once
TABLE = {
    (0.0, 0.0): (0.001689135, 0.031817450, 0.049155398, -0.082661983),
    (0.0, 0.01): (0.001652777, 0.031540216, 0.049195066, -0.082388060),
    (0.3, 0.5): (0.000934087, 0.020279898, 0.036338606, -0.057552590),
}


@cache
def exact(loss, alpha):
    dynamics = close(mode_dynamics(loss, alpha))
    return compile_field(dynamics), program_of(dynamics)


def moments(loss, v, var1, var2, alpha=1.0, accuracy=1e-10):
    """E[z1 δ1] + E[z2 δ2] of every mode, and the error estimate."""
    field, program = exact(loss, alpha)
    parameters = {"sigma1": var1**0.5, "sigma2": var2**0.5, "weight_decay": 0.0}
    states = np.sqrt(v)[None]
    fit = fit_nodes(program, states[None], parameters, accuracy)
    assert fit.reached
    rates = _evaluate(replace(field, nodes=padded(fit.nodes)), jnp.asarray(states), parameters)
    return np.asarray(rates[0]) * states[0], fit.error


def padded(nodes):
    """The same with nodes of no weight, to one of few numbers: each is compiled once."""
    more = -len(nodes.weights) % 512
    values = {
        name: np.pad(value, [(0, more), *[(0, 0)] * (np.ndim(value) - 1)], mode="edge")
        for name, value in nodes.values.items()
    }
    return replace(nodes, weights=np.pad(nodes.weights, (0, more)), values=values)


@jax.jit
def _evaluate(field, states, parameters):
    return field(0.0, states, parameters)


@pytest.mark.parametrize("variances", TABLE)
def test_cosine_moments_equal_the_reference_table(variances):
    ours, _ = moments(cosine(), V, *variances)
    np.testing.assert_allclose(ours, TABLE[variances], rtol=0, atol=1e-9)


@pytest.mark.full
@pytest.mark.parametrize("count", first_of(12, 60))
def test_error_estimate_is_honest_on_random_spectra(count):
    rng = np.random.default_rng(0)
    worst = 0.0
    for _ in range(count):
        modes = rng.choice(MODES)
        v = 10 ** rng.uniform(-4, 0, size=modes)
        var1, var2 = rng.uniform(0, 1, size=2) ** 2
        ours, estimate = moments(cosine(), v, var1, var2)
        truth = cosine_moments(v, v, var1, var2)[0]
        error = np.abs(ours - truth).max()
        worst = max(worst, error)
        # The reference itself is a sum of 10⁵ rounded terms; nothing below that can be judged.
        assert estimate >= 0.1 * (error - 1e-15)
    assert worst < 1e-8


@pytest.mark.parametrize(
    ("accuracy", "count"), first_of((1e-6, 6), (1e-6, 20), (1e-4, 20), (1e-8, 20))
)
def test_error_estimate_is_honest_when_little_accuracy_is_asked_for(accuracy, count):
    rng = np.random.default_rng(1)
    for _ in range(count):
        v = 10 ** rng.uniform(-4, 0, size=rng.choice(MODES))
        var1, var2 = rng.uniform(0, 1, size=2) ** 2
        ours, estimate = moments(cosine(), v, var1, var2, accuracy=accuracy)
        error = np.abs(ours - cosine_moments(v, v, var1, var2)[0]).max()
        assert 0.1 * (error - 1e-15) <= estimate <= accuracy


@pytest.mark.parametrize("alpha", first_of(1.7, 0.5, 1.0))
def test_cosine_variants_equal_their_hand_forms(alpha):
    v = np.array([0.02, 0.4, 0.9, 2.5, 0.001])
    lam, one = v**alpha, np.ones_like(v)
    plain, iso, target = cosine_moments(v, lam, 0.2, 0.1)
    bare, _, bare_target = cosine_moments(v, one, 0.2, 0.1)
    expected = {
        ("cosine", True, True): plain,
        ("iso-cosine", True, True): iso,
        ("cosine", True, False): plain + target,
        ("cosine", False, True): bare,
        ("cosine", False, False): bare + bare_target,
    }
    for (name, predictor, stop_gradient), hand in expected.items():
        loss = named_loss(name, predictor=predictor, stop_gradient=stop_gradient)
        ours, _ = moments(loss, v, 0.2, 0.1, alpha)
        # 1e-10 of the integral of |integrand|, which is about 0.1 where terms cancel.
        np.testing.assert_allclose(ours, hand, rtol=1e-9, atol=2e-11)


@pytest.mark.full
def test_iso_cosine_without_stop_gradient_equals_a_monte_carlo_average():
    """A sixth-order ratio with no hand form: the engine's own closure against sampling."""
    loss = named_loss("iso-cosine", stop_gradient=False)
    v = np.array([0.3, 0.8, 1.5])
    ours, _ = moments(loss, v, 0.04, 0.09)
    directions = compile_expressions([sym.z1, sym.z2, sym.lam], list(descent_directions(loss)))
    rng = np.random.default_rng(2)
    x, n1, n2 = rng.standard_normal((3, 400_000, 3))
    z1, z2 = np.sqrt(v) * (x + 0.2 * n1), np.sqrt(v) * (x + 0.3 * n2)
    d1, d2 = directions(z1, z2, v)
    samples = np.asarray(z1 * d1 + z2 * d2)
    error = samples.std(axis=0) / np.sqrt(len(samples))
    assert (np.abs(samples.mean(axis=0) - ours) < 4 * error).all()


@pytest.mark.parametrize(
    ("name", "predictor", "stop_gradient", "hand"),
    [
        ("euclidean", True, True, lambda la, c11, c12, _: la * c12 - la**2 * c11),
        ("iso-euclidean", True, True, lambda la, c11, c12, _: c12 - la * c11),
        (
            "euclidean",
            True,
            False,
            lambda la, c11, c12, c22: 2 * la * c12 - la**2 * c11 - c22,
        ),
        ("euclidean", False, True, lambda _, c11, c12, __: c12 - c11),
        ("euclidean", False, False, lambda _, c11, c12, c22: 2 * c12 - c11 - c22),
    ],
)
def test_euclidean_moments_equal_their_hand_forms(name, predictor, stop_gradient, hand):
    v = np.array([0.05, 0.3, 1.0, 2.0])
    loss = named_loss(name, predictor=predictor, stop_gradient=stop_gradient)
    ours, error = moments(loss, v, 0.3, 0.5)
    np.testing.assert_allclose(ours, hand(v, 1.3 * v, v, 1.5 * v), rtol=1e-13)
    assert error == 0


def test_euclidean_dynamics_are_the_theorem():
    dynamics = close(mode_dynamics(named_loss("euclidean"), alpha=sym.alpha))
    s, c = sym.singular_value, 1 + sym.sigma1**2
    q = (s**2) ** sym.alpha
    derived = substitute(dynamics.rates[0], dynamics)
    assert sym.equal(derived, s * q * (1 - c * q) - sym.weight_decay * s)


def test_a_single_mode_does_not_move_under_the_cosine_loss():
    ours, _ = moments(cosine(), np.array([0.7]), 0.3, 0.1)
    assert np.abs(ours).max() < 1e-15


def test_a_mode_without_variance_stays_without():
    ours, _ = moments(cosine(), np.array([0.0, 0.5, 1.0]), 0.0, 0.01)
    assert ours[0] == 0
    assert np.isfinite(ours).all()


def test_powers_of_sums_of_eigenvalues_are_constants():
    """Cosine over √Σλ² and times 1/(1 + λ): the moments of cosine, times these."""
    direction = -descent_directions(cosine())[0]
    constant = 1 / (sp.sqrt(sym.ModeSum(sym.lam**2)) * (1 + sym.lam))
    loss = SymbolicLoss("scaled", sym.mode_sum(sym.z1 * sym.stop_gradient(constant * direction)))
    ours, _ = moments(loss, V, 0.3, 0.5)
    hand = cosine_moments(V, V, 0.3, 0.5)[0] / (np.sqrt((V**2).sum()) * (1 + V))
    np.testing.assert_allclose(ours, hand, rtol=1e-9)


def test_a_mode_without_variance_can_stand_in_a_denominator():
    pull = sym.z2 / (1 + sym.lam)
    loss = SymbolicLoss("rational", sym.mode_sum((sym.z1 - sym.stop_gradient(sym.z1 + pull)) ** 2))
    ours, _ = moments(loss, np.array([0.0, 0.5, 1.0]), 0.0, 0.01)
    np.testing.assert_allclose(ours, [0.0, 2 * 0.5 / 1.5, 1.0], rtol=1e-14)


def test_a_loss_outside_both_structures_is_refused():
    loss = SymbolicLoss("quartic root", -(sym.ModeSum(sym.z1**4) ** sp.Rational(1, 4)))
    with pytest.raises(NoExactClosure):
        close(mode_dynamics(loss))


def test_a_form_of_absolute_values_is_refused():
    loss = eigendyn.parse_loss("sum(z1*sg(z2))/sqrt(sum(abs(z1*z2)))")
    with pytest.raises(NoExactClosure, match="sampled"):
        close(mode_dynamics(loss))


def test_a_sum_of_a_ratio_and_a_polynomial_has_the_sum_of_their_rates():
    ratio = "-sum(lam*z1*sg(z2))/(norm(lam*z1)*norm(sg(z2)))"
    polynomial = "sum((z1**2 - 1)**2)/10"
    rates = []
    for text in (ratio, polynomial, f"{ratio} + {polynomial}"):
        field, states, parameters = eigendyn.vector_field(
            eigendyn.parse_loss(text), [0.3, 0.8, 1.2], sigma1=0.3, sigma2=0.2, closure="exact"
        )
        rates.append(field(0.0, states, parameters))
    np.testing.assert_allclose(rates[0] + rates[1], rates[2], rtol=1e-9)
