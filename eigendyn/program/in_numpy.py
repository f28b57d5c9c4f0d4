"""Evaluate the operations of a program with NumPy.

An array has the shape (modes, times), or (modes, points, nodes) where averages are taken; an axis
along which a value is the same has the length one, or is absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.program import AFTER, BEFORE, INSIDE, LEAVES, Operation, Program, Quantities
from eigendyn.program.averaging import Nodes

Values = dict[int, Any]  # what each place of a program holds

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
PIECE = 2**15  # nodes × modes × times in one array: few calls, and it stays in the cache


def quantities(
    program: Program | Quantities,
    places: Iterable[int],
    states: NDArray,
    parameters: Mapping[str, float | NDArray],
    times: ArrayLike = 0.0,
) -> list[NDArray]:
    """Evaluate what stands at some places of a program and needs no average.

    Each of them is to be broadcast to (modes, times). Other arguments are those of `rates`; a
    parameter may have a number for each time (times,).
    """
    places = tuple(places)
    modes = states.shape[-2]
    kind = np.result_type(states.dtype, np.float32).type  # all numbers, so that none raises it
    leaves = {
        "state": lambda value: states[int(value)],
        "parameter": lambda value: _parameter(program, parameters, int(value)).astype(kind),
        "time": lambda _: np.asarray(times, kind),
        "modes": lambda _: kind(modes),
        "number": kind,
    }
    values: Values = {}
    with np.errstate(all="ignore"):
        for place, (leaf, operands, value), function in _early(program, places, modes):
            values[place] = (
                function(*[values[p] for p in operands]) if operands else leaves[leaf](value)
            )
    return [np.asarray(values[place]) for place in places]


@dataclass(frozen=True)
class Integrand:
    """What each node adds to the moments of a program, in given states.

    Args:
        program: The program.
        shape: Number of modes, and of points; of one state alone, no points.
        values: By place, what does not depend on the node.
        sizes: The magnitude of each that may be negative: the sum of those of a sum's terms, the
            product of those of a product's factors. That of others is their value.
    """

    program: Program
    shape: tuple[int, ...]
    values: Values
    sizes: Values

    def __call__(self, nodes: Nodes) -> tuple[NDArray, NDArray]:
        """What each node adds to each moment, and how large the terms are that it is made of.

        A moment is Σ_i c_i ⟨f_i⟩, so that a node of weight w adds Σ_i c_i w f_i.

        Returns:
            Both (moments, modes, points, nodes), or (moments, modes, nodes). The second over the
            first says how much cancels.
        """
        program, modes = self.program, self.shape[0]
        plan = _plan(program, program.moments, modes)
        own, positive = _of_nodes(plan, nodes), _positive(program)
        values = self.values | own
        sizes = self.sizes | {p: np.abs(value) for p, value in own.items() if not positive[p]}
        with np.errstate(all="ignore"):
            for step in plan.inside:
                place, function, operands, size, spare = step
                values[place] = function(*[values[p] for p in operands])
                if size is not None:
                    sizes[place] = size(*_magnitudes(step, values, sizes))
                for each in spare:
                    del values[each]
                    sizes.pop(each, None)
            for place in plan.after:
                sizes[place] = _linear(program, place, values | sizes)
                values[place] = _linear(program, place, values)
            points = self.shape[1:] or (1,)
            added, size = (
                np.empty((len(program.moments), modes, *points, len(nodes.weights)), kind)
                for kind in (values[program.moments[0]].dtype, sizes[program.moments[0]].dtype)
            )
            for row, place in enumerate(program.moments):
                added[row], size[row] = values[place], sizes[place]
        shape = (len(added), *self.shape, len(nodes.weights))
        return added.reshape(shape), size.reshape(shape)

    def averages(self, nodes: Nodes) -> Values:
        """What each average becomes at these nodes, by place, (modes, points, 1) or (1, points, 1).

        Moments are linear in them, so that they need not be made node by node where nothing is
        asked about a node alone; those at some nodes and at others add up.
        """
        program = self.program
        return _averages(program, program.moments, self.values, self.shape[0], nodes)

    def moments(self, averages: Values) -> NDArray:
        """The moments (moments, modes, points), or (moments, modes), of such averages."""
        program, values = self.program, self.values | averages
        plan = _plan(program, program.moments, self.shape[0])
        shape = (*self.shape, 1) if len(self.shape) > 1 else (*self.shape, 1, 1)
        with np.errstate(all="ignore"):
            for place in plan.after:
                if place not in averages:
                    values[place] = _linear(program, place, values)
        found = [np.broadcast_to(values[p], shape) for p in program.moments]
        return np.stack(found).reshape(len(found), *self.shape)


def integrand(
    program: Program, states: NDArray, parameters: Mapping[str, float | NDArray]
) -> Integrand:
    """Evaluate what does not depend on the nodes.

    Args:
        program: The program.
        states: States (states, modes, points), or one (states, modes).
        parameters: By name, one number, or one for each point (points,).
    """
    needed = program.needed(program.moments)
    before = [place for place in needed if program.phases[place] == BEFORE]
    points = states if states.ndim == 3 else states[..., None]
    early = quantities(program, before, points, parameters)
    values = {place: _per_node(value) for place, value in zip(before, early, strict=True)}
    sizes: Values = {}
    with np.errstate(all="ignore"):
        for step in _plan(program, program.moments, points.shape[1]).signed:
            assert step.size is not None
            sizes[step.place] = step.size(*_magnitudes(step, values, sizes))
    return Integrand(program, states.shape[1:], values, sizes)


def at_one_node(
    program: Program, states: NDArray, parameters: Mapping[str, float], rng: np.random.Generator
) -> Values:
    """Evaluate everything that the rates are made of, with averages over one random node.

    By place, each value (modes, 1), or (1, 1) if it is the same for all modes. Arguments are those
    of `rates`, for states (states, modes); `rng` draws the node, and the time.
    """
    modes = states.shape[1]
    own = [(modes, 1) if several else (1, 1) for several in program.node_modes]
    node = [rng.uniform(0.2, 2.0, shape) for shape in own]
    leaves = {
        "state": lambda value: states[int(value), :, None],
        "parameter": lambda value: _parameter(program, parameters, int(value)),
        "time": lambda _: rng.uniform(0.2, 2.0),
        "modes": lambda _: modes,
        "weight": lambda _: 1.0,
        "node": lambda value: node[int(value)],
        "number": float,
    }
    values: Values = {}
    with np.errstate(all="ignore"):
        for place in program.needed(program.rates):
            operation = program.operations[place]
            if operation.kind in LEAVES:
                value = leaves[operation.kind](operation.value)
            elif operation.kind == "average":
                value = values[operation.operands[0]]
            else:
                value = function_of(operation, modes)(*[values[p] for p in operation.operands])
            values[place] = np.atleast_2d(np.asarray(value, float))
    return values


def _parameter(
    program: Program | Quantities, parameters: Mapping[str, float | NDArray], place: int
) -> NDArray:
    """One number, or one for each time (times,); of a mode's own (modes, 1) or (modes, times)."""
    name = program.parameters[place]
    value = np.asarray(parameters[name])
    return np.atleast_2d(value).T if name in program.own else value


class _Step(NamedTuple):
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
class _Plan:
    """What depends on the nodes, for some places of a program.

    Args:
        signed: What does not depend on them, and may be negative, in order.
        nodes: By place, the column of the nodes that stands there; None for their weights.
        inside: What is evaluated at every node, in order.
        after: Places of averages, and of what is made of them.
    """

    signed: tuple[_Step, ...]
    nodes: dict[int, str | None]
    inside: tuple[_Step, ...]
    after: tuple[int, ...]


@lru_cache(maxsize=64)
def _plan(program: Program, places: tuple[int, ...], modes: int) -> _Plan:
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
    return _Plan(signed, nodes, tuple(inside), after)


@lru_cache(maxsize=128)
def _early(
    program: Program | Quantities, places: tuple[int, ...], modes: int
) -> tuple[tuple[int, Operation, Callable], ...]:
    """What some places need, in order, each with its function."""
    needed = ((place, program.operations[place]) for place in program.needed(places))
    return tuple((place, one, function_of(one, modes)) for place, one in needed)


def _step(program: Program, place: int, modes: int) -> _Step:
    kind, operands, _ = operation = program.operations[place]
    function = function_of(operation, modes)
    size = function if kind in ("add", "multiply") else np.abs
    return _Step(place, function, operands, None if _positive(program)[place] else size)


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
def _positive(program: Program) -> tuple[bool, ...]:
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


def _magnitudes(step: _Step, values: Values, sizes: Values) -> list[Any]:
    """What the magnitude of an operation is made of."""
    if step.size is not step.function:
        return [values[step.place]]
    return [sizes.get(p, values[p]) for p in step.operands]


def _linear(program: Program, place: int, values: Values) -> Any:
    """Put what a node adds in the place of each average: moments are linear in them."""
    operation = program.operations[place]
    if operation.kind == "average":
        return values[operation.operands[0]]
    if operation.kind == "add":
        parts = [values[p] for p in operation.operands if program.phases[p] == AFTER]
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]
    first, second = operation.operands
    return values[first] * values[second]


def rates(
    program: Program,
    states: NDArray,
    parameters: Mapping[str, float | NDArray],
    nodes: Nodes,
    times: ArrayLike = 0.0,
) -> list[NDArray]:
    """Evaluate the rates of a program, averages taken at nodes.

    Args:
        program: The program.
        states: States (states, modes, times).
        parameters: By name, one number, or one for each time (times,); of one that modes have each
            for themselves a table (times, modes).
        nodes: Where its averages are taken.
        times: Learning rate × step (times,).

    Returns:
        Each rate, (modes, times), or (1, times) where it is the same for all modes.
    """
    modes, count = states.shape[1:]
    needed = program.needed(program.rates)
    before = [place for place in needed if program.phases[place] == BEFORE]
    early = quantities(program, before, states, parameters, times)
    known = {place: _per_node(value) for place, value in zip(before, early, strict=True)}
    size = max(1, PIECE // (modes * max(1, len(nodes.weights))))
    pieces = []
    for first in range(0, count, size):
        few = slice(first, min(first + size, count))
        here = {p: v[:, few] if v.shape[1] > 1 else v for p, v in known.items()}
        found = _rates(program, here, modes, few.stop - few.start, nodes)
        pieces.append([np.broadcast_to(v, (len(v), few.stop - few.start, 1)) for v in found])
    return [np.concatenate(each, axis=1)[..., 0] for each in zip(*pieces, strict=True)]


def _rates(program: Program, known: Values, modes: int, count: int, nodes: Nodes) -> list[NDArray]:
    """The same at few times, (modes, times, 1), from what is known before the loop over nodes."""
    size = max(1, PIECE // (modes * count))
    with np.errstate(all="ignore"):
        for first in range(0, len(nodes.weights), size):
            piece = nodes[first : first + size]
            added = _averages(program, program.rates, known, modes, piece)
            known |= {place: known.get(place, 0.0) + each for place, each in added.items()}
        for place in program.needed(program.rates):
            if place not in known and program.phases[place] == AFTER:
                operation = program.operations[place]
                known[place] = function_of(operation, modes)(
                    *[known[p] for p in operation.operands]
                )
    return [known[place] for place in program.rates]


def _averages(
    program: Program, places: tuple[int, ...], known: Values, modes: int, nodes: Nodes
) -> Values:
    """Sums over nodes that these places need, from what is known before the loop over nodes."""
    plan = _plan(program, places, modes)
    values = known | _of_nodes(plan, nodes)
    with np.errstate(all="ignore"):
        for place, function, operands, _, spare in plan.inside:
            values[place] = function(*[values[p] for p in operands])
            for each in spare:
                del values[each]
    averages = (p for p in plan.after if program.operations[p].kind == "average")
    return {
        place: values[program.operations[place].operands[0]].sum(axis=2, keepdims=True)
        for place in averages
    }


def _per_node(value: NDArray) -> NDArray:
    """What is known before the loop over nodes, (modes, points), beside (modes, points, nodes)."""
    return np.atleast_2d(value)[..., None]


def _of_nodes(plan: _Plan, nodes: Nodes) -> Values:
    """Weights and variables of the nodes, (1 or modes, 1, nodes)."""
    return {
        place: nodes.weights[None, None]
        if name is None
        else np.asarray(nodes.values[name]).T[:, None]
        for place, name in plan.nodes.items()
    }
