"""Claims about moments of polynomials in independent Gaussian modes."""

import numpy as np
import pytest
import sympy as sp

from eigendyn.program.in_jax import compile_expressions
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure.gaussian import cumulant, expectation, moment, partitions
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


@pytest.mark.parametrize(("count", "bell"), [(0, 1), (1, 1), (2, 2), (3, 5), (4, 15), (5, 52)])
def test_partitions_are_counted_by_the_bell_numbers(count, bell):
    assert len(list(partitions(tuple(range(count))))) == bell


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
