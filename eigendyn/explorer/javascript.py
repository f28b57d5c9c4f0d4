"""Closed mode dynamics enter; the source of a JavaScript function that evaluates them leaves.

The function is straight-line code but for one loop over the nodes of the closure's averages. What
does not depend on the node stands before the loop, and a sum over modes is computed once, so the
code grows with the number of modes, not with its square. No name that a user chose gets into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, count

import sympy as sp
from sympy.printing.jscode import JavascriptCodePrinter

from eigendyn import symbols as sym
from eigendyn.compile import NODE_SYMBOLS, substitute
from eigendyn.derive import ModeDynamics
from eigendyn.symbols import Average, ModeMaximum, ModeSum

BEFORE, INSIDE, AFTER = range(3)  # of the loop over nodes
MOST_FACTORS = 12  # a higher whole power is Math.pow
HELPERS = """\
  const square = (a) => a * a;
  const cube = (a) => a * a * a;"""
INDENT = ("  ", "    ", "  ")

Meaning = tuple[type | None, sp.Expr]  # kind of reduction over modes, if any, of an expression


def javascript_field(dynamics: ModeDynamics, modes: int, parameters: Sequence[str]) -> str:
    """Write the vector field of closed dynamics as a JavaScript function.

    Args:
        dynamics: Closed dynamics.
        modes: Number of modes M.
        parameters: Names of the numbers that a call gives, in its order.

    Returns:
        Source of `function rates(x, p, nodes, out)`: coordinates x, all modes of the first state
        first; numbers p; nodes `{weights, values}` with one array for each variable, by its name,
        node by node, then mode by mode if it has modes. It writes dx/dt to `out` and returns it.
    """
    program = _Program(dynamics)
    printer = _Printer(program, dynamics.states, modes, parameters)
    lines = ["function rates(x, p, nodes, out) {", HELPERS]
    lines += [f"{INDENT[BEFORE]}{line}" for line in printer.lines(BEFORE)]
    if program.averages:
        names = program.node_symbols
        lines += [f"  const {symbol}_all = nodes.values.{symbol};" for symbol in names]
        totals = [name for average in program.averages for name in printer.names(average)]
        lines += [f"  let {name} = 0;" for name in totals]
        lines.append("  for (let node = 0; node < nodes.weights.length; node += 1) {")
        lines.append("    const weight = nodes.weights[node];")
        lines += [f"    {line}" for symbol in names for line in printer.reading(symbol)]
        lines += [f"{INDENT[INSIDE]}{line}" for line in printer.lines(INSIDE)]
        for average, integrand in program.averages.items():
            added = zip(printer.names(average), printer.of_modes(average, integrand), strict=True)
            lines += [f"    {name} += weight * ({value});" for name, value in added]
        lines.append("  }")
    lines += [f"{INDENT[AFTER]}{line}" for line in printer.lines(AFTER)]
    for state, rate in enumerate(program.rates):
        for mode in range(modes):
            lines.append(f"  out[{state * modes + mode}] = {printer.write(rate, mode)};")
    return "\n".join([*lines, "  return out;", "}"])


class _Program:
    """Expressions without sums over modes, and what their placeholders stand for.

    Attributes:
        meanings: Of every placeholder but the averages, each after those that it is made of, as
            (kind of reduction over modes or None, expression).
        averages: What each average over nodes is the average of.
        rates: One for each state.
        phases: When each symbol is known, if not from the start.
        local: Symbols that have a value for every mode.
    """

    def __init__(self, dynamics: ModeDynamics) -> None:
        local_rates, parts = sym.detach(sp.Tuple(*dynamics.rates), Average)
        rates = [substitute(rate, dynamics) for rate in local_rates]
        integrands = [substitute(average.args[0], dynamics) for average in parts.values()]
        every = sp.Tuple(*rates, *integrands, *parts)
        taken = {symbol.name for symbol in every.free_symbols}
        self.fresh = (s for s in map(sym.placeholder, count()) if s.name not in taken)
        self.meanings: dict[sp.Symbol, Meaning] = {}
        self.phases = {symbol: INSIDE for symbol in NODE_SYMBOLS} | {part: AFTER for part in parts}
        self.local = set(sym.PER_MODE) | set(parts)
        self.names: dict[Meaning, sp.Symbol] = {}
        sums: dict[Meaning, sp.Symbol] = {}
        flat = [_without_sums(each, sums, self.fresh) for each in (*integrands, *rates)]
        shared, reduced = sp.cse([*(s for _, s in sums), *flat], symbols=self.fresh)
        summands, flat = reduced[: len(sums)], reduced[len(sums) :]
        kinds = (kind for kind, _ in sums)
        meanings: dict[sp.Symbol, Meaning] = {name: (None, each) for name, each in shared}
        meanings |= dict(zip(sums.values(), zip(kinds, summands, strict=True), strict=True))
        for name in meanings:
            self._enter(name, meanings)
        self.averages = {
            part: self._lifted(integrand, (INSIDE, True))
            for part, integrand in zip(parts, flat, strict=False)
        }
        self.rates = flat[len(parts) :]

    def _enter(self, name: sp.Symbol, meanings: dict[sp.Symbol, Meaning]) -> None:
        """Enter a placeholder after those that it is made of."""
        if name in self.meanings or name not in meanings:
            return
        kind, expression = meanings[name]
        for part in sorted(expression.free_symbols, key=str):
            self._enter(part, meanings)
        phase, is_local = self._class(expression)
        expression = self._lifted(expression, (phase, is_local))
        self.meanings[name] = (kind, expression)
        self.phases[name] = phase
        if is_local and kind is None:
            self.local.add(name)

    def _class(self, *expressions: sp.Expr) -> tuple[int, bool]:
        """When expressions are known, and whether each mode has its own value."""
        parts = set().union(*(e.free_symbols for e in expressions))
        phase = max((self.phases.get(part, BEFORE) for part in parts), default=BEFORE)
        return phase, bool(parts & self.local)

    def _lifted(self, expression: sp.Expr, host: tuple[int, bool]) -> sp.Expr:
        """Give names to the parts of a loop's expression that are known before it, or to all modes.

        Args:
            expression: What is computed.
            host: When, and whether for every mode.
        """
        if host[0] != INSIDE or not expression.args:
            return expression
        if not isinstance(expression, sp.Add | sp.Mul):
            return expression.func(*(self._named([part], sp.Mul, host) for part in expression.args))
        groups: dict[int, list[sp.Expr]] = {0: [], 1: [], 2: []}
        for part in expression.args:
            phase, is_local = self._class(part)
            groups[0 if phase == BEFORE else 1 if host[1] and not is_local else 2].append(part)
        lifted = [self._named(groups[i], expression.func, host) for i in (0, 1) if groups[i]]
        rest = [self._lifted(part, host) for part in groups[2]]
        return expression.func(*lifted, *rest, evaluate=False) if lifted else expression.func(*rest)

    def _named(self, parts: list[sp.Expr], join: type, host: tuple[int, bool]) -> sp.Expr:
        """A name for a sum or product, unless it needs none."""
        whole = join(*parts)
        own = self._class(whole)
        if not whole.args or whole.is_Rational or own == host:
            return self._lifted(whole, host)
        meaning = (None, self._lifted(whole, own))
        if meaning not in self.names:
            name = self.names[meaning] = next(self.fresh)
            self.meanings[name] = meaning
            self.phases[name] = own[0]
            if own[1]:
                self.local.add(name)
        return self.names[meaning]

    @property
    def node_symbols(self) -> list[sp.Symbol]:
        """Variables that nodes give values to."""
        every = chain((e for _, e in self.meanings.values()), self.averages.values())
        used = set().union(*(expression.free_symbols for expression in every))
        return [symbol for symbol in NODE_SYMBOLS if symbol in used]


def _without_sums(
    expression: sp.Expr, sums: dict[Meaning, sp.Symbol], fresh: Iterator[sp.Symbol]
) -> sp.Expr:
    """Put a placeholder for every sum or maximum over modes, and enter it, innermost first."""
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
    return sums.setdefault((type(expression), inside[0]), next(fresh))


class _Printer(JavascriptCodePrinter):
    """Printing of a program's expressions for one mode at a time."""

    mode = 0

    def __init__(
        self,
        program: _Program,
        states: Sequence[sp.Symbol],
        modes: int,
        parameters: Sequence[str],
    ) -> None:
        super().__init__({"strict": True})
        self.program = program
        self.modes = modes
        self.states = {state: index for index, state in enumerate(states)}
        self.numbers = {name: index for index, name in enumerate(parameters)}
        placeholders = [*program.meanings, *program.averages]
        self.placeholders = {symbol: f"t{index}" for index, symbol in enumerate(placeholders)}

    def write(self, expression: sp.Expr, mode: int) -> str:
        """The expression's value for one mode."""
        self.mode = mode
        return self.doprint(expression)

    def of_modes(self, name: sp.Symbol, expression: sp.Expr) -> list[str]:
        """Its value for every mode, or one value for all, as the name that it is to get has."""
        return [self.write(expression, mode) for mode in range(len(self.names(name)))]

    def names(self, symbol: sp.Symbol) -> list[str]:
        """JavaScript names of a placeholder: one for every mode if it has modes."""
        base = self.placeholders[symbol]
        several = symbol in self.program.local
        return [f"{base}_{mode}" for mode in range(self.modes)] if several else [base]

    def lines(self, phase: int) -> Iterator[str]:
        """Definitions of the placeholders that are known in a phase."""
        for name, (kind, expression) in self.program.meanings.items():
            if self.program.phases[name] != phase:
                continue
            if kind is None:
                values = self.of_modes(name, expression)
            else:
                terms = [self.write(expression, mode) for mode in range(self.modes)]
                values = [_REDUCTIONS[kind](terms)]
            for written, value in zip(self.names(name), values, strict=True):
                yield f"const {written} = {value};"

    def reading(self, symbol: sp.Symbol) -> Iterator[str]:
        """Definitions of a node's variable."""
        if symbol not in sym.PER_MODE:
            yield f"const {symbol} = {symbol}_all[node];"
            return
        for mode in range(self.modes):
            yield f"const {symbol}_{mode} = {symbol}_all[node * {self.modes} + {mode}];"

    def _print_Symbol(self, expr: sp.Symbol) -> str:
        if expr in self.states:
            return f"x[{self.states[expr] * self.modes + self.mode}]"
        if expr in self.placeholders:
            names = self.names(expr)
            return names[self.mode % len(names)]
        if expr in NODE_SYMBOLS:
            return f"{expr}_{self.mode}" if expr in sym.PER_MODE else str(expr)
        return str(self.modes) if expr == sym.modes else f"p[{self.numbers[expr.name]}]"

    def _print_Pow(self, expr: sp.Pow) -> str:
        """Products and roots where they can be had: a general power is slow."""
        base, exponent = expr.as_base_exp()
        if not exponent.is_Rational:
            return f"Math.pow({self._print(base)}, {self._print(exponent)})"
        if exponent < 0:
            return f"(1 / {self._print(base**-exponent)})"
        written, whole = self._print(base), int(exponent)
        if exponent == sp.S.Half:
            return f"Math.sqrt({written})"
        if exponent.q > 2 or whole > MOST_FACTORS or not (exponent.is_Integer or base.is_Symbol):
            return f"Math.pow({written}, {exponent.p} / {exponent.q})"
        power = _product(f"({written})", whole)
        return power if exponent.is_Integer else f"({power} * Math.sqrt({written}))"


def _product(written: str, power: int) -> str:
    """A whole power by multiplication."""
    if power == 1:
        return written
    function, share = ("cube", 3) if power % 3 == 0 else ("square", 2)
    whole, rest = divmod(power, share)
    inner = f"{function}({_product(written, whole)})"
    return f"({inner} * {_product(written, rest)})" if rest else inner


_REDUCTIONS: dict[type, Callable[[list[str]], str]] = {
    ModeSum: lambda terms: " + ".join(f"({term})" for term in terms),
    sp.Mul: lambda terms: " * ".join(f"({term})" for term in terms),
    ModeMaximum: lambda terms: f"Math.max({', '.join(terms)})",
}
