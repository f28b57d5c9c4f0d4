r"""Without stop-gradient the target branch pulls too, and representations collapse.

    Euclidean:  δ1 = λ(z2 − λz1), δ2 = λz1 − z2
    dλ_m/dt = −2α λ_m [(1−λ_m)² + σ1²λ_m² + σ2² + ω] ≤ 0
    The ghost at λ = 1 holds a mode for a time ≈ π/(2ασ2) at σ1 = ω = 0, α its exponent.

    cosine: G1 as before, and over da db with weight a^{−½} b^½/(Γ(1/2) Γ(3/2)) Z
    G2_m = ∫∫ … [λ_m c12'_m Σ c22' − c22'_m Σ λ c12']

Erratum: the update in the notebook published with the paper is not the gradient of this cosine
loss. Its target branch, p/(‖p‖‖z2‖) − (p·z2) z2/(‖p‖³‖z2‖), divides by ‖p‖³‖z2‖ where the gradient
has ‖p‖‖z2‖³, and multiplies x1 where it has x2. `eigendyn audit` takes it apart, and figure 2a
shows both.

Symbol of this page: x = (λ−1)/σ2, the distance from the ghost in units of its width.

Source: Halvagal et al. 2023, ablation without stop-gradient; the predictor stays a constant.
"""

import sympy as sp

from derivations.cosine import hand_integrand as hand_first_integrand
from derivations.page import Line, show
from derivations.tilted_gaussian import a, b, hand_moments, in_views, over_a_and_b
from eigendyn.simulation.engines.shifted.power_sum import growth_rate
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import descent_directions, mode_dynamics
from eigendyn.theory.losses import cosine, euclidean, without_stop_gradient
from eigendyn.theory.symbols import (
    alpha,
    determinant,
    lam,
    mode_sum,
    sigma1,
    sigma2,
    variance,
    z1,
    z2,
)


def hand_second_direction() -> sp.Expr:
    """Write δ2 of the Euclidean loss by hand."""
    return lam * z1 - z2


def hand_eigenvalue_rate() -> sp.Expr:
    """Write dλ/dt of the Euclidean loss by hand."""
    distance = (1 - lam) ** 2 + sigma1**2 * lam**2 + sigma2**2
    return -2 * alpha * lam * (distance + sym.weight_decay)


def hand_passing_time() -> sp.Expr:
    """Write how long the ghost holds a mode, to leading order in σ2, by hand."""
    return sp.pi / (2 * alpha * sigma2)


def hand_second_integrand() -> sp.Expr:
    """Write the integrand of G2_m of the cosine loss over da db by hand."""
    c12, c22 = hand_moments().applyfunc(in_views)[1, :]
    weight = sp.sqrt(b) / sp.sqrt(a) / (sp.gamma(sp.S.Half) * sp.gamma(sp.Rational(3, 2)))
    bracket = lam * c12 * mode_sum(c22) - c22 * mode_sum(lam * c12)
    return weight * sp.exp(-mode_sum(sp.log(determinant)) / 2) * bracket


def euclidean_modes_collapse() -> list[Line]:
    """Once there is noise, dλ/dt has no zero but λ = 0."""
    loss = without_stop_gradient(euclidean())
    first, second = descent_directions(loss)
    growth = growth_rate(close(mode_dynamics(loss, alpha)))
    rate = sp.expand(alpha * variance**alpha * growth).subs(variance, lam ** (1 / alpha))
    assert sym.equal(first, descent_directions(euclidean())[0])
    assert sym.equal(second, hand_second_direction())
    assert sp.simplify(rate - hand_eigenvalue_rate()) == 0
    return [
        ("loss", r"\ell", loss.expression),
        ("first view", r"\delta^{(1)}_m", sp.factor(first)),
        ("second view", r"\delta^{(2)}_m", second),
        ("eigenvalue of a mode", r"\frac{d\lambda_m}{dt}", sp.factor(sp.simplify(rate))),
    ]


def a_ghost_delays_the_collapse() -> list[Line]:
    """With λ = 1 + σ2 x, the time ∫ dλ/|dλ/dt| to leading order in σ2."""
    x = sp.Symbol("x", real=True)
    growth = growth_rate(close(mode_dynamics(without_stop_gradient(euclidean()), alpha)))
    growth = growth.xreplace({sigma1: sp.S.Zero, sym.weight_decay: sp.S.Zero})
    eigenvalue = 1 + sigma2 * x
    speed = sp.expand(alpha * growth).subs(variance**alpha, eigenvalue) * eigenvalue
    leading = sp.limit(sp.simplify(sigma2 * sigma2 / -speed), sigma2, 0)
    passing = sp.integrate(leading, (x, -sp.oo, sp.oo)) / sigma2
    assert sp.simplify(passing - hand_passing_time()) == 0
    return [("time of passage", r"t_\mathrm{ghost}", passing)]


def both_branches_of_the_cosine_loss_pull() -> list[Line]:
    """The two integrands over tilted Gaussians."""
    dynamics = close(mode_dynamics(without_stop_gradient(cosine()), alpha))
    averages = dynamics.rates[0].atoms(sym.Average)
    integrands = [over_a_and_b(average, dynamics)[0] for average in averages]
    assert len(integrands) == 2
    for by_hand in (hand_first_integrand(), hand_second_integrand()):
        assert sum(sym.equal(integrand, by_hand) for integrand in integrands) == 1
    return [
        ("first view", r"\frac{d^2 G1_m}{da \, db}", hand_first_integrand()),
        ("second view", r"\frac{d^2 G2_m}{da \, db}", hand_second_integrand()),
    ]


CLAIMS = (
    euclidean_modes_collapse,
    a_ghost_delays_the_collapse,
    both_branches_of_the_cosine_loss_pull,
)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
