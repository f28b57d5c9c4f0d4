r"""Without a predictor nothing drives the modes apart from noise: λ = 1 in every loss.

    Euclidean:  dv_m/dt = −2 (σ1² + ω) v_m,  exponential decay; constant at σ1 = ω = 0
    cosine:     δ_m = 0 at σ = 0, as the two views are already parallel; with noise
    G_m = ∫∫ da db a^½ b^{−½}/(Γ(3/2) Γ(1/2)) Z [c12'_m Σ c11' − c11'_m Σ c12'],  P = 2a, Q = 2b

The isotropic losses become the plain ones.

Source: Halvagal et al. 2023, ablation without predictor.
"""

import sympy as sp

from derivations.page import Line, show
from derivations.tilted_gaussian import a, b, hand_moments, in_views, over_a_and_b
from eigendyn.simulation.engines.shifted.power_sum import growth_rate
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import descent_directions, mode_dynamics
from eigendyn.theory.losses import cosine, euclidean, iso_cosine, iso_euclidean, without_predictor
from eigendyn.theory.symbols import determinant, lam, mode_sum, norm, variance, z1, z2


def hand_variance_rate() -> sp.Expr:
    """Write dv/dt of the Euclidean loss by hand."""
    return -2 * (sym.sigma1**2 + sym.weight_decay) * variance


def hand_direction() -> sp.Expr:
    """Write δ of the cosine loss by hand: what of z2/‖z2‖ is orthogonal to z1, over ‖z1‖."""
    parallel = mode_sum(z1 * z2) * z1 / norm(z1) ** 2
    return (z2 - parallel) / (norm(z1) * norm(z2))


def hand_integrand() -> sp.Expr:
    """Write the integrand of G_m of the cosine loss over da db by hand."""
    c11, c12 = hand_moments().applyfunc(in_views)[0, :].xreplace({lam: sp.S.One})
    weight = 2 / sp.pi * sp.sqrt(a / b)
    bracket = c12 * mode_sum(c11) - c11 * mode_sum(c12)
    return weight * sp.exp(-mode_sum(sp.log(determinant)) / 2) * bracket


def isotropic_and_plain_are_one() -> list[Line]:
    """With λ = 1 the isotropic losses descend along the plain ones' directions."""
    for plain, iso in ((euclidean, iso_euclidean), (cosine, iso_cosine)):
        one, other = (descent_directions(without_predictor(loss()))[0] for loss in (plain, iso))
        assert sym.equal(one, other)
    return []


def euclidean_modes_decay() -> list[Line]:
    """The noise of the first view acts like weight decay."""
    loss = without_predictor(euclidean())
    rate = variance * growth_rate(close(mode_dynamics(loss)))
    assert sp.expand(rate - hand_variance_rate()) == 0
    assert rate.xreplace({sym.sigma1: sp.S.Zero, sym.weight_decay: sp.S.Zero}) == 0
    return [
        ("loss", r"\ell", loss.expression),
        ("variance of a mode", r"\frac{dv_m}{dt}", sp.factor(rate)),
    ]


def cosine_modes_move_only_by_noise() -> list[Line]:
    """Two equal views are parallel: the best that the loss can have."""
    loss = without_predictor(cosine())
    direction = descent_directions(loss)[0]
    equal_views = sym.canonical(direction.xreplace({z2: z1}))
    dynamics = close(mode_dynamics(loss))
    (average,) = dynamics.rates[0].atoms(sym.Average)
    integrand, _ = over_a_and_b(average, dynamics)
    assert sym.equal(direction, hand_direction())
    assert equal_views == 0
    assert sym.equal(integrand, hand_integrand())
    return [
        ("loss", r"\ell", loss.expression),
        ("descent direction", r"\delta_m", direction),
        ("equal views", r"\delta_m", equal_views),
        ("integrand", r"\frac{d^2 G_m}{da \, db}", hand_integrand()),
    ]


CLAIMS = (isotropic_and_plain_are_one, euclidean_modes_decay, cosine_modes_move_only_by_noise)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
