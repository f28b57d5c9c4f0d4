"""Say what each quadrature node adds to the moments of a program, with NumPy.

An array has the shape (modes, points, nodes); an axis along which a value is the same has the
length one, or is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.program import AFTER, BEFORE, Program
from eigendyn.program.averaging import Nodes
from eigendyn.program.evaluation_order import Step, never_negative, order_of
from eigendyn.program.in_numpy import Values, averages_at, of_nodes, per_node, quantities


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
        plan = order_of(program, program.moments, modes)
        own, positive = of_nodes(plan, nodes), never_negative(program)
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
        return averages_at(program, program.moments, self.values, self.shape[0], nodes)

    def moments(self, averages: Values) -> NDArray:
        """The moments (moments, modes, points), or (moments, modes), of such averages."""
        program, values = self.program, self.values | averages
        plan = order_of(program, program.moments, self.shape[0])
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
    values = {place: per_node(value) for place, value in zip(before, early, strict=True)}
    sizes: Values = {}
    with np.errstate(all="ignore"):
        for step in order_of(program, program.moments, points.shape[1]).signed:
            assert step.size is not None
            sizes[step.place] = step.size(*_magnitudes(step, values, sizes))
    return Integrand(program, states.shape[1:], values, sizes)


def _magnitudes(step: Step, values: Values, sizes: Values) -> list[Any]:
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
