"""Order what nodes repeat of a program, each operation with its function of NumPy.

A value is an array over all nodes; it is let go as soon as nothing needs it any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from eigendyn.program import AFTER, BEFORE, INSIDE, LEAVES, Operation, Program, Quantities

_FUNCTIONS: Mapping[str, Callable] = MappingProxyType(
    {
        "add": np.add,
        "multiply": np.multiply,
        "reciprocal": np.reciprocal,
        "power": np.power,
        "atan": np.arctan,
        **{name: getattr(np, name) for name in ("sqrt", "exp", "log", "abs", "sign")},
        **{name: getattr(np, name) for name in ("cos", "sin", "tan", "cosh", "sinh", "tanh")},
    }
)
_REDUCTIONS = MappingProxyType(
    {"sum": np.add.reduce, "product": np.multiply.reduce, "maximum": np.maximum.reduce}
)
POSITIVE = frozenset({"weight", "modes", "time", "sqrt", "exp", "abs"})  # whatever they are of
KEEPING = frozenset({"add", "multiply", "reciprocal", "power", *_REDUCTIONS})  # of positive ones


class Step(NamedTuple):
    """How one operation is evaluated.

    Args:
        place: Its place.
        function: Of the values of its operands.
        operands: Their places.
        size: Its magnitude, of theirs; or of the value itself. None where that is the value.
        spare: Places that nothing needs afterwards.
    """

    place: int
    function: Callable
    operands: tuple[int, ...]
    size: Callable | None
    spare: tuple[int, ...] = ()


@dataclass(frozen=True)
class Order:
    """What depends on the nodes, for some places of a program.

    Args:
        signed: What does not depend on them, and may be negative, in order.
        nodes: By place, the column of the nodes that stands there; None for their weights.
        inside: What is evaluated at every node, in order.
        after: Places of averages, and of what is made of them.
    """

    signed: tuple[Step, ...]
    nodes: dict[int, str | None]
    inside: tuple[Step, ...]
    after: tuple[int, ...]


@lru_cache(maxsize=64)
def order_of(program: Program, places: tuple[int, ...], modes: int) -> Order:
    """Order what depends on the nodes, for some places of a program with so many modes."""
    needed = program.needed(places)
    after = tuple(p for p in needed if program.phases[p] == AFTER)
    early = (p for p in needed if program.phases[p] == INSIDE)
    last = {operand: p for p in (*early, *after) for operand in program.operations[p].operands}
    nodes: dict[int, str | None] = {}
    inside = []
    for place in (p for p in needed if program.phases[p] == INSIDE):
        kind, operands, value = program.operations[place]
        if kind in LEAVES:
            nodes[place] = program.node_names[int(value)] if kind == "node" else None
            continue
        own = (p for p in set(operands) if program.phases[p] == INSIDE and last[p] == place)
        inside.append(_step(program, place, modes)._replace(spare=tuple(own)))
    before = (_step(program, place, modes) for place in needed if program.phases[place] == BEFORE)
    signed = tuple(step for step in before if step.size is not None)
    return Order(signed, nodes, tuple(inside), after)


@lru_cache(maxsize=128)
def needed_in_order(
    program: Program | Quantities, places: tuple[int, ...], modes: int
) -> tuple[tuple[int, Operation, Callable], ...]:
    """What some places need, in order, each with its function."""
    needed = ((place, program.operations[place]) for place in program.needed(places))
    return tuple((place, one, function_of(one, modes)) for place, one in needed)


def _step(program: Program, place: int, modes: int) -> Step:
    kind, operands, _ = operation = program.operations[place]
    function = function_of(operation, modes)
    size = function if kind in ("add", "multiply") else np.abs
    return Step(place, function, operands, None if never_negative(program)[place] else size)


def function_of(operation: Operation, modes: int) -> Callable:
    """The function of NumPy that an operation stands for, reductions being over so many modes."""
    if operation.kind in _REDUCTIONS:
        return partial(_reduced, operation.kind, modes)
    return _FUNCTIONS.get(operation.kind, np.asarray)


def _reduced(kind: str, modes: int, value: Any) -> Any:
    value = np.atleast_2d(value)
    every = value if len(value) == modes else np.broadcast_to(value, (modes, *value.shape[1:]))
    if kind == "product" and (every < 0).any():  # it stands for the exponential of Σ log
        every = np.where(every < 0, np.nan, every)
    return _REDUCTIONS[kind](every, axis=0, keepdims=True)


@lru_cache(maxsize=64)
def never_negative(program: Program) -> tuple[bool, ...]:
    """Which operations are never negative, whatever they are made of."""
    found: list[bool] = []
    for kind, operands, value in program.operations:
        found.append(
            kind in POSITIVE
            or (kind in KEEPING and all(found[p] for p in operands))
            or (kind == "number" and value >= 0)
            or (kind == "node" and program.closure == "exact quadrature")
            or (kind == "multiply" and len(set(operands)) == 1)
        )
    return tuple(found)
