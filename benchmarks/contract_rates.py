"""Write the rates of random problems as symbols, and evaluate them in NumPy.

Symbolic dynamics are all that is shared with the engines.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
import sympy as sp
from contract_problems import Group
from numpy.typing import NDArray

from eigendyn.program.in_jax import NODE_SYMBOLS
from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import ModeDynamics

OPTIONS = {"cse": True, "dummify": True}


class Rule(NamedTuple):
    """Nodes of an average, each (nodes, 1, 1)."""

    weights: NDArray
    values: tuple[NDArray, ...]


NO_RULE = Rule(np.zeros((0, 1, 1)), ())
Evaluate = Callable[[float, NDArray], NDArray]


def numpy_rates(group: Group, row: int, rule: Rule) -> Evaluate:
    """Write the rates of one problem with NumPy; the rule takes averages, where there are some.

    Returns:
        A function of the time and states (states, modes) to rates (states, modes).
    """
    dynamics = group.dynamics()
    functions = {
        "ModeSum": lambda x: np.sum(x, axis=-1, keepdims=True),
        "ModeMaximum": lambda x: np.max(x, axis=-1, keepdims=True),
    }
    rates, integrands, parts = expressions_of(dynamics)
    free = set().union(*(e.free_symbols for e in (*rates, *integrands)))
    nodes = node_symbols(free)
    named = sorted(free - {sym.time, sym.modes, *dynamics.states, *nodes, *parts}, key=str)
    arguments = [sym.time, sym.modes, *dynamics.states, *named]
    modules = [functions, "numpy"]
    rate_code = sp.lambdify([*arguments, *parts], rates, modules, **OPTIONS)
    node_code = sp.lambdify([*arguments, *nodes], integrands, modules, **OPTIONS)
    numbers = [float(group.numbers()[str(name)][row]) for name in named]

    def evaluate(time: float, states: NDArray) -> NDArray:
        given = [time, states.shape[-1], *states[:, None], *numbers]
        averages = []
        if integrands:
            found = node_code(*given, *rule.values)
            averages = [(rule.weights * integrand).sum(axis=0) for integrand in found]
        found = np.empty_like(states)
        for state, rate in enumerate(rate_code(*given, *averages)):
            found[state] = rate
        return found

    return evaluate


def node_symbols(free: Collection[sp.Basic]) -> list[sp.Symbol]:
    """Those of the symbols that are the values of a node."""
    return [symbol for symbol in NODE_SYMBOLS if symbol in free]


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


def ranked_of(expressions: list[sp.Expr]) -> sp.Expr | None:
    """That of which the largest over the modes is taken: a predictor has one correlation."""
    largest = sp.Tuple(*expressions).atoms(sym.ModeMaximum)
    if not largest:
        return None
    (one,) = largest
    return one.args[0]
