"""Claims about conserved quantities."""

import numpy as np
import pytest
import sympy as sp
from independent import cosine_moments

import eigendyn
from eigendyn.results.dataset import kept_quantities
from eigendyn.theory import symbols as sym
from eigendyn.theory.conservation import conserved_quantities
from eigendyn.theory.losses import named_loss
from eigendyn.theory.symbols import ModeSum, singular_value


def test_scale_invariant_losses_conserve_the_sum_of_variances():
    variants = [{}, {"predictor": False}, {"stop_gradient": False}]
    for variant in variants:
        (found,) = conserved_quantities(named_loss("cosine", **variant))
        assert found.name == "sum of variances"
        assert found.expression == ModeSum(singular_value**2)


def test_iso_cosine_conserves_a_sum_of_powers():
    (found,) = conserved_quantities(named_loss("iso-cosine"), sym.alpha)
    assert sym.equal(found.expression, ModeSum((singular_value**2) ** (1 + sym.alpha)))


@pytest.mark.parametrize("name", ["euclidean", "iso-euclidean"])
def test_euclidean_losses_conserve_nothing(name):
    assert conserved_quantities(named_loss(name)) == ()


def test_the_family_conserves_what_its_moments_say():
    """Σ λ^β G_m = 0 for G_m = G_m(cosine)/λ^β, with the hand form of the cosine moments."""
    v = np.array([0.05, 0.3, 1.0, 2.0])
    beta, alpha = 0.4, 1.5
    (found,) = conserved_quantities(named_loss("cosine", beta=beta), alpha)
    assert sym.equal(found.expression, ModeSum((singular_value**2) ** sp.Rational(8, 5)))
    lam = v**alpha
    moments = cosine_moments(v, lam, 0.1, 0.2)[0] / lam**beta
    assert abs((lam**beta * moments).sum()) < 1e-14


def test_weight_decay_brings_an_exponential():
    (found,) = conserved_quantities(named_loss("cosine"), decays=True)
    assert found.name == "sum of variances × exp(2ωt)"
    assert found.expression.has(sym.weight_decay)


def test_where_the_power_vanishes_the_logarithms_are_conserved():
    (found,) = conserved_quantities(named_loss("cosine", beta=-1))
    assert found.name == "sum of log variance"
    run = eigendyn.simulate("cosine", [0.5, 1.0], beta=-1.0, weight_decay=0.01, steps=200)
    assert list(kept_quantities(run))[-1] == "sum of (log variance + 2ωt)"
    product = run.variance.prod("mode") * np.exp(4 * 0.01 * run.time)
    np.testing.assert_allclose(product, 0.5, rtol=1e-8)
    assert all(one.attrs["relative_drift"] < 1e-8 for one in kept_quantities(run).values())
