"""Compile a function that integrates each problem of a group in C.

The symbolic dynamics are printed as C by sympy, one loop over the modes for every depth of sums,
around them one over the nodes where there are averages, and compiled with the integrator of
`contract_dop853.c`. Nothing of the engines is used.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sympy as sp
from contract_problems import Group
from contract_rates import NO_RULE, Rule, expressions_of, node_symbols, ranked_of
from numpy.typing import NDArray
from scipy.integrate import DOP853

from eigendyn.theory import symbols as sym
from eigendyn.theory.symbols import ModeMaximum, ModeSum

NOTHING = 1e-290  # error allowed to a state that has vanished: it may grow again …
RESTING = 1e-17  # … but for a velocity
MOST_STEPS = 200_000
MOST_WORK = 1.5e7  # steps × nodes × modes: fewer steps, where averages are slow
SHORTEST = 1e-15  # step over time where the solution ends
OVERTAKEN = 1e-12  # by how much another mode may exceed the one held to be the largest
FOUND, ENDED, STIFF = 0, 1, 2  # the solution, its end (rates without bound), or too many steps
INTEGRATOR = Path(__file__).with_name("contract_dop853.c")
COMPILER = ("gcc", "-O2", "-march=native", "-fno-math-errno", "-fPIC", "-shared", "-lm")

Solve = Callable[[int, float, Rule], tuple[NDArray, int]]


def native(group: Group) -> Solve:
    """Compile a group.

    Returns:
        A function of a problem (its row), a relative tolerance, and the nodes of its averages; it
        returns states (states, modes, times), NaN from where it stopped, and why it did.
    """
    states = tuple(str(state) for state in group.dynamics().states)
    text, named = source(group)
    starts = group.starts(states)
    numbers = group.numbers()
    table = np.stack([numbers[name] for name in named] or [np.zeros(len(starts))], axis=1)
    floors = np.array([RESTING if "velocity" in name else NOTHING for name in states])
    times = np.ascontiguousarray(group.times, float)
    with tempfile.TemporaryDirectory() as folder:
        code, library = Path(folder, "rates.c"), Path(folder, "rates.so")
        code.write_text(text, "utf-8")
        program, *flags = COMPILER
        subprocess.run([program, str(code), "-o", str(library), *flags], check=True)
        compiled = ctypes.CDLL(str(library)).solve

    def solve(row: int, rtol: float, rule: Rule = NO_RULE) -> tuple[NDArray, int]:
        size, modes = starts[row].shape
        values = np.full((len(times), size, modes), np.nan)
        values[0] = starts[row]
        parameters = np.ascontiguousarray(table[row])
        nodes = np.stack([each.ravel() for each in (rule.weights, *rule.values)], axis=1)
        most_steps = min(MOST_STEPS, int(MOST_WORK / (max(1, len(nodes)) * modes)))
        end = compiled(
            ctypes.c_int(modes),
            _pointer(parameters),
            _pointer(nodes),
            ctypes.c_int(len(nodes)),
            _pointer(times),
            ctypes.c_int(len(times)),
            ctypes.c_double(rtol),
            _pointer(floors),
            ctypes.c_long(most_steps),
            _pointer(values),
        )
        return np.moveaxis(values, 0, -1), end

    return solve


def _pointer(array: NDArray) -> ctypes.c_void_p:
    assert array.flags.c_contiguous and array.dtype == float
    return ctypes.c_void_p(array.ctypes.data)


def source(group: Group) -> tuple[str, list[str]]:
    """C code of a group, and the names of the parameters that it reads."""
    dynamics = group.dynamics()
    rates, integrands, parts = expressions_of(dynamics)
    largest = ranked_of([*rates, *integrands])
    free = set().union(*(each.free_symbols for each in (*rates, *integrands)))
    nodes = node_symbols(free)
    named = sorted(free - {sym.time, sym.modes, *dynamics.states, *nodes, *parts}, key=str)
    known = {sym.time: "time", sym.modes: "(double)modes"}
    known |= {state: f"y[{i} * modes + m]" for i, state in enumerate(dynamics.states)}
    known |= {symbol: f"p[{i}]" for i, symbol in enumerate(named)}
    known |= {symbol: f"node[{1 + i}]" for i, symbol in enumerate(nodes)}
    known |= {part: f"average[{i} * modes + m]" for i, part in enumerate(parts)}
    lines = [f"double average[{max(1, len(parts))} * modes]; memset(average, 0, sizeof average);"]
    if integrands:
        lines += [
            f"for (const double *node = NODES; node < NODES_END; node += {1 + len(nodes)}) {{"
        ]
        lines += _over_modes(integrands, known, "average[{i} * modes + m] += node[0] * ({value});")
        lines += ["}"]
    lines += _over_modes(rates, known, "dy[{i} * modes + m] = {value};")
    begin = "static void rates(double time, int modes, const double *y, const double *p,"
    head = [
        _tables(len(dynamics.states), largest is not None),
        f"#define NODE_SIZE {1 + len(nodes)}",
        INTEGRATOR.read_text("utf-8"),
        f"{begin} int leader, double *dy) {{\n" + "\n".join(lines) + "\n}",
        "static void ranked(int modes, const double *y, const double *p, double *c) {",
    ]
    if largest is not None:
        block, (value,) = _block([largest], known)
        head += [f"for (int m = 0; m < modes; m++) {{ {block} c[m] = {value}; }}"]
    return "\n".join([*head, "}"]) + "\n", [str(symbol) for symbol in named]


def _over_modes(expressions: list[sp.Expr], known: dict[sp.Symbol, str], kept: str) -> list[str]:
    """Loops over the modes: sums, from the innermost on, then what is kept of every mode."""
    known, lines = dict(known), []
    while reductions := _innermost(expressions):
        for reduction in reductions:
            symbol = sp.Dummy(real=True)
            known[symbol] = name = f"r{len(known)}"
            expressions = [each.xreplace({reduction: symbol}) for each in expressions]
            block, (value,) = _block([reduction.args[0]], known)
            if isinstance(reduction, ModeMaximum):
                lines += [f"double {name}; {{ int m = leader; {block} {name} = {value}; }}"]
            else:
                loop = f"for (int m = 0; m < modes; m++) {{ {block} {name} += {value}; }}"
                lines += [f"double {name} = 0; {loop}"]
    block, values = _block(expressions, known)
    stored = " ".join(kept.format(i=i, value=value) for i, value in enumerate(values))
    return [*lines, f"for (int m = 0; m < modes; m++) {{ {block} {stored} }}"]


def _innermost(expressions: list[sp.Expr]) -> list[sp.Expr]:
    """Sums and largest values of what has none inside, in an order that is always the same."""
    found = sp.Tuple(*expressions).atoms(ModeSum, ModeMaximum)
    inner = [one for one in found if not one.args[0].has(ModeSum, ModeMaximum)]
    return sorted(inner, key=sp.default_sort_key)


def _block(expressions: list[sp.Expr], known: dict[sp.Symbol, str]) -> tuple[str, list[str]]:
    """Assignments of common parts, and the expressions in terms of them, as C."""
    steps, rest = sp.cse(expressions, sp.numbered_symbols("x"))
    names = {symbol: sp.Symbol(text) for symbol, text in known.items()}

    def printed(expression: sp.Expr) -> str:
        return sp.ccode(expression.xreplace(names))

    block = " ".join(f"const double {symbol} = {printed(value)};" for symbol, value in steps)
    return block, [printed(value) for value in rest]


def _tables(size: int, kinked: bool) -> str:
    stages = len(DOP853.C)

    def table(name: str, array: NDArray) -> str:
        shape = "".join(f"[{n}]" for n in array.shape)
        options = {"separator": ",", "threshold": 10**6, "formatter": {"float": float.hex}}
        rows = np.array2string(array, **options)
        braces = str.maketrans("[]", "{}")
        return f"static const double {name}{shape} = {rows.translate(braces)};"

    arrays = {"A": DOP853.A, "B": DOP853.B, "C": DOP853.C, "E3": DOP853.E3, "E5": DOP853.E5}
    numbers = {"SIZE": size, "KINKED": int(kinked), "STAGES": stages}
    numbers |= {"FOUND": FOUND, "ENDED": ENDED, "STIFF": STIFF}
    numbers |= {"SHORTEST": SHORTEST, "OVERTAKEN": OVERTAKEN}
    return "\n".join(
        [f"#define {n} {value}" for n, value in numbers.items()]
        + [table(n, array) for n, array in arrays.items()]
    )
