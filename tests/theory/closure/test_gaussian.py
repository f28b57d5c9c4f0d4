"""Claims about moments of polynomials in independent Gaussian modes."""

import numpy as np
import pytest
import sympy as sp

from eigendyn.errors import NoExactClosure
from eigendyn.program.in_jax import compile_expressions
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure.gaussian import cumulant, expectation, moment, parts
from eigendyn.theory.symbols import ModeSum, u11, u12, u22, x1, x2


def test_moments_follow_wicks_theorem():
    assert moment((2, 0)) == u11
    assert moment((1, 1)) == u12
    assert sym.equal(moment((2, 2)), u11 * u22 + 2 * u12**2)
    assert sym.equal(moment((4, 0)), 3 * u11**2)
    assert sym.equal(moment((3, 3)), 9 * u11 * u12 * u22 + 6 * u12**3)
    assert moment((0, 6)) == 15 * u22**3


@pytest.mark.parametrize("powers", [(1, 0), (2, 1), (0, 3)])
def test_odd_moments_vanish(powers):
    assert moment(powers) == 0


def test_cumulants_of_one_gaussian_end_at_the_second():
    x = (1, 0)
    assert cumulant((x, x)) == u11
    assert cumulant((x, x, x, x)) == 0


def test_choices_among_equal_items_are_counted_not_told_apart():
    found = list(parts(("a", "a", "b")))
    assert len(found) == 6
    assert sum(ways for ways, _, _ in found) == 2**3
    assert (2, ("a", "b"), ("a",)) in found


@pytest.mark.parametrize("power", [4, 6])
def test_a_power_of_a_sum_has_the_moments_of_its_chi_squares(power):
    """Σ x² over M equal modes has the moments M(M+2)(M+4)…, in units of the variance."""
    modes = 3
    of_modes = expectation(ModeSum(x1**2) ** power)
    run = compile_expressions([u11, u12, u22, sym.modes], [of_modes])
    found = run(*(0.7 * np.ones((3, modes))), modes)[0]
    expected = 0.7**power * np.prod(modes + 2.0 * np.arange(power))
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_too_long_an_expectation_is_refused_at_once():
    sums = [ModeSum(sym.lam**k * x1 * x2) for k in range(12)]
    for polynomial in (sp.Mul(*sums), ModeSum(x1 * x2) ** 20, ModeSum(x1**2) ** 100):
        with pytest.raises(NoExactClosure, match="sampled"):
            expectation(polynomial)


def test_coinciding_modes_are_counted_once():
    """E[x_m² Σ_k x_k²] has the fourth moment of mode m, not two independent second ones."""
    derived = expectation(x1**2 * ModeSum(x1**2))
    assert sym.equal(derived, u11 * ModeSum(u11) + 2 * u11**2)


@pytest.mark.parametrize(
    "polynomial",
    [
        x1 * x2 * ModeSum(x1**2) * ModeSum(x1 * x2),
        x1**2 * ModeSum(x2**2) ** 2,
        ModeSum(x1**2) ** 3,
        x2**2 * ModeSum(sym.lam * x1 * x2) * ModeSum(sym.lam**2 * x1**2),
    ],
)
def test_expectation_equals_integration_over_every_mode(polynomial):
    """Gauss–Hermite over both views of two modes: exact for these polynomials."""
    lam = np.array([0.7, 1.9])
    covariance = np.array([[1.3, 0.8], [0.8, 1.1]])
    points, weights = np.polynomial.hermite_e.hermegauss(6)
    weights = weights / weights.sum()
    mesh = np.stack(np.meshgrid(*[points] * 4, indexing="ij")).reshape(2, 2, -1)  # view, mode
    joint = np.prod(np.meshgrid(*[weights] * 4, indexing="ij"), axis=0).ravel()
    views = np.einsum("ij,jmn->imn", np.linalg.cholesky(covariance), mesh)
    run = compile_expressions([x1, x2, sym.lam, sym.modes], [polynomial])
    sampled = np.broadcast_to(run(views[0].T, views[1].T, lam, 2)[0], (len(joint), 2))
    moments = compile_expressions([u11, u12, u22, sym.lam, sym.modes], [expectation(polynomial)])
    ours = moments(1.3 * np.ones(2), 0.8 * np.ones(2), 1.1 * np.ones(2), lam, 2)[0]
    np.testing.assert_allclose(np.broadcast_to(ours, 2), joint @ sampled, rtol=1e-12)


def test_sums_of_constants_count_the_modes():
    assert sym.canonical(ModeSum(sp.Integer(3))) == 3 * sym.modes


@pytest.mark.parametrize(
    "constant",
    [
        1 / ModeSum(sym.lam),
        sp.sqrt(ModeSum(sym.lam**2)),
        ModeSum(sym.lam) ** 7,
        1 / (sym.lam + ModeSum(sym.lam / (1 + sym.lam))),
        ModeSum(sym.lam * ModeSum(sym.lam) ** sp.Rational(-1, 3)),
    ],
)
def test_sums_of_eigenvalues_are_constants(constant):
    for polynomial in (x1**2, x1 * x2 * ModeSum(sym.lam * x1**2)):
        assert sym.equal(expectation(constant * polynomial), constant * expectation(polynomial))
