"""Solve for the fixed points of a mode in closed form, where sympy can."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import product
from math import gcd, lcm, prod
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from eigendyn.analysis.system import DynamicalSystem
from eigendyn.results.trajectory import of_modes
from eigendyn.settings.states import MOVES
from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import ModeDynamics, substitute
from eigendyn.theory.formula import text
from eigendyn.theory.symbols import Average, ModeMaximum, ModeSum

HIGHEST = 2  # degree of a polynomial whose roots are written out
IMAGINARY = 1e-12  # share of a root's size below which it is real
MOST = 4096  # combinations of fixed points over modes

Rest = dict[sp.Symbol, sp.Expr]
Rests = list[Rest]


def exact_rests(dynamics: ModeDynamics, absent: Collection[str] = ()) -> Rests:
    r"""Solve ds/dt = 0 for the fixed points of one mode, and the same for every further state.

    States that follow others linearly, as a target or a running average, are put in; what is left
    must be a polynomial in a rational power of one state, of degree two at most once common factors
    are taken out.

    Args:
        dynamics: Closed dynamics.
        absent: Names of parameters that are zero, which makes more of them solvable.

    Returns:
        Each fixed point as the value of every state; a singular value stands for both of its signs.
        Empty if modes interact, or sympy has no such solution.
    """
    if any(str(state) in MOVES for state in dynamics.states):
        return []
    rates = [substitute(rate, dynamics) for rate in dynamics.rates]
    if any(rate.has(ModeSum, ModeMaximum, Average, sym.time) for rate in rates):
        return []
    nothing = {symbol: 0 for rate in rates for symbol in rate.free_symbols if str(symbol) in absent}
    squared = {sym.singular_value: sp.sqrt(sym.variance)}
    in_variance = [rate.subs(nothing).subs(squared) for rate in rates]
    states = [*dynamics.states[1:], sym.variance]  # what follows s is put in first
    found = [
        {state: sp.simplify(value) for state, value in rest.items()}
        for rest in _solved(in_variance, states)
    ]
    return [
        {sym.singular_value: sp.sqrt(rest[sym.variance])}
        | {state: rest[state] for state in dynamics.states[1:]}
        for rest in found
    ]


def rest_points(system: DynamicalSystem, **parameters: float) -> NDArray:
    """Fixed points (points, coordinates) that symbols give, of all modes together.

    Every mode may stand at each of its fixed points, since modes do not interact where there are
    symbols. None where there are too many combinations.
    """
    numbers = {**system.parameters, **parameters}
    rests = exact_rests(system.dynamics, _absent(numbers))
    own = [
        [point for rest in rests if (point := _point(system, rest, of_mode)) is not None]
        for of_mode in (of_modes(numbers, np.array([mode])) for mode in range(system.modes))
    ]
    if not 0 < prod(map(len, own)) <= MOST:
        return np.empty((0, len(system.names)))
    return np.array([np.stack(some, axis=1).ravel() for some in product(*own)])


def rests_in_words(system: DynamicalSystem, **parameters: float) -> list[str]:
    """Write the fixed points of one mode, such as "v_m = 1 - ω"; empty if there are no symbols."""
    lines = []
    for rest in exact_rests(system.dynamics, _absent({**system.parameters, **parameters})):
        shown = {sym.variance: rest[sym.singular_value] ** 2} | {
            state: rest[state] for state in system.dynamics.states[1:]
        }
        if not any(value.has(sp.I) for value in shown.values()):
            lines.append(", ".join(f"{text(s)} = {text(sp.simplify(x))}" for s, x in shown.items()))
    return lines


def _absent(numbers: Mapping[str, Any]) -> list[str]:
    return [name for name, value in numbers.items() if not np.any(value)]


def _point(system: DynamicalSystem, rest: Rest, numbers: Mapping[str, Any]) -> NDArray | None:
    """A fixed point of one mode (states,), with its numbers; None if it is not real."""
    point = [_value(rest[state], numbers) for state in system.dynamics.states]
    real = all(abs(x.imag) <= IMAGINARY * max(1.0, abs(x)) for x in point)
    return np.real(point) if real and np.isfinite(np.real(point)).all() else None


def _value(expression: sp.Expr, numbers: Mapping[str, Any]) -> complex:
    own = {s: float(np.ravel(numbers[str(s)])[0]) for s in expression.free_symbols}
    return complex(expression.subs(own))


def _solved(rates: list[sp.Expr], states: list[sp.Symbol]) -> Rests:
    """Fixed points, one state after another: each from an equation that has no other state.

    An equation is a product, each factor of which is solved for a state of its own.
    """
    rates = [rate for rate in map(sp.simplify, rates) if rate != 0]
    if not states:
        return [] if rates else [{}]
    for rate in rates:
        solutions = _solutions(rate, states)
        if solutions is None:
            continue
        others = [other for other in rates if other is not rate]
        return [
            {**rest, state: value.subs(rest)}
            for state, value in solutions
            for rest in _solved(
                [other.subs(state, value) for other in others], [s for s in states if s != state]
            )
        ]
    return []


def _solutions(rate: sp.Expr, states: list[sp.Symbol]) -> list[tuple[sp.Symbol, sp.Expr]] | None:
    """Zeros of every factor, as values of a state; None if a factor cannot be solved."""
    whole = lcm(
        *(
            int(power.exp.q)
            for power in rate.atoms(sp.Pow)
            if power.base == sym.variance and power.exp.is_Rational
        )
    )
    numerator = sp.fraction(sp.together(rate.subs(sym.variance, sym.variance**whole)))[0]
    found = []
    for factor, _ in sp.factor_list(sp.expand(numerator))[1]:
        inside = [state for state in states if factor.has(state)]
        if not inside:
            continue
        zeros = next((z for s in inside if (z := _zeros(factor, s, inside)) is not None), None)
        if zeros is None:
            return None
        root = {sym.variance: sym.variance ** sp.Rational(1, whole)}
        found += [
            (s, value**whole if s == sym.variance else value.subs(root)) for s, value in zeros
        ]
    return list(dict.fromkeys(found))


def _zeros(
    factor: sp.Expr, state: sp.Symbol, inside: list[sp.Symbol]
) -> list[tuple[sp.Symbol, sp.Expr]] | None:
    """Zeros of a polynomial in a power of one state, whose coefficients have no other state."""
    if not factor.is_polynomial(state):
        return None
    terms = {power: c for (power,), c in sp.Poly(factor, state).terms()}
    others = set(inside) - {state}
    step = gcd(*terms)
    leading = terms[max(terms)]
    if max(terms) > HIGHEST * step or leading.free_symbols & others:
        return None
    if others and max(terms) > 1:
        return None
    a, b, c = (terms.get(power * step, sp.S.Zero) for power in (2, 1, 0))
    if a == 0:
        return [(state, (-c / b) ** sp.Rational(1, step))]
    root = sp.sqrt(sp.factor(b**2 - 4 * a * c))
    return [(state, ((-b + sign * root) / (2 * a)) ** sp.Rational(1, step)) for sign in (-1, 1)]
