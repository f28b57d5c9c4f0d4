r"""Ratios of quadratic forms are integrals of polynomials over tilted Gaussians.

With F^{−p} = ∫₀^∞ a^{p−1} e^{−aF} da/Γ(p) for both ‖λz1‖² and ‖z2‖², every mode's Gaussian is
tilted by exp(−(P z1² + Q z2²)/2), P = 2aλ², Q = 2b, and with det = c11 c22 − c12²

    Δ = 1 + c11 P + c22 Q + det P Q,   Z = Π Δ^{−½}
    c11' = (c11 + Q det)/Δ,   c22' = (c22 + P det)/Δ,   c12' = c12/Δ

Symbols of this page: a, b, P, Q > 0 and c11, c12, c22; the alphabet has τ ∝ a, b and the covariance
of whitened views.

Source: the tilting of Gaussians by quadratic forms, standard.
"""

import sympy as sp

from derivations.page import Line, show
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import ModeDynamics, mode_dynamics
from eigendyn.theory.losses import cosine
from eigendyn.theory.symbols import determinant, lam, n11, n12, n22, n_determinant, variance

a, b, P, Q = sp.symbols("a b P Q", positive=True)
c11, c12, c22 = sp.symbols("c11 c12 c22", real=True)
IN_VIEWS = {c11: variance * n11, c12: variance * n12, c22: variance * n22}  # c = v n


def hand_determinant() -> sp.Expr:
    """Write Δ by hand."""
    return 1 + c11 * P + c22 * Q + (c11 * c22 - c12**2) * P * Q


def hand_moments() -> sp.Matrix:
    """Write the tilted covariance by hand, over an unexpanded Δ."""
    det = c11 * c22 - c12**2
    return sp.Matrix([[c11 + Q * det, c12], [c12, c22 + P * det]]) / determinant


def in_views(expression: sp.Expr) -> sp.Expr:
    """Write a hand form in P, Q and c in the alphabet, with a and b."""
    det = {n11 * n22: n_determinant + n12**2}
    tilted = expression.xreplace(IN_VIEWS).xreplace({P: 2 * a * lam**2, Q: 2 * b})
    return sp.expand(sp.expand(tilted).subs(det))


def over_a_and_b(average: sp.Expr, dynamics: ModeDynamics) -> tuple[sp.Expr, sp.Expr]:
    """Bring an integrand of the engine for ds/dt, and its Δ, from τ to a and b.

    Returns:
        The integrand of G = s ds/dt over da db, and Δ, both in v = s².
    """
    s = sym.singular_value
    averages = sp.Add(*dynamics.rates[0].atoms(sym.Average))
    assert dynamics.rates[0] == averages - sym.weight_decay * s  # nothing but these and decay
    eigenvalue = sp.S.One if dynamics.predictor == 1 else lam
    first, second = sym.mode_sum(eigenvalue**2 * s**2), sym.mode_sum(s**2)
    units = dict(zip((second, first), sp.symbols("unit2 unit1", positive=True), strict=True))
    names = dict(dynamics.definitions)
    tau1, tau2 = (
        next(iter(names[t].free_symbols & set(sym.taus))) for t in (sym.tilt11, sym.tilt22)
    )
    from_tau = {tau1: a * n11 * units[first], tau2: b * n22 * units[second]}  # τ = a E[F]
    integrand, delta = s * average.args[0] / (4 * a * b), determinant  # dτ/(2τ) = da/(2a)
    for symbol, meaning in dynamics.definitions:
        if symbol not in (determinant, n11, n12, n22, n_determinant):
            integrand = integrand.xreplace({symbol: meaning})
        if symbol in (determinant, sym.tilt11, sym.tilt22):
            delta = delta.xreplace({symbol: meaning})
    both = sp.Tuple(integrand, delta).xreplace(units).xreplace(from_tau)
    return tuple(sym.canonical(e.xreplace({s: sp.sqrt(variance)})) for e in both)


def the_form_becomes_an_exponential() -> list[Line]:
    """A power of a quadratic form is an integral over exponentials of it."""
    form, power = sp.symbols("F p", positive=True)
    integral = sp.integrate(a ** (power - 1) * sp.exp(-a * form), (a, 0, sp.oo)) / sp.gamma(power)
    assert sp.simplify(integral * form**power) == 1
    written = sp.Integral(a ** (power - 1) * sp.exp(-a * form), (a, 0, sp.oo)) / sp.gamma(power)
    return [("one for each form", "F^{-p}", written)]


def the_tilted_covariance() -> list[Line]:
    """(C⁻¹ + diag(P, Q))⁻¹ and det(1 + C diag(P, Q)), and the engine's Δ."""
    covariance, tilt = sp.Matrix([[c11, c12], [c12, c22]]), sp.diag(P, Q)
    delta = sp.expand((sp.eye(2) + covariance * tilt).det())
    tilted = (covariance.inv() + tilt).inv()
    by_hand = hand_moments().subs(determinant, delta)
    assert sp.expand(delta - hand_determinant()) == 0
    assert sp.simplify(tilted - by_hand) == sp.zeros(2, 2)
    dynamics = close(mode_dynamics(cosine(), sym.alpha))
    (average,) = dynamics.rates[0].atoms(sym.Average)
    engine = over_a_and_b(average, dynamics)[1]
    assert sym.equal(engine, in_views(hand_determinant()))
    return [
        ("normalisation of a mode", r"\Delta_m", delta),
        ("the same in the engine", r"\Delta_m", engine),
        ("tilted covariance", "C'_m", hand_moments()),
    ]


CLAIMS = (the_form_becomes_an_exponential, the_tilted_covariance)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
