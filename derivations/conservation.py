r"""Losses that do not care about scale conserve a sum over modes.

If Σ_m λ_m^k (z1_m δ1_m + z2_m δ2_m) = 0 for every sample, then Σ_m v_m^{1+αk} e^{2ω(1+αk)t} is
constant:

    cosine, with or without predictor or stop-gradient:  Σ v_m e^{2ωt}
    iso-cosine:                                          Σ v_m^{1+α} e^{2ω(1+α)t}
    δ/λ^β:                                               Σ v_m^{1+αβ} e^{2ω(1+αβ)t}

Where all variances end equal, and without weight decay, cosine therefore ends at their initial
mean, iso-cosine (α = 1) at their root mean square.

Source: Halvagal et al. 2023 for the cosine loss; the others follow likewise.
"""

import sympy as sp

from derivations.page import Line, show
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.conservation import conserved_quantities
from eigendyn.theory.derive import descent_directions, mode_dynamics
from eigendyn.theory.formula import in_variances
from eigendyn.theory.losses import (
    SymbolicLoss,
    cosine,
    iso_cosine,
    without_predictor,
    without_stop_gradient,
)
from eigendyn.theory.symbols import alpha, beta, lam, mode_sum, time, variance, weight_decay, z1, z2


def hand_cosine() -> sp.Expr:
    """Write what the cosine loss conserves by hand."""
    return mode_sum(variance) * sp.exp(2 * weight_decay * time)


def hand_iso_cosine() -> sp.Expr:
    """Write what the isotropic cosine loss conserves by hand."""
    return mode_sum(variance ** (1 + alpha)) * sp.exp(2 * weight_decay * (1 + alpha) * time)


def hand_family() -> sp.Expr:
    """Write what the family between them conserves by hand."""
    power = 1 + alpha * beta
    return mode_sum(variance**power) * sp.exp(2 * weight_decay * power * time)


def time_derivative(quantity: sp.Expr, loss: SymbolicLoss) -> sp.Expr:
    """Derive d quantity/dt along the engine's dynamics, at one node of its quadrature."""
    dynamics = close(mode_dynamics(loss, alpha))
    at_a_node = dynamics.rates[0].replace(sym.Average, lambda integrand: integrand)
    s = sym.singular_value
    rate = in_variances((2 * s * at_a_node).xreplace({lam: dynamics.predictor}))
    total, growth = sp.Wild("total"), sp.Wild("growth")
    found = quantity.match(sym.ModeSum(total) * growth)
    chain = mode_sum(found[total].diff(variance) * rate) * found[growth]
    return sym.canonical(chain + mode_sum(found[total]) * found[growth].diff(time))


def scale_invariance_conserves_the_sum_of_variances() -> list[Line]:
    """Σ z δ = 0 for every sample of the cosine losses; so they conserve Σ v, but for decay."""
    plain = cosine()
    lines = []
    for loss in (plain, without_predictor(plain), without_stop_gradient(plain)):
        delta1, delta2 = descent_directions(loss)
        (engine,) = conserved_quantities(loss, alpha, decays=True)
        assert sym.equal(mode_sum(z1 * delta1 + z2 * delta2), sp.S.Zero)
        assert sym.equal(in_variances(engine.expression), hand_cosine())
        assert time_derivative(hand_cosine(), loss) == 0
        lines.append((loss.name, r"\mathrm{constant}", in_variances(engine.expression)))
    return lines


def isotropy_conserves_a_sum_of_powers() -> list[Line]:
    """Σ λ z δ = 0 for every sample of the isotropic cosine loss; so it conserves Σ v^{1+α}."""
    delta, _ = descent_directions(iso_cosine())
    (engine,) = conserved_quantities(iso_cosine(), alpha, decays=True)
    assert sym.equal(mode_sum(lam * z1 * delta), sp.S.Zero)
    assert not sym.equal(mode_sum(z1 * delta), sp.S.Zero)
    assert sp.simplify(in_variances(engine.expression) / hand_iso_cosine()) == 1
    assert time_derivative(hand_iso_cosine(), iso_cosine()) == 0
    return [("iso-cosine", r"\mathrm{constant}", in_variances(engine.expression))]


def the_family_conserves_what_lies_between() -> list[Line]:
    """Σ λ^β z δ = 0 for δ/λ^β at every real β; so it conserves Σ v^{1+αβ}."""
    (engine,) = conserved_quantities(cosine(sp.Rational(1, 3)), alpha, decays=True)
    one_third = hand_family().subs(beta, sp.Rational(1, 3))
    assert sp.simplify(in_variances(engine.expression) / one_third) == 1
    assert time_derivative(hand_family(), cosine(beta)) == 0
    return [("family", r"\mathrm{constant}", hand_family())]


CLAIMS = (
    scale_invariance_conserves_the_sum_of_variances,
    isotropy_conserves_a_sum_of_powers,
    the_family_conserves_what_lies_between,
)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
