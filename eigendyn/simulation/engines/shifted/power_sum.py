"""Write the growth rate of an uncoupled mode as a sum of powers of its variance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import mpmath
import sympy as sp
from mpmath import mpf

from eigendyn.errors import NotDecoupled
from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import ModeDynamics, substitute
from eigendyn.theory.formula import text
from eigendyn.theory.symbols import Average, Expectation, ModeMaximum, ModeSum

DIGITS = 50  # decimal ones of every number here: fixed points may nearly touch
HINT = "Try the engine that integrates."


@dataclass(frozen=True)
class PowerSum:
    """A growth rate (1/v) dv/dt = Σ c_i v^{r_i}, exponents ascending and not negative.

    Args:
        exponents: r_i (terms,).
        coefficients: c_i (terms,) [1/(time variance^r_i)], none of them zero.
    """

    exponents: tuple[mpf, ...]
    coefficients: tuple[mpf, ...]


def growth_powers(
    dynamics: ModeDynamics, parameters: Mapping[str, float], modes: int = 1
) -> PowerSum:
    """Write the growth rate of a mode's variance as a sum of its powers.

    Args:
        dynamics: Closed dynamics.
        parameters: One number for each of its parameters.
        modes: Number of modes, which a written loss may contain.

    Returns:
        The powers and their coefficients, exact to `DIGITS` digits for the given floats.

    Raises:
        NotDecoupled: The modes are coupled, have more states than the singular value, change with
            time, or grow by no sum of powers that is finite for a vanishing mode.
    """
    growth = growth_rate(dynamics)
    values = {sym.modes: sp.Integer(modes)} | {
        symbol: sp.Rational(float(parameters[str(symbol)]))
        for symbol in growth.free_symbols
        if str(symbol) in parameters
    }
    growth = sp.expand(growth.xreplace(values))
    terms: dict[sp.Expr, sp.Expr] = {}
    for term in sp.Add.make_args(sp.powsimp(growth)):
        coefficient, exponent = term.as_coeff_exponent(sym.variance)
        if coefficient.free_symbols or exponent.free_symbols or exponent < 0:
            message = (
                "Time-shifted curves need a growth rate (1/v) dv/dt that is a sum of powers v^r, "
                f"r ≥ 0, and no function of time; here it is {text(growth)}. {HINT}"
            )
            raise NotDecoupled(message)
        terms[exponent] = terms.get(exponent, sp.S.Zero) + coefficient
    with mpmath.workdps(DIGITS):
        found = sorted((_number(r), _number(c)) for r, c in terms.items())
    kept = [(r, c) for r, c in found if c != 0]
    return PowerSum(tuple(r for r, _ in kept), tuple(c for _, c in kept))


def growth_rate(dynamics: ModeDynamics) -> sp.Expr:
    """Write (1/v) dv/dt = (2/s) ds/dt as a function of the mode's own variance v.

    Args:
        dynamics: Closed dynamics of the singular value.

    Raises:
        NotDecoupled: It is no such function.
    """
    s = sym.singular_value
    rate = substitute(dynamics.rates[0], dynamics)
    if dynamics.states != (s,) or rate.has(Average, Expectation, ModeMaximum, ModeSum):
        message = (
            "Time-shifted curves need modes that depend on their own singular value alone; those "
            f"of {dynamics.name!r} with the closure {dynamics.closure!r} do not. {HINT}"
        )
        raise NotDecoupled(message)
    return sp.expand((2 * rate / s).xreplace({s: sp.sqrt(sym.variance)}))


def _number(value: sp.Expr) -> mpf:
    return mpf(sp.Float(value, DIGITS)._mpf_)
