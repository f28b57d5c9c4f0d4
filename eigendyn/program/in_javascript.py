"""Write closed mode dynamics as the source of a JavaScript function.

The function is straight-line code but for one loop over the nodes of the closure's averages, a
program's operations one by one. What does not depend on the node stands before the loop, and a sum
over modes is computed once, so the code grows with the number of modes, not with its square. No
name that a user chose gets into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType

from eigendyn.program import AFTER, BEFORE, INSIDE, LEAVES, Program
from eigendyn.program.derivation import program_of
from eigendyn.theory.derive import ModeDynamics

INDENT = ("  ", "    ", "  ")
WRITTEN = MappingProxyType(
    {
        "add": "{} + {}",
        "multiply": "{} * {}",
        "reciprocal": "1 / {}",
        "sqrt": "Math.sqrt({})",
        "power": "Math.pow({}, {})",
    }
)
REDUCED: MappingProxyType[str, Callable[[list[str]], str]] = MappingProxyType(
    {
        "sum": " + ".join,
        "product": " * ".join,
        "maximum": lambda terms: f"Math.max({', '.join(terms)})",
    }
)


def javascript_field(dynamics: ModeDynamics, modes: int, parameters: Sequence[str]) -> str:
    """Write the vector field of closed dynamics as a JavaScript function.

    Args:
        dynamics: Closed dynamics that do not depend on time.
        modes: Number of modes M.
        parameters: Names of the numbers that a call gives, in its order; that of a parameter per
            mode for every mode, one after the other.

    Returns:
        Source of `function rates(x, p, nodes, out)`: coordinates x, all modes of the first state
        first; numbers p; nodes `{weights, values}` with one array for each variable, by its name,
        node by node, then mode by mode if it has modes. It writes dx/dt to `out` and returns it.
    """
    program = program_of(dynamics)
    printer = _Printer(program, modes, parameters)
    lines = ["function rates(x, p, nodes, out) {", *printer.lines(BEFORE)]
    if program.averages:
        names = program.node_names
        lines += [f"  const {name}_all = nodes.values.{name};" for name in names]
        totals = [name for place in program.averages for name in printer.names(place)]
        lines += [f"  let {name} = 0;" for name in totals]
        lines.append("  for (let node = 0; node < nodes.weights.length; node += 1) {")
        lines.append("    const weight = nodes.weights[node];")
        lines += printer.lines(INSIDE)
        for place in program.averages:
            (averaged,) = program.operations[place].operands
            for mode, name in enumerate(printer.names(place)):
                lines.append(f"    {name} += {printer.value(averaged, mode)};")
        lines.append("  }")
    lines += printer.lines(AFTER)
    for state, place in enumerate(program.rates):
        for mode in range(modes):
            lines.append(f"  out[{state * modes + mode}] = {printer.value(place, mode)};")
    return "\n".join([*lines, "  return out;", "}"])


class _Printer:
    """Writing of a program's operations, for all modes."""

    def __init__(self, program: Program, modes: int, parameters: Sequence[str]) -> None:
        self.program = program
        self.modes = modes
        self.numbers = [parameters.index(name) for name in program.parameters]
        self.needed = program.needed(program.rates)

    def lines(self, phase: int) -> Iterator[str]:
        """Definitions of what is known in a phase."""
        for place in self.needed:
            kind, operands, _ = self.program.operations[place]
            if self.program.phases[place] != phase or kind in LEAVES or kind == "average":
                continue
            for mode, name in enumerate(self.names(place)):
                if kind in REDUCED:
                    terms = [self.value(operands[0], each) for each in range(self.modes)]
                    written = REDUCED[kind](terms)
                else:
                    form = WRITTEN.get(kind, f"Math.{kind}({{}})")
                    written = form.format(*(self.value(operand, mode) for operand in operands))
                yield f"{INDENT[phase]}const {name} = {written};"

    def names(self, place: int) -> list[str]:
        """JavaScript names of a value: one for every mode if it has modes."""
        several = self.program.local[place]
        return [f"t{place}_{mode}" for mode in range(self.modes)] if several else [f"t{place}"]

    def value(self, place: int, mode: int) -> str:
        """How the value of one mode is written."""
        kind, _, value = self.program.operations[place]
        if kind == "number":
            return f"{value!r}" if value >= 0 else f"({value!r})"
        if kind == "modes":
            return str(self.modes)
        if kind == "weight":
            return kind
        if kind == "parameter":
            own = self.program.parameter_modes[int(value)]
            return f"p[{self.numbers[int(value)] + (mode if own else 0)}]"
        if kind == "state":
            return f"x[{int(value) * self.modes + mode}]"
        if kind == "node":
            name, several = (
                each[int(value)] for each in (self.program.node_names, self.program.node_modes)
            )
            return f"{name}_all[node * {self.modes} + {mode}]" if several else f"{name}_all[node]"
        names = self.names(place)
        return names[mode % len(names)]
