r"""Take moments exactly: of polynomials, and of ratios of quadratic forms by quadrature.

A ratio is N / Π_f F_f^{p_f}, with N a polynomial in representations and sums over modes, F_f a sum
over modes of a quadratic form in (z1, z2), and p_f a half-integer; sums of eigenvalues alone count
as numbers. With

    F^{−p} = 2/Γ(p) ∫₀^∞ y^{2p−1} exp(−y² F) dy

every F_f multiplies each mode's Gaussian by an exponential of its own quadratic form, so modes stay
independent Gaussians with another covariance, and the numerator's moments are polynomial again.

With P = 2Στ_f a_f r1², Q = 2Στ_f b_f r2², R = Στ_f c_f r1 r2 for forms a z1² + b z2² + c z1 z2,
τ = y², n the whitened covariance and d = n11 n22 − n12²:

    Δ   = 1 + n11 P + n22 Q + 2 n12 R + d (P Q − R²)
    u11 = (n11 + d Q)/Δ,  u22 = (n22 + d P)/Δ,  u12 = (n12 − d R)/Δ,  Z = Π_m Δ_m^{−½}

Each τ_f is counted in units of 1/E[F_f], so that the nodes need not follow the spectrum's scale.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import sympy as sp

from eigendyn.theory import symbols as sym
from eigendyn.theory.closure.gaussian import expectation, fluctuates, moment, no_exact_closure
from eigendyn.theory.derive import ModeDynamics
from eigendyn.theory.symbols import Average, Expectation, ModeSum, x1, x2, z1, z2

TILTED = (sym.u11, sym.u12, sym.u22)
SHARED = (sym.n11, sym.n12, sym.n22, sym.n_determinant)  # covariance that all modes share
OWN = (sym.m11, sym.m12, sym.m22, sym.m_determinant)  # or that is each mode's own


def close_exactly(dynamics: ModeDynamics) -> ModeDynamics:
    """Take every open moment exactly.

    Polynomials need nothing more than the covariance of the views. Ratios of quadratic forms turn
    into an `Average` over quadrature nodes τ_f, one axis for each distinct form. A moment may be a
    sum of both.

    Args:
        dynamics: Dynamics with open moments.

    Returns:
        Closed dynamics, closure "exact moments" or "exact quadrature".

    Raises:
        NoExactClosure: A moment is neither of both structures.
    """
    open_moments = sorted(set().union(*(r.atoms(Expectation) for r in dynamics.rates)), key=str)
    forms: list[sp.Expr] = []
    polynomials: dict[sp.Expr, sp.Expr] = {}
    ratios: dict[sp.Expr, tuple[sp.Expr, dict[sp.Expr, sp.Rational]]] = {}
    for node in open_moments:
        terms = sp.Add.make_args(whiten(node.args[0], dynamics))
        polynomials[node] = sp.Add(*[term for term in terms if not _denominators(term)])
        numerator, powers = as_ratio(sp.Add(*[term for term in terms if _denominators(term)]))
        forms += [form for form in powers if form not in forms]
        ratios[node] = (numerator, powers)
    if len(forms) > len(sym.taus):
        found = f"{len(forms)} distinct quadratic forms in its denominators"
        raise no_exact_closure(found)
    taus = dict(zip(forms, sym.taus, strict=False))
    own = _untilted(dynamics)
    untilted = dict(zip(TILTED, own[:3], strict=True))
    units = {form: tau / mean_form(form, untilted) for form, tau in taus.items()}
    moments = {
        node: expectation(polynomials[node]).xreplace(untilted if taus else {})
        + _close_ratio(*ratio, units)
        for node, ratio in ratios.items()
    }
    covariance = zip(TILTED, dynamics.covariance, strict=True)
    return replace(
        dynamics,
        rates=tuple(rate.xreplace(moments) for rate in dynamics.rates),
        definitions=tuple(_tilted_covariance(dynamics, own, units) if forms else covariance),
        closure="exact quadrature" if forms else "exact moments",
    )


def whiten(expression: sp.Expr, dynamics: ModeDynamics) -> sp.Expr:
    """Write the representations as z1 = r1 x1, z2 = r2 x2."""
    r1, r2 = dynamics.scales
    return _canonical(expression.xreplace({z1: r1 * x1, z2: r2 * x2}))


def _canonical(expression: sp.Expr) -> sp.Expr:
    """Canonical, but with denominators such as 1 + λ kept as factors.

    Expanded, they would swallow the forms they stand beside, as in 1/(√F + λ√F), and a mode at
    s = 0 could not be put into s²/(s + λs).
    """
    taken = {symbol.name for symbol in expression.free_symbols}
    names = (symbol for symbol in map(sym.placeholder, count()) if symbol.name not in taken)
    found: dict[sp.Expr, sp.Symbol] = {}

    def set_aside(node: sp.Expr) -> sp.Expr:
        if isinstance(node, ModeSum) or not node.args:
            return node
        if not (isinstance(node, sp.Pow) and isinstance(node.base, sp.Add)):
            return node.func(*map(set_aside, node.args))
        common, rest = sp.factor_terms(node.base).as_independent(sp.Add, as_Add=False)
        if fluctuates(rest) or not (node.exp.is_Integer and node.exp < 0):
            return node
        if rest not in found:
            found[rest] = next(names)
        return (common * found[rest]) ** node.exp

    canonical = sym.canonical(set_aside(expression))
    return canonical.xreplace({name: denominator for denominator, name in found.items()})


def as_ratio(expression: sp.Expr) -> tuple[sp.Expr, dict[sp.Expr, sp.Rational]]:
    """Bring a canonical expression over one common denominator.

    Returns:
        Numerator N, and the half-integer power p of each quadratic form F, with the expression
        equal to N / Π F^p.

    Raises:
        NoExactClosure: A denominator is not a half-integer power of a quadratic form.
    """
    powers: dict[sp.Expr, sp.Rational] = {}
    for factor in _denominators(expression):
        _check_form(factor)
        powers[factor.base] = max(-factor.exp, powers.get(factor.base, sp.S.Half))
    denominator = sp.Mul(*[form**power for form, power in powers.items()])
    return _canonical(expression * denominator), powers


def _denominators(expression: sp.Expr) -> list[sp.Pow]:
    """Powers of fluctuating sums over modes that are no polynomials."""
    powers = sorted(expression.atoms(sp.Pow), key=sp.default_sort_key)
    return [
        power
        for power in powers
        if isinstance(power.base, ModeSum)
        and fluctuates(power.base)
        and not (power.exp.is_Integer and power.exp > 0)
    ]


def _check_form(factor: sp.Pow) -> None:
    if not factor.base.args[0].is_polynomial(x1, x2):  # |x1 x2| is none
        raise no_exact_closure(factor)
    quadratic = sp.Poly(factor.base.args[0], x1, x2)
    half_integer = (2 * factor.exp).is_Integer and not factor.exp.is_Integer
    if not (half_integer and quadratic.is_homogeneous and quadratic.total_degree() == 2):
        raise no_exact_closure(factor)


def _close_ratio(
    numerator: sp.Expr, powers: dict[sp.Expr, sp.Rational], units: dict[sp.Expr, sp.Expr]
) -> sp.Expr:
    """A ratio's moment, given τ of each form in units of 1/E[F]."""
    if numerator == 0:
        return sp.S.Zero
    absent = set(units) - set(powers)
    if absent:
        found = f"a moment without the form {absent.pop()}"
        raise no_exact_closure(found)
    partition_function = sp.exp(-ModeSum(sp.log(sym.determinant)) / 2)
    density = sp.Mul(*[2 / sp.gamma(p) * units[f] ** p for f, p in powers.items()])
    return Average(density * partition_function * expectation(numerator))


def _untilted(dynamics: ModeDynamics) -> tuple[sp.Symbol, ...]:
    """Names of the views' own covariance and its determinant: shared by all modes, or not."""
    return OWN if any(map(sym.is_local, dynamics.covariance)) else SHARED


def mean_form(form: sp.Expr, untilted: dict[sp.Symbol, sp.Symbol]) -> sp.Expr:
    """E[F] of a quadratic form under the views' own covariance."""
    quadratic = sp.Poly(form.args[0], x1, x2)
    mean = sum(c * moment(p) for p, c in quadratic.terms())
    return sym.canonical(ModeSum(sp.expand(mean).xreplace(untilted)))


def _tilted_covariance(
    dynamics: ModeDynamics, own: tuple[sp.Symbol, ...], units: dict[sp.Expr, sp.Expr]
) -> list[tuple[sp.Symbol, sp.Expr]]:
    p, q, r = sym.tilt11, sym.tilt22, sym.tilt12
    tilts = {p: sp.S.Zero, q: sp.S.Zero, r: sp.S.Zero}
    for form, unit in units.items():
        quadratic = sp.Poly(form.args[0], x1, x2)
        tilts[p] += 2 * unit * quadratic.coeff_monomial(x1**2)
        tilts[q] += 2 * unit * quadratic.coeff_monomial(x2**2)
        tilts[r] += unit * quadratic.coeff_monomial(x1 * x2)
    n11, n12, n22, d = own
    covariance = dynamics.covariance
    tilted = {
        sym.u11: (n11 + d * q) / sym.determinant,
        sym.u12: (n12 - d * r) / sym.determinant,
        sym.u22: (n22 + d * p) / sym.determinant,
        sym.determinant: 1 + n11 * p + n22 * q + 2 * n12 * r + d * (p * q - r**2),
    }
    absent = {symbol: tilt for symbol, tilt in tilts.items() if tilt == 0}
    return [
        *((symbol, expression.xreplace(absent)) for symbol, expression in tilted.items()),
        *((symbol, tilt) for symbol, tilt in tilts.items() if tilt != 0),
        (d, sp.expand(covariance[0] * covariance[2] - covariance[1] ** 2)),
        *zip((n11, n12, n22), covariance, strict=True),
    ]
