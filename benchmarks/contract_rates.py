"""A group of random problems enters; the rates of its states, evaluated by NumPy, leave.

Symbolic dynamics are all that is shared with the engines. A largest mode can be held fixed: then
rates stay smooth where another one overtakes it, and whoever integrates says when that happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy as sp
from contract_problems import Group
from numpy.typing import NDArray

from eigendyn import symbols as sym
from eigendyn.compile import NODE_SYMBOLS
from eigendyn.derive import ModeDynamics

OPTIONS = {"cse": True, "dummify": True}


@dataclass(frozen=True)
class Rule:
    """Nodes of an average, each (nodes, 1, 1)."""

    weights: NDArray
    values: tuple[NDArray, ...] = ()


@dataclass(frozen=True)
class Rates:
    """Rates of change of a group.

    Args:
        evaluate: Times (problems,), states (problems, states, modes), which problems, and their
            largest modes (problems, 1), or None, to rates (problems, states, modes).
        ranked: States to that of which the largest is taken (problems, modes), or None.
        states: Names of the states.
    """

    evaluate: Callable[[NDArray, NDArray, NDArray, NDArray | None], NDArray]
    ranked: Callable[[NDArray], NDArray] | None
    states: tuple[str, ...]


def numpy_rates(group: Group, rule: Rule | None = None) -> Rates:
    """Write the group's rates with NumPy; the rule takes averages, where there are some."""
    dynamics = group.dynamics()
    held: list[NDArray | None] = [None]  # the largest modes during a call

    def largest(values: NDArray) -> NDArray:
        if held[0] is None:
            return np.max(values, axis=-1, keepdims=True)
        return np.take_along_axis(values, held[0], axis=-1)

    functions = {
        "ModeSum": lambda x: np.sum(x, axis=-1, keepdims=True),
        "ModeMaximum": largest,
    }
    rates, integrands, parts = expressions_of(dynamics)
    free = set().union(*(e.free_symbols for e in (*rates, *integrands)))
    nodes = [symbol for symbol in NODE_SYMBOLS if symbol in free]
    named = sorted(free - {sym.time, sym.modes, *dynamics.states, *nodes, *parts}, key=str)
    arguments = [sym.time, sym.modes, *dynamics.states, *named]
    modules = [functions, "numpy"]
    rate_code = sp.lambdify([*arguments, *parts], rates, modules, **OPTIONS)
    node_code = sp.lambdify([*arguments, *nodes], integrands, modules, **OPTIONS)
    numbers = group.numbers()
    table = [numbers[str(name)][:, None] for name in named]

    def evaluate(
        times: NDArray, states: NDArray, which: NDArray, leaders: NDArray | None
    ) -> NDArray:
        held[0] = leaders
        given = [times[:, None], states.shape[-1], *np.moveaxis(states, 1, 0)]
        given += [row[which] for row in table]
        averages = []
        if integrands:
            assert rule is not None
            found = node_code(*given, *rule.values)
            averages = [(rule.weights * integrand).sum(axis=0) for integrand in found]
        found = np.empty_like(states)
        for state, rate in enumerate(rate_code(*given, *averages)):
            found[:, state] = rate
        return found

    names = tuple(str(state) for state in dynamics.states)
    largest = ranked_of(rates)
    if largest is None:
        return Rates(evaluate, None, names)
    code = sp.lambdify([*dynamics.states], largest, "numpy")
    return Rates(evaluate, lambda states: code(*np.moveaxis(states, 1, 0)), names)


def expressions_of(dynamics: ModeDynamics) -> tuple[list[sp.Expr], list[sp.Expr], list[sp.Symbol]]:
    """Rates, integrands, and the symbols that stand for averages in the rates."""
    definitions = [*dynamics.definitions, (sym.lam, dynamics.predictor)]

    def defined(expression: sp.Expr) -> sp.Expr:
        for symbol, meaning in definitions:
            expression = expression.xreplace({symbol: meaning})
        return expression

    local, parts = sym.detach(sp.Tuple(*dynamics.rates), sym.Average)
    integrands = [defined(average.args[0]) for average in parts.values()]
    return [defined(rate) for rate in local], integrands, list(parts)


def ranked_of(rates: list[sp.Expr]) -> sp.Expr | None:
    """That of which the largest over the modes is taken: a predictor has one correlation."""
    largest = sp.Tuple(*rates).atoms(sym.ModeMaximum)
    if not largest:
        return None
    (one,) = largest
    return one.args[0]
