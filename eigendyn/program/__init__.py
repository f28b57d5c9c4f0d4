"""Represent closed mode dynamics as a straight-line program, from which code is written.

Every operation serves all modes alike. One whose value is the same for every mode is computed once;
what an average over nodes does not depend on stands before the loop over the nodes. So a program
has the same size at any number of modes, and code written from it does work of order M.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from eigendyn.settings.states import MOVES

BEFORE, INSIDE, AFTER = range(3)  # of the loop over nodes

LEAVES = ("number", "time", "modes", "parameter", "state", "weight", "node")
ARITHMETIC = ("add", "multiply", "reciprocal", "sqrt", "power")
FUNCTIONS = ("exp", "log", "abs", "sign", "cos", "sin", "tan", "cosh", "sinh", "tanh", "atan")
REDUCTIONS = ("sum", "product", "maximum")  # over modes
KINDS = frozenset({*LEAVES, *ARITHMETIC, *FUNCTIONS, *REDUCTIONS, "average"})


class Operation(NamedTuple):
    """One operation of a program.

    Args:
        kind: One of `KINDS`: a number, the time, the number of modes, a parameter, a state, the
            weight of a node or one of its variables; a + b, a·b, 1/a, √a, a^b; a function of one
            number; a sum, product or maximum over modes; an average, the sum over nodes of what
            has the weight as a factor already.
        operands: Places of its operands in the program, all before its own.
        value: The number, or the place of a parameter, state or variable among its like.
    """

    kind: str
    operands: tuple[int, ...] = ()
    value: float = 0.0


@dataclass(frozen=True)
class Program:
    """Closed mode dynamics as operations, each after its operands.

    Args:
        states: Name of each state.
        parameters: Names of the numbers that an evaluation needs.
        node_names: Names of the variables that nodes give values to; empty if there are none.
        node_modes: Whether each of these has a value for every mode.
        closure: Name of the closure.
        operations: The operations.
        rates: Place of the rate of each state.
        predictor: Place of the predictor's eigenvalue λ.
        moments: Places of the moments that the rates are made of: sums of averages, each times what
            is the same at every node.
        own: Names of the parameters that have a value for every mode.
        phases: When each operation is known: `BEFORE`, `INSIDE` or `AFTER` the loop over nodes.
        local: Whether each operation has a value for every mode.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    node_names: tuple[str, ...]
    node_modes: tuple[bool, ...]
    closure: str
    operations: tuple[Operation, ...] = field(repr=False)
    rates: tuple[int, ...]
    predictor: int
    moments: tuple[int, ...] = ()
    own: frozenset[str] = frozenset()
    phases: tuple[int, ...] = field(init=False, repr=False, compare=False)
    local: tuple[bool, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find out when each operation is known, and for whom."""
        classes: list[tuple[int, bool]] = []
        for operation in self.operations:
            classes.append(class_of(operation, classes, self.node_modes, self.parameter_modes))
        object.__setattr__(self, "phases", tuple(phase for phase, _ in classes))
        object.__setattr__(self, "local", tuple(is_local for _, is_local in classes))

    def __hash__(self) -> int:
        """A number that is looked up, since programs are at every piece of work."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.states, self.parameters, self.closure, self.operations, self.rates))

    @property
    def parameter_modes(self) -> tuple[bool, ...]:
        """Whether each parameter has a value for every mode."""
        return tuple(name in self.own for name in self.parameters)

    @property
    def averages(self) -> tuple[int, ...]:
        """Places of the averages over nodes."""
        kinds = enumerate(operation.kind for operation in self.operations)
        return tuple(place for place, kind in kinds if kind == "average")

    @property
    def moved(self) -> tuple[int | None, ...]:
        """For each state, the place of the one that it is the velocity of, if it is a velocity."""
        found = (MOVES.get(name) for name in self.states)
        return tuple(None if name is None else self.states.index(name) for name in found)

    @cached_property
    def is_coupled(self) -> bool:
        """Whether the rate of a mode depends on more than its own one state."""
        kinds = {self.operations[place].kind for place in self.needed(self.rates)}
        return len(self.states) > 1 or not kinds.isdisjoint({*REDUCTIONS, "average", "time"})

    def needed(self, outputs: Iterable[int]) -> tuple[int, ...]:
        """Places of the operations that the given ones are made of, in order."""
        wanted = tuple(outputs)
        if wanted not in self._needed:
            self._needed[wanted] = needed_places(self.operations, wanted)
        return self._needed[wanted]

    @cached_property
    def _needed(self) -> dict[tuple[int, ...], tuple[int, ...]]:
        """What was asked for before: it is asked for at every piece of work."""
        return {}


@dataclass(frozen=True)
class Quantities:
    """Functions of states and time as operations, such as conserved quantities.

    Args:
        states: Name of each state.
        parameters: Names of the numbers that an evaluation needs.
        operations: The operations.
        places: By name, the place of each function.
        own: Names of the parameters that have a value for every mode.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    operations: tuple[Operation, ...] = field(repr=False)
    places: tuple[tuple[str, int], ...]
    own: frozenset[str] = frozenset()

    def needed(self, outputs: Iterable[int]) -> tuple[int, ...]:
        """Places of the operations that the given ones are made of, in order."""
        return needed_places(self.operations, outputs)


def needed_places(operations: Sequence[Operation], outputs: Iterable[int]) -> tuple[int, ...]:
    """Places of the operations that the given ones are made of, in order."""
    found: set[int] = set()
    waiting = list(outputs)
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting += operations[place].operands
    return tuple(sorted(found))


def class_of(
    operation: Operation,
    classes: list[tuple[int, bool]],
    node_modes: tuple[bool, ...],
    parameter_modes: tuple[bool, ...],
) -> tuple[int, bool]:
    """When an operation is known, and whether each mode has its own value.

    Args:
        operation: The operation.
        classes: The same of the operations before it.
        node_modes: Whether each variable of the nodes has a value for every mode.
        parameter_modes: Whether each parameter has.
    """
    kind, operands, value = operation
    if kind in LEAVES:
        several = {"node": node_modes, "parameter": parameter_modes}
        own = kind == "state" or (kind in several and several[kind][int(value)])
        return (INSIDE if kind in ("weight", "node") else BEFORE), own
    phase = AFTER if kind == "average" else max(classes[place][0] for place in operands)
    return phase, kind not in REDUCTIONS and any(classes[place][1] for place in operands)


def to_plain(program: Program) -> dict:
    """Write a program as what JSON can hold."""
    return {
        "states": list(program.states),
        "parameters": list(program.parameters),
        "nodes": dict(zip(program.node_names, program.node_modes, strict=True)),
        "closure": program.closure,
        "operations": [_short(operation) for operation in program.operations],
        "rates": list(program.rates),
        "predictor": program.predictor,
        "moments": list(program.moments),
        "own": sorted(program.own),
    }


def from_plain(told: dict) -> Program:
    """Read a program back from what `to_plain` has written."""
    return Program(
        states=tuple(told["states"]),
        parameters=tuple(told["parameters"]),
        node_names=tuple(told["nodes"]),
        node_modes=tuple(told["nodes"].values()),
        closure=told["closure"],
        operations=tuple(_long(each) for each in told["operations"]),
        rates=tuple(told["rates"]),
        predictor=told["predictor"],
        moments=tuple(told["moments"]),
        own=frozenset(told["own"]),
    )


def quantities_to_plain(quantities: Quantities) -> dict:
    """Functions of states and time as what JSON can hold."""
    return {
        "states": list(quantities.states),
        "parameters": list(quantities.parameters),
        "operations": [_short(operation) for operation in quantities.operations],
        "places": dict(quantities.places),
        "own": sorted(quantities.own),
    }


def quantities_from_plain(told: dict) -> Quantities:
    """Read functions back from what `quantities_to_plain` has written."""
    return Quantities(
        states=tuple(told["states"]),
        parameters=tuple(told["parameters"]),
        operations=tuple(_long(each) for each in told["operations"]),
        places=tuple(told["places"].items()),
        own=frozenset(told["own"]),
    )


def _short(operation: Operation) -> list:
    kind, operands, value = operation
    return [kind, *operands] if operands else [kind, value] if value else [kind]


def _long(told: list) -> Operation:
    kind, *rest = told
    if kind in LEAVES:
        return Operation(kind, (), float(rest[0]) if rest else 0.0)
    return Operation(kind, tuple(rest))
