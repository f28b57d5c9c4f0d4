r"""With the cosine loss the modes compete: what one gains, others lose.

For one sample, views equal (σ = 0):

    δ_m = λ_m/(‖λz‖³‖z‖) Σ_{k≠m} λ_k z_k² (λ_k − λ_m) z_m

Expected over inputs and noises, ds_m/dt = G_m/s_m − ω s_m with tilted moments c' and their
normalisation Z (derivations/tilted_gaussian.py)

    G_m = ∫∫ da db a^½ b^{−½}/(Γ(3/2) Γ(1/2)) Z λ_m [c12'_m Σ λ²c11' − λ_m c11'_m Σ λ c12']

and to leading order in 1/M (mean field) with the moments themselves

    G_m ≈ λ_m [c12_m Σ λ²c11 − λ_m c11_m Σ λ c12] / ((Σ λ²c11)^{3/2} (Σ c22)^{1/2})

Source: Halvagal et al. 2023, cosine dynamics, for the sample; the integral is exact.
"""

import sympy as sp

from derivations.page import Line, show
from derivations.tilted_gaussian import a, b, hand_moments, in_views, over_a_and_b
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import descent_directions, mode_dynamics, substitute
from eigendyn.theory.losses import cosine
from eigendyn.theory.symbols import (
    determinant,
    lam,
    mode_sum,
    norm,
    singular_value,
    variance,
    z1,
    z2,
)


def hand_direction() -> sp.Expr:
    """Write δ_m of two equal views by hand; the term k = m of its sum vanishes."""
    competition = mode_sum(lam**2 * z1**2) - lam * mode_sum(lam * z1**2)
    return lam / (norm(lam * z1) ** 3 * norm(z1)) * competition * z1


def hand_integrand() -> sp.Expr:
    """Write the integrand of G_m over da db by hand."""
    c11, c12 = hand_moments().applyfunc(in_views)[0, :]
    weight = sp.sqrt(a) / sp.sqrt(b) / (sp.gamma(sp.Rational(3, 2)) * sp.gamma(sp.S.Half))
    bracket = c12 * mode_sum(lam**2 * c11) - lam * c11 * mode_sum(lam * c12)
    return weight * sp.exp(-mode_sum(sp.log(determinant)) / 2) * lam * bracket


def hand_mean_field() -> sp.Expr:
    """Write the leading order in 1/M by hand."""
    c11, c22 = variance * (1 + sym.sigma1**2), variance * (1 + sym.sigma2**2)
    bracket = variance * mode_sum(lam**2 * c11) - lam * c11 * mode_sum(lam * variance)
    return lam * bracket / (mode_sum(lam**2 * c11) ** sp.Rational(3, 2) * sp.sqrt(mode_sum(c22)))


def every_sample_compares_eigenvalues() -> list[Line]:
    """The descent direction weighs differences of eigenvalues; it scales no sample as a whole."""
    direction, stopped = descent_directions(cosine())
    without_noise = direction.xreplace({z2: z1})
    assert stopped == 0
    assert sym.equal(without_noise, hand_direction())
    open_moment = sym.Expectation(sp.expand(direction * z1 / singular_value))
    open_rate = open_moment - sym.weight_decay * singular_value
    dynamics = mode_dynamics(cosine(), sym.alpha)
    assert dynamics.rates[0] == open_rate
    return [
        ("loss", r"\ell", cosine().expression),
        ("descent direction", r"\delta_m", direction),
        ("equal views", r"\delta_m", hand_direction()),
        ("expected over inputs and noises", r"\frac{ds_m}{dt}", dynamics.rates[0]),
    ]


def the_expectation_is_an_integral_over_tilted_gaussians() -> list[Line]:
    """The engine's quadrature has the integrand of the hand form."""
    dynamics = close(mode_dynamics(cosine(), sym.alpha))
    (average,) = dynamics.rates[0].atoms(sym.Average)
    integrand, _ = over_a_and_b(average, dynamics)
    assert sym.equal(integrand, hand_integrand())
    return [
        ("as the engine has it", r"\frac{ds_m}{dt}", dynamics.rates[0]),
        ("the same", r"\frac{d^2 G_m}{da \, db}", hand_integrand()),
    ]


def many_modes_average_themselves() -> list[Line]:
    """Mean field: every sum over modes is replaced by its mean."""
    dynamics = close(mode_dynamics(cosine()), "mean-field")
    moment = singular_value * substitute(dynamics.rates[0], dynamics)
    decay = sym.weight_decay * singular_value**2
    by_hand = hand_mean_field().xreplace({variance: singular_value**2})
    gap = moment + decay - by_hand.xreplace({lam: dynamics.predictor})
    positive = {total: sp.Dummy(positive=True) for total in sym.canonical(gap).atoms(sym.ModeSum)}
    assert sp.simplify(sym.canonical(gap).xreplace(positive)) == 0
    return [("approximately", "G_m", hand_mean_field())]


CLAIMS = (
    every_sample_compares_eigenvalues,
    the_expectation_is_an_integral_over_tilted_gaussians,
    many_modes_average_themselves,
)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
