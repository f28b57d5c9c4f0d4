"""A group of random problems enters; its states at the saved times, integrated in C, leave.

The symbolic dynamics are printed as C by sympy, one loop over the modes for every depth of sums,
and compiled with the integrator of `contract_dop853.c`. Nothing of the engines is used.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import sympy as sp
from contract_problems import Group
from contract_rates import expressions_of, ranked_of
from numpy.typing import NDArray
from scipy.integrate import DOP853

from eigendyn import symbols as sym
from eigendyn.symbols import ModeMaximum, ModeSum

NOTHING = 1e-290  # error allowed to a state that has vanished: it may grow again …
RESTING = 1e-17  # … but for a velocity
MOST_STEPS = 200_000
SHORTEST = 1e-15  # step over time where the solution ends
OVERTAKEN = 1e-12  # by how much another mode may exceed the one held to be the largest
FOUND, ENDED, STIFF = 0, 1, 2  # the solution, its end (rates without bound), or too many steps
INTEGRATOR = Path(__file__).with_name("contract_dop853.c")
COMPILER = ("gcc", "-O2", "-march=native", "-fno-math-errno", "-fPIC", "-shared", "-lm")


def native(group: Group, rtol: float, rows: Iterable[int]) -> tuple[NDArray, NDArray]:
    """States (problems, states, modes, times), and why each problem stopped (problems,).

    Problems that are not among the rows are NaN after their start.
    """
    states = tuple(str(state) for state in group.dynamics().states)
    text, named = source(group)
    starts = group.starts(states)
    numbers = group.numbers()
    table = np.stack([numbers[name] for name in named] or [np.zeros(len(starts))], axis=1)
    floors = np.array([RESTING if "velocity" in name else NOTHING for name in states])
    times = np.ascontiguousarray(group.times, float)
    count, size, modes = starts.shape
    values = np.full((count, len(times), size, modes), np.nan)
    values[:, 0] = starts
    ends = np.zeros(count, int)
    with tempfile.TemporaryDirectory() as folder:
        code, library = Path(folder, "rates.c"), Path(folder, "rates.so")
        code.write_text(text, "utf-8")
        program, *flags = COMPILER
        subprocess.run([program, str(code), "-o", str(library), *flags], check=True)
        solve = ctypes.CDLL(str(library)).solve
        for row in rows:
            numbers_of = np.ascontiguousarray(table[row])
            ends[row] = solve(
                ctypes.c_int(modes),
                _pointer(numbers_of),
                _pointer(times),
                ctypes.c_int(len(times)),
                ctypes.c_double(rtol),
                _pointer(floors),
                ctypes.c_long(MOST_STEPS),
                _pointer(values[row]),
            )
    return np.moveaxis(values, 1, -1), ends


def _pointer(array: NDArray) -> ctypes.c_void_p:
    assert array.flags.c_contiguous and array.dtype == float
    return ctypes.c_void_p(array.ctypes.data)


def source(group: Group) -> tuple[str, list[str]]:
    """C code of a group, and the names of the parameters that it reads."""
    dynamics = group.dynamics()
    rates, _, _ = expressions_of(dynamics)
    largest = ranked_of(rates)
    free = set().union(*(rate.free_symbols for rate in rates))
    named = sorted(free - {sym.time, sym.modes, *dynamics.states}, key=str)
    known = {sym.time: "time", sym.modes: "(double)modes"}
    known |= {state: f"y[{i} * modes + m]" for i, state in enumerate(dynamics.states)}
    known |= {symbol: f"p[{i}]" for i, symbol in enumerate(named)}
    lines: list[str] = []
    while reductions := _innermost(rates):
        for index, reduction in enumerate(reductions):
            symbol = sp.Dummy(f"r{len(known)}_{index}", real=True)
            known[symbol] = name = f"r{len(known)}"
            rates = [rate.xreplace({reduction: symbol}) for rate in rates]
            block, (value,) = _block([reduction.args[0]], known)
            if isinstance(reduction, ModeMaximum):
                lines += [f"double {name}; {{ int m = leader; {block} {name} = {value}; }}"]
            else:
                loop = f"for (int m = 0; m < modes; m++) {{ {block} {name} += {value}; }}"
                lines += [f"double {name} = 0; {loop}"]
    block, values = _block(rates, known)
    stored = " ".join(f"dy[{i} * modes + m] = {value};" for i, value in enumerate(values))
    lines += [f"for (int m = 0; m < modes; m++) {{ {block} {stored} }}"]
    begin = "static void rates(double time, int modes, const double *y, const double *p,"
    parts = [
        _tables(len(dynamics.states), largest is not None),
        INTEGRATOR.read_text("utf-8"),
        f"{begin} int leader, double *dy) {{\n" + "\n".join(lines) + "\n}",
        "static void ranked(int modes, const double *y, const double *p, double *c) {",
    ]
    if largest is not None:
        block, (value,) = _block([largest], known)
        parts += [f"for (int m = 0; m < modes; m++) {{ {block} c[m] = {value}; }}"]
    return "\n".join([*parts, "}"]) + "\n", [str(symbol) for symbol in named]


def _innermost(rates: list[sp.Expr]) -> list[sp.Expr]:
    """Sums and largest values of what has none inside, in an order that is always the same."""
    found = sp.Tuple(*rates).atoms(ModeSum, ModeMaximum)
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
