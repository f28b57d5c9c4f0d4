r"""Integrals over the tilts of equal modes without noise are quotients of Gamma functions.

There Δ = 1 + Aa + Bb, and with Liouville's form of the Dirichlet integral

    ∫∫ a^{i−1} b^{j−1} (1+Aa+Bb)^{−k} da db = A^{−i} B^{−j} Γ(i) Γ(j) Γ(k−i−j)/Γ(k),  k > i + j

Symbols of this page: i, j, k, A, B, p = Aa and q = Bb, all positive; the alphabet has none.

Source: Liouville 1839.
"""

import numpy as np
import scipy.integrate
import sympy as sp

from derivations.page import Line, show
from derivations.tilted_gaussian import a, b
from eigendyn.theory.symbols import determinant

i, j, k, A, B, p, q = sp.symbols("i j k A B p q", positive=True)


def hand_integral() -> sp.Expr:
    """Write the integral by hand."""
    gammas = sp.gamma(i) * sp.gamma(j) * sp.gamma(k - i - j) / sp.gamma(k)
    return gammas / (A**i * B**j)


def integrate_tilts(integrand: sp.Expr, first: sp.Expr, second: sp.Expr) -> sp.Expr:
    """Integrate sums of monomials in a, b and Δ = 1 + first·a + second·b over a, b > 0."""
    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(integrand)):
        powers = sp.powsimp(sp.powdenest(term, force=True)).as_powers_dict()
        exponents = {i: powers[a] + 1, j: powers[b] + 1, k: -powers[determinant]}
        monomial = sp.Mul(*[base ** powers[base] for base in (a, b, determinant)])
        coefficient = sp.simplify(term / monomial)
        if coefficient.has(a, b, determinant):
            message = f"Only monomials in a, b and Δ can be integrated here, not {term}."
            raise ValueError(message)
        total += coefficient * hand_integral().subs({A: first, B: second}).subs(exponents)
    return sp.gammasimp(total)


def two_beta_integrals() -> list[Line]:
    """First b = (1 + Aa) q/B, then a = p/A."""
    inner = sp.integrate(q ** (j - 1) * (1 + q) ** (-k), (q, 0, sp.oo), conds="none") / B**j
    outer = sp.integrate(p ** (i - 1) * (1 + p) ** (j - k), (p, 0, sp.oo), conds="none") / A**i
    assert sp.gammasimp(inner * outer / hand_integral()) == 1
    left = r"\int_0^\infty\int_0^\infty \frac{a^{i-1} b^{j-1}}{(1+Aa+Bb)^k} \, da \, db"
    return [("for k > i + j", left, sp.gammasimp(inner * outer))]


def the_rule_meets_a_number() -> list[Line]:
    """√(ab)/(1 + a + 2b)⁵ integrated by the rule, and by adaptive quadrature."""
    rule = integrate_tilts(sp.sqrt(a * b) / determinant**5, sp.S.One, sp.Integer(2))
    number, _ = scipy.integrate.dblquad(
        lambda y, x: 4 * (x * y) ** 2 / (1 + x**2 + 2 * y**2) ** 5, 0, np.inf, 0, np.inf, epsabs=0
    )  # a = x², b = y²
    assert abs(number / float(rule) - 1) < 1e-8
    return [("by the rule", r"\int\int \frac{\sqrt{ab}}{(1+a+2b)^5} \, da \, db", rule)]


CLAIMS = (two_beta_integrals, the_rule_meets_a_number)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
