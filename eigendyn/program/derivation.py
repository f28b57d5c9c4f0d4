"""Translate closed mode dynamics to a straight-line program; here sympy ends.

Averages over nodes are linear: what does not depend on the node is taken out of them, and a sum of
few products becomes as many averages, so that little is left to do in the loop over the nodes. A
power whose exponent is a multiple of 1/4 becomes products, a root and a reciprocal. A sum or
product of several numbers first joins those that are known early or shared by all modes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import count

import sympy as sp

from eigendyn.errors import NoProgram, OpenMoments
from eigendyn.program import (
    AFTER,
    BEFORE,
    FUNCTIONS,
    INSIDE,
    Operation,
    Program,
    Quantities,
    class_of,
)
from eigendyn.program.in_jax import NODE_SYMBOLS
from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import ModeDynamics, substitute
from eigendyn.theory.symbols import Average, ModeMaximum, ModeSum

MOST_AVERAGES = 8  # that one is split into
DIGITS = 25  # of constants such as π, before they are rounded once
REDUCTIONS = {ModeSum: "sum", sp.Mul: "product", ModeMaximum: "maximum"}

Meaning = tuple[type, sp.Expr]  # a reduction over modes and of what; or any expression


def program_of(dynamics: ModeDynamics) -> Program:
    """Write closed mode dynamics as a straight-line program.

    Args:
        dynamics: Closed dynamics; symbols other than states stay parameters of the program.

    Returns:
        The program; its states, parameters and variables of nodes are those of the vector field
        that `compile_field` makes of the same dynamics.

    Raises:
        OpenMoments: A moment is still open.
        NoProgram: A function that programs do not know.
    """
    if dynamics.is_open:
        message = (
            f"Only closed dynamics have a program; those of {dynamics.name!r} have open "
            "moments. Take them with `close` first."
        )
        raise OpenMoments(message)
    local, parts = sym.detach(sp.Tuple(*dynamics.rates), Average)
    averaged = [average.args[0] for average in parts.values()]
    every = [substitute(each, dynamics) for each in (*local, *averaged, dynamics.predictor)]
    free = set().union(*(expression.free_symbols for expression in every))
    taken = {symbol.name for symbol in free}
    fresh = (s for s in map(sym.placeholder, count()) if s.name not in taken)
    nodes = [symbol for symbol in NODE_SYMBOLS if symbol in free]
    changing = _changing(nodes, dynamics)
    pieces: dict[sp.Expr, sp.Symbol] = {}
    split = {
        part: _split(integrand, changing, pieces, fresh)
        for part, integrand in zip(parts, averaged, strict=True)
    }
    outer = [rate.xreplace(split) for rate in local]
    weight = next(fresh)
    weighted = (weight * inside for inside in pieces)
    sums: dict[Meaning, sp.Symbol] = {}
    flat = [
        _without_sums(substitute(each, dynamics), sums, fresh)
        for each in (*weighted, *outer, dynamics.predictor)
    ]
    moments = [_without_sums(substitute(each, dynamics), sums, fresh) for each in split.values()]
    shared, reduced = sp.cse([*(summand for _, summand in sums), *flat], symbols=fresh)
    meanings: dict[sp.Symbol, sp.Expr | Meaning] = dict(shared)
    summands, outputs = reduced[: len(sums)], reduced[len(sums) :]
    kinds = (kind for kind, _ in sums)
    meanings |= dict(zip(sums.values(), zip(kinds, summands, strict=True), strict=True))
    meanings |= dict(
        zip(pieces.values(), ((Average, each) for each in outputs[: len(pieces)]), strict=True)
    )
    known = {sym.time, sym.modes, *dynamics.states, *nodes, *parts}
    writer = _Writer(
        meanings,
        weight,
        states=dynamics.states,
        parameters=tuple(sorted(free - known, key=str)),
        nodes=tuple(nodes),
    )
    places = [writer.place(each) for each in outputs[len(pieces) :]]
    moments_at = tuple(map(writer.place, moments))
    return Program(
        states=tuple(map(str, dynamics.states)),
        parameters=tuple(map(str, writer.parameters)),
        node_names=tuple(map(str, nodes)),
        node_modes=writer.node_modes,
        closure=dynamics.closure,
        operations=tuple(writer.operations),
        rates=tuple(places[:-1]),
        predictor=places[-1],
        moments=moments_at,
        own=frozenset(p.name for p in writer.parameters if p in sym.PER_MODE),
    )


def quantities_of(states: tuple[str, ...], functions: Mapping[str, sp.Expr]) -> Quantities:
    """Write functions of states and time, such as conserved quantities, as operations.

    Args:
        states: Name of each state.
        functions: By name, functions of states, time and parameters.

    Raises:
        NoProgram: A function that programs do not know.
    """
    free = set().union(*(function.free_symbols for function in functions.values()))
    taken = {symbol.name for symbol in free}
    fresh = (s for s in map(sym.placeholder, count()) if s.name not in taken)
    columns = tuple(sym.STATES[name] for name in states)
    sums: dict[Meaning, sp.Symbol] = {}
    flat = [_without_sums(function, sums, fresh) for function in functions.values()]
    writer = _Writer(
        {symbol: meaning for meaning, symbol in sums.items()},
        next(fresh),
        states=columns,
        parameters=tuple(sorted(free - {sym.time, sym.modes, *columns}, key=str)),
        nodes=(),
    )
    places = tuple(zip(functions, map(writer.place, flat), strict=True))
    return Quantities(
        states=states,
        parameters=tuple(map(str, writer.parameters)),
        operations=tuple(writer.operations),
        places=places,
        own=frozenset(p.name for p in writer.parameters if p in sym.PER_MODE),
    )


def _changing(nodes: Iterable[sp.Symbol], dynamics: ModeDynamics) -> set[sp.Symbol]:
    """Symbols that are another number at every node."""
    changing = set(nodes)
    for symbol, meaning in reversed(dynamics.definitions):
        if meaning.free_symbols & changing:
            changing.add(symbol)
    return changing


def _split(
    integrand: sp.Expr,
    changing: set[sp.Symbol],
    pieces: dict[sp.Expr, sp.Symbol],
    fresh: Iterator[sp.Symbol],
) -> sp.Expr:
    """Write an average as Σ (what is the same at every node) · (average of the rest).

    Enters into `pieces` what is left to average, with the name that stands for its average.
    """
    found: defaultdict[sp.Expr, list[sp.Expr]] = defaultdict(list)
    outer = [f for f in sp.Mul.make_args(integrand) if not isinstance(f, sp.Add)]
    rest = sp.Mul(*(f for f in sp.Mul.make_args(integrand) if isinstance(f, sp.Add)))
    terms = sp.Add.make_args(sp.expand_mul(rest, deep=False))
    if len(terms) > MOST_AVERAGES:
        terms = (rest,)
    for term in terms:
        factors = [*outer, *sp.Mul.make_args(term)]
        inside = sp.Mul(*(f for f in factors if f.free_symbols & changing))
        found[inside].append(sp.Mul(*(f for f in factors if not f.free_symbols & changing)))
    for inside in found:
        if inside not in pieces:
            pieces[inside] = next(fresh)
    return sp.Add(*(pieces[inside] * sp.Add(*outside) for inside, outside in found.items()))


def _without_sums(
    expression: sp.Expr, sums: dict[Meaning, sp.Symbol], fresh: Iterator[sp.Symbol]
) -> sp.Expr:
    """Put a placeholder for every reduction over modes, and enter it, innermost first."""
    if not expression.args:
        return expression
    if isinstance(expression, sp.exp):
        factor, total = expression.args[0].as_independent(ModeSum, as_Add=False)
        if isinstance(total, ModeSum) and isinstance(total.args[0], sp.log):
            inside = _without_sums(total.args[0].args[0], sums, fresh)
            return sums.setdefault((sp.Mul, inside), next(fresh)) ** factor
    inside = [_without_sums(part, sums, fresh) for part in expression.args]
    if not isinstance(expression, ModeSum | ModeMaximum):
        return expression.func(*inside)
    (summand,) = inside
    outside = sp.S.One
    if isinstance(expression, ModeSum) and summand.free_symbols & sym.PER_MODE:
        outside, summand = summand.as_independent(*sym.PER_MODE, as_Add=False)
    total = sums.setdefault((type(expression), summand), next(fresh))
    if outside == 1:
        return total
    # Under a name of its own: a root of the product stays one root.
    return sums.setdefault((sp.Expr, outside * total), next(fresh))


class _Writer:
    """Enters each operation once, after those that it is made of."""

    def __init__(
        self,
        meanings: dict[sp.Symbol, sp.Expr | Meaning],
        weight: sp.Symbol,
        states: tuple[sp.Symbol, ...],
        parameters: tuple[sp.Symbol, ...],
        nodes: tuple[sp.Symbol, ...],
    ) -> None:
        self.meanings = meanings
        self.parameters = tuple(p for p in parameters if p not in meanings)
        self.node_modes = tuple(symbol in sym.PER_MODE for symbol in nodes)
        self.parameter_modes = tuple(symbol in sym.PER_MODE for symbol in self.parameters)
        self.leaves = {sym.time: Operation("time"), sym.modes: Operation("modes")}
        self.leaves[weight] = Operation("weight")
        for kind, symbols in (("state", states), ("parameter", self.parameters), ("node", nodes)):
            self.leaves |= {s: Operation(kind, (), float(i)) for i, s in enumerate(symbols)}
        self.operations: list[Operation] = []
        self.classes: list[tuple[int, bool]] = []
        self.places: dict[Operation | sp.Expr, int] = {}

    def place(self, expression: sp.Expr) -> int:
        """Where the value of an expression stands."""
        if expression not in self.places:
            self.places[expression] = self._write(expression)
        return self.places[expression]

    def _enter(self, operation: Operation) -> int:
        if operation not in self.places:
            self.places[operation] = len(self.operations)
            self.operations.append(operation)
            self.classes.append(
                class_of(operation, self.classes, self.node_modes, self.parameter_modes)
            )
        return self.places[operation]

    def _write(self, expression: sp.Expr) -> int:
        if expression in self.leaves:
            return self._enter(self.leaves[expression])
        meaning = self.meanings.get(expression)
        if isinstance(meaning, tuple) and meaning[0] is sp.Expr:
            return self.place(meaning[1])
        if isinstance(meaning, tuple):
            kind = REDUCTIONS.get(meaning[0], "average")
            return self._enter(Operation(kind, (self.place(meaning[1]),)))
        if meaning is not None:
            return self.place(meaning)
        if expression.is_number:
            return self._enter(Operation("number", (), float(sp.N(expression, DIGITS))))
        if isinstance(expression, sp.Add):
            return self._sum(expression)
        if isinstance(expression, sp.Mul):
            return self._product(expression)
        if isinstance(expression, sp.Pow):
            return self._power(*expression.as_base_exp())
        name = "abs" if isinstance(expression, sp.Abs) else expression.func.__name__
        if name not in FUNCTIONS or len(expression.args) != 1:
            message = (
                f"Machine code is written for {', '.join(FUNCTIONS)} and powers; this loss uses "
                f"{name}. Write it with these, or take `method='flow'`."
            )
            raise NoProgram(message)
        return self._enter(Operation(name, (self.place(expression.args[0]),)))

    def _sum(self, total: sp.Add) -> int:
        """By Horner's rule if every term has a power of one state as a factor."""
        terms = total.as_ordered_terms()
        for state in (s for s, leaf in self.leaves.items() if leaf.kind == "state"):
            powers: defaultdict[sp.Expr, list[sp.Expr]] = defaultdict(list)
            for term in terms:
                rest, power = term.as_coeff_exponent(state)
                powers[power].append(rest)
            if len(powers) > 1 and all(k.is_Integer and k > 0 for k in powers):
                return self._nested(state, sorted((int(k), sp.Add(*c)) for k, c in powers.items()))
        return self._joined("add", map(self.place, terms))

    def _nested(self, state: sp.Symbol, terms: list[tuple[int, sp.Expr]]) -> int:
        """s^k0 (c0 + s^(k1 − k0) (c1 + …)) of Σ c_i s^k_i, lowest power first."""
        *lower, (power, coefficient) = terms
        value = self.place(coefficient)
        for lower_power, coefficient in reversed(lower):
            factor = self.place(state ** (power - lower_power))
            value = self._enter(Operation("multiply", (value, factor)))
            value = self._joined("add", (self.place(coefficient), value))
            power = lower_power
        return self._enter(Operation("multiply", (value, self.place(state**power))))

    def _product(self, product: sp.Mul) -> int:
        """Numbers among the factors are one number, rounded once."""
        number, rest = product.as_independent(*product.free_symbols, as_Add=False)
        places = [self.place(factor) for factor in sp.Mul.make_args(rest)]
        if number != 1:
            places.append(self.place(number))
        return self._joined("multiply", places)

    def _joined(self, kind: str, places: Iterable[int]) -> int:
        """Join those of one class first, then the classes: early before late, shared before own."""
        groups: defaultdict[tuple[int, bool], list[int]] = defaultdict(list)
        for place in places:
            groups[self.classes[place]].append(place)
        wholes = {each: self._chain(kind, group) for each, group in groups.items()}
        for phase in (INSIDE, AFTER):  # a number that is known before joins one per node, not all
            if (phase, False) in wholes and (BEFORE, False) in wholes:
                pair = (wholes.pop((BEFORE, False)), wholes[phase, False])
                wholes[phase, False] = self._chain(kind, pair)
        return self._chain(kind, (wholes[each] for each in sorted(wholes)))

    def _chain(self, kind: str, places: Iterable[int]) -> int:
        first, *others = places
        for other in others:
            first = self._enter(Operation(kind, (first, other)))
        return first

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> int:
        """Products, roots and reciprocals where they serve: a general power is slow."""
        if base == sp.E:
            return self._enter(Operation("exp", (self.place(exponent),)))
        place = self.place(base)
        if not (4 * exponent).is_Integer:
            return self._enter(Operation("power", (place, self.place(exponent))))
        for _ in range(exponent.q // 2):  # 1, 2 or 4
            place = self._enter(Operation("sqrt", (place,)))
        if exponent < 0:
            place = self._enter(Operation("reciprocal", (place,)))
        return self._whole_power(place, abs(int(exponent.p)))

    def _whole_power(self, place: int, power: int) -> int:
        if power == 1:
            return place
        if power % 2:
            lower = self._whole_power(place, power - 1)
            return self._enter(Operation("multiply", (lower, place)))
        return self._whole_power(self._enter(Operation("multiply", (place, place))), power // 2)
