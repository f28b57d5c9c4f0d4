"""Evaluate the operations of a program with NumPy.

An array has the shape (modes, times), or (modes, points, nodes) where averages are taken; an axis
along which a value is the same has the length one, or is absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.program import AFTER, BEFORE, LEAVES, Program, Quantities
from eigendyn.program.averaging import Nodes
from eigendyn.program.evaluation_order import Order, function_of, needed_in_order, order_of

Values = dict[int, Any]  # what each place of a program holds

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
        for place, (leaf, operands, value), function in needed_in_order(program, places, modes):
            values[place] = (
                function(*[values[p] for p in operands]) if operands else leaves[leaf](value)
            )
    return [np.asarray(values[place]) for place in places]


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
    known = {place: per_node(value) for place, value in zip(before, early, strict=True)}
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
            added = averages_at(program, program.rates, known, modes, piece)
            known |= {place: known.get(place, 0.0) + each for place, each in added.items()}
        for place in program.needed(program.rates):
            if place not in known and program.phases[place] == AFTER:
                operation = program.operations[place]
                known[place] = function_of(operation, modes)(
                    *[known[p] for p in operation.operands]
                )
    return [known[place] for place in program.rates]


def averages_at(
    program: Program, places: tuple[int, ...], known: Values, modes: int, nodes: Nodes
) -> Values:
    """Sums over nodes that these places need, from what is known before the loop over nodes."""
    plan = order_of(program, places, modes)
    values = known | of_nodes(plan, nodes)
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


def per_node(value: NDArray) -> NDArray:
    """What is known before the loop over nodes, (modes, points), beside (modes, points, nodes)."""
    return np.atleast_2d(value)[..., None]


def of_nodes(plan: Order, nodes: Nodes) -> Values:
    """Weights and variables of the nodes, (1 or modes, 1, nodes)."""
    return {
        place: nodes.weights[None, None]
        if name is None
        else np.asarray(nodes.values[name]).T[:, None]
        for place, name in plan.nodes.items()
    }
