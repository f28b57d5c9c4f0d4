r"""The isotropic Euclidean loss has the fixed points of the plain one, and no slow start.

    δ_iso = δ/λ = z2 − λ z1,   and δ/λ^β for the family between them
    dλ_m/dt = 2α λ_m [1 − (1+σ1²) λ_m − ω]

λ no longer multiplies the speed, so small eigenvalues grow exponentially. The loss can be written
as ½ Σ (z1 − SG(z2 + z1 − λ z1))² or as −Σ z1 SG(z2) + ½ Σ λ z1²: same gradient.

Source: Halvagal et al. 2023, IsoLoss (there σ = ω = 0).
"""

import sympy as sp

from derivations.page import Line, show
from eigendyn.simulation.engines.shifted.power_sum import growth_rate
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import descent_directions, mode_dynamics
from eigendyn.theory.losses import SymbolicLoss, euclidean, iso_euclidean
from eigendyn.theory.symbols import alpha, beta, lam, mode_sum, variance, z1, z2


def hand_direction() -> sp.Expr:
    """Write δ_iso by hand."""
    return z2 - lam * z1


def hand_loss() -> sp.Expr:
    """Write the loss as an overlap with the target and a penalty, by hand."""
    return -mode_sum(z1 * sym.stop_gradient(z2)) + mode_sum(lam * z1**2) / 2


def hand_eigenvalue_rate() -> sp.Expr:
    """Write dλ/dt by hand."""
    return 2 * alpha * lam * (1 - (1 + sym.sigma1**2) * lam - sym.weight_decay)


def no_eigenvalue_multiplies_the_speed() -> list[Line]:
    """The direction is the plain one over the eigenvalue, from either form of the loss."""
    plain, iso = (descent_directions(loss)[0] for loss in (euclidean(), iso_euclidean()))
    other = SymbolicLoss("overlap and penalty", hand_loss())
    assert sym.equal(iso, hand_direction())
    assert sym.equal(iso, plain / lam)
    assert sym.equal(descent_directions(other)[0], iso)
    assert descent_directions(iso_euclidean())[1] == 0
    return [
        ("loss", r"\ell", iso_euclidean().expression),
        ("with the same gradient", r"\ell", hand_loss()),
        ("descent direction", r"\delta^\mathrm{iso}_m", iso),
    ]


def the_family_divides_by_a_power() -> list[Line]:
    """δ/λ^β for every real β, with λ = v^α."""
    eigenvalue = {lam: variance**alpha}
    family = descent_directions(euclidean(beta))[0].xreplace(eigenvalue)
    plain = descent_directions(euclidean())[0].xreplace(eigenvalue)
    iso = descent_directions(iso_euclidean())[0].xreplace(eigenvalue)
    assert sym.equal(family, plain / variance ** (alpha * beta))
    assert sym.equal(family.subs(beta, 1), iso)
    return [("family", r"\delta^{(\beta)}_m", sp.factor(family))]


def small_eigenvalues_grow_exponentially() -> list[Line]:
    """Expected over inputs and noises, dλ/dt is logistic."""
    growth = growth_rate(close(mode_dynamics(iso_euclidean(), alpha)))
    rate = sp.expand(alpha * growth * variance**alpha).subs(variance, lam ** (1 / alpha))
    assert sp.simplify(rate - hand_eigenvalue_rate()) == 0
    plain = growth_rate(close(mode_dynamics(euclidean(), alpha)))
    undecayed = {sym.weight_decay: sp.S.Zero}
    assert sp.simplify((growth * variance**alpha - plain).xreplace(undecayed)) == 0
    return [("eigenvalue of a mode", r"\frac{d\lambda_m}{dt}", sp.factor(sp.simplify(rate)))]


CLAIMS = (
    no_eigenvalue_multiplies_the_speed,
    the_family_divides_by_a_power,
    small_eigenvalues_grow_exponentially,
)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
