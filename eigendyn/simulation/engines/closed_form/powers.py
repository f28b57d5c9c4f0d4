"""Write the growth rate of an uncoupled mode as a sum of powers of its variance.

The program of the dynamics is followed with such sums in the place of numbers, in exact fractions,
so that what cancels is gone. Neither sympy nor JAX is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import reduce

import numpy as np

from eigendyn.errors import NoClosedForm
from eigendyn.program import Operation, Program
from eigendyn.program.in_numpy import quantities

HINT = "Try `method='flow'`, or `method='steps'`."

Powers = Mapping[Fraction, Fraction]  # {exponent: coefficient}, none of which is zero


def growth_powers(program: Program, parameters: Mapping[str, float], modes: int) -> Powers:
    """Write (1/v) dv/dt = (2/s) ds/dt as Σ c_r v^r of the mode's own variance v = s².

    Args:
        program: Closed dynamics of the singular value.
        parameters: One number for each of the program's parameters.
        modes: Number of modes, which a written loss may contain.

    Returns:
        {r: c_r}, exact for the given numbers unless an irrational one occurs, which is rounded.

    Raises:
        NoClosedForm: It is no such sum.
    """
    if program.is_coupled:
        message = (
            "A closed form needs a growth rate that depends on the mode's own variance alone; "
            f"that of these dynamics, with the closure {program.closure!r}, does not. {HINT}"
        )
        raise NoClosedForm(message)
    needed = program.needed(program.rates)
    ones = np.ones((len(program.states), modes, 1))
    numbers = dict(zip(needed, quantities(program, needed, ones, parameters), strict=True))
    values: dict[int, Powers] = {}
    for place in needed:
        operation = program.operations[place]
        operands = [values[p] for p in operation.operands]
        if operation.kind == "state":
            values[place] = {Fraction(1): Fraction(1)}
        elif operation.kind == "parameter":
            number = np.ravel(parameters[program.parameters[int(operation.value)]])[0]
            values[place] = _constant(float(number))
        elif (found := _rational(operation, operands)) is not None:
            values[place] = found
        elif not any(any(operand) for operand in operands):  # no power but the zeroth: a number
            values[place] = _constant(float(numbers[place].flat[0]))
        else:
            message = (
                "A closed form needs a growth rate that is a sum of powers of the variance; that "
                f"of these dynamics takes a function, {operation.kind}, of it. {HINT}"
            )
            raise NoClosedForm(message)
    (rate,) = program.rates
    return {(r - 1) / 2: 2 * c for r, c in values[rate].items()}


def text(growth: Powers) -> str:
    """Write such a sum for a message."""
    terms = (f"{float(c):g} v^{float(r):g}" for r, c in sorted(growth.items()))
    return " + ".join(terms) or "0"


def _rational(operation: Operation, operands: list[Powers]) -> Powers | None:
    """The value of an operation that stays a sum of powers with rational coefficients."""
    kind = operation.kind
    if kind == "add":
        return reduce(_sum, operands)
    if kind == "multiply":
        terms = [{r + q: c * d} for r, c in operands[0].items() for q, d in operands[1].items()]
        return reduce(_sum, terms, {})
    if not operands or len(operands[0]) != 1:
        return None
    ((r, c),) = operands[0].items()
    if kind == "reciprocal":
        return {-r: 1 / c}
    if kind == "abs":
        return {r: abs(c)}
    exponent = Fraction(1, 2)
    if kind == "power" and set(operands[1]) <= {0}:
        exponent = operands[1].get(Fraction(0), Fraction(0))
    elif kind != "sqrt":
        return None
    if exponent.denominator == 1:
        return {r * exponent: c ** int(exponent)}
    return {r * exponent: _simplest(float(c) ** float(exponent))} if c > 0 else None


def _sum(one: Powers, other: Powers) -> Powers:
    total = {r: one.get(r, 0) + other.get(r, 0) for r in {*one, *other}}
    return {r: Fraction(c) for r, c in total.items() if c}


def _constant(number: float) -> Powers:
    if not np.isfinite(number):
        message = f"A closed form needs finite numbers, and one of these is {number:g}. {HINT}"
        raise NoClosedForm(message)
    return {Fraction(0): _simplest(number)} if number else {}


def _simplest(number: float) -> Fraction:
    """The fraction that a float stands for: a tenth, a third; else what is written, 1.25e-9."""
    simple = Fraction(number).limit_denominator()
    return simple if float(simple) == number else Fraction(repr(float(number)))
