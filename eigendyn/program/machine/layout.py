"""Lay out a program's numbers in memory and in vector registers.

Vectors hold what may run side by side: several trajectories, or several nodes or modes of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from llvmlite import ir
from numpy.typing import ArrayLike, NDArray

from eigendyn.program import INSIDE, Program
from eigendyn.program.machine.builder import bits_of
from eigendyn.program.machine.constants import folded
from eigendyn.program.machine.of_nodes import with_functions, with_values
from eigendyn.program.machine.passes import Plan, keeps_costly, plan
from eigendyn.program.machine.processor import lanes as lanes_of

ACROSS = ("trajectories", "nodes", "modes")
UNROLLED = 300  # operations of all modes; beyond, a loop is as fast and compiles faster
APART = 16  # numbers; every array of the workspace begins at a multiple of it


@dataclass(frozen=True)
class Layout:
    """Shape of the code and of its arrays.

    Args:
        program: The program, folded, with functions of the nodes among their variables.
        modes: Number of modes M.
        lanes: Trajectories in one vector.
        kind: Type of a number.
        across: What vectors hold: one of `ACROSS`.
        plan: The order of evaluation.
        is_unrolled: Whether every mode has code of its own; nothing is kept in memory then.
    """

    program: Program
    modes: int
    lanes: int
    kind: ir.Type
    across: str
    plan: Plan
    is_unrolled: bool

    @property
    def register(self) -> int:
        """Numbers in one vector register."""
        return lanes_of(bits_of(self.kind))

    @property
    def node_width(self) -> int:
        """Nodes in one vector."""
        return self.register if self.across == "nodes" else 1

    def shared_width(self, phase: int) -> int:
        """Width of a value that modes share."""
        return self.lanes * (self.node_width if phase == INSIDE else 1)

    def stride(self, place: int) -> int:
        """Width of a value of one mode, where it is kept."""
        if self.program.operations[place].kind == "average":
            return self.shared_width(INSIDE)
        return self.shared_width(self.program.phases[place])

    def offsets(self) -> tuple[dict[int, int], int]:
        """Where in the workspace each array of a value of every mode begins, and its whole size."""
        found, size = {}, 0
        if self.is_unrolled:
            return found, size
        own = (place for place in self.plan.averages if self.program.local[place])
        for place in (*self.plan.kept, *own):
            found[place] = size
            size += -(-self.modes * self.stride(place) // APART) * APART
        return found, size

    @property
    def columns(self) -> int:
        """Values of one node: its weight, then its variables."""
        return 1 + sum(self.modes if several else 1 for several in self.program.node_modes)

    def parameter(self, which: int) -> int:
        """First number of a parameter."""
        before = self.program.parameter_modes[:which]
        return sum(self.modes if several else 1 for several in before)

    def column(self, variable: int) -> int:
        """First value of a variable of the nodes."""
        before = self.program.node_modes[:variable]
        return 1 + sum(self.modes if several else 1 for several in before)


@lru_cache(maxsize=64)
def layout(program: Program, modes: int, lanes: int, kind: ir.Type, across: str) -> Layout:
    """Choose the shape of the code of a program, which is folded.

    Raises:
        ValueError: Several trajectories side by side with something else.
    """
    if across not in ACROSS or (across != "trajectories" and lanes != 1):
        message = f"Vectors hold one of {', '.join(ACROSS)}, with one lane in all but the first."
        raise ValueError(message)
    program = with_functions(folded(program))
    whole = plan(program, lambda _place, _phase: True)
    size = sum(len(stage.own) for stage in whole.stages) * modes
    is_unrolled = across != "modes" and size <= UNROLLED
    chosen = whole if is_unrolled else plan(program, keeps_costly(program))
    return Layout(program, modes, lanes, kind, across, chosen, is_unrolled)


def workspace_numbers(
    program: Program, modes: int, lanes: int, kind: ir.Type, across: str = "trajectories"
) -> int:
    """Numbers of workspace that a call of the code needs."""
    return layout(program, modes, lanes, kind, across).offsets()[1]


def numbers_of(program: Program, modes: int) -> int:
    """How many numbers the parameters of a folded program are."""
    return sum(modes if several else 1 for several in folded(program).parameter_modes)


def pack_nodes(
    program: Program,
    weights: ArrayLike,
    values: Mapping[str, ArrayLike],
    modes: int,
    kind: ir.Type,
    across: str = "trajectories",
) -> tuple[NDArray, int]:
    """Lay out the nodes of a vector field as the code reads them.

    Args:
        program: The program.
        weights: Weight of each node (nodes,).
        values: By name, variables of the nodes, (nodes, 1) or (nodes, modes).
        modes: Number of modes.
        kind: Type of a number.
        across: What vectors hold.

    Returns:
        Rows (rows, columns, nodes in a row), and how many rows there are. A row is filled up with
        nodes without weight.
    """
    shape = layout(program, modes, 1, kind, across)
    width = shape.node_width
    parts = [np.asarray(weights)[:, None]]
    known = with_values(folded(program), values)
    for name, several in zip(shape.program.node_names, shape.program.node_modes, strict=True):
        columns = modes if several else 1
        parts.append(np.broadcast_to(np.asarray(known[name]), (len(parts[0]), columns)))
    table = np.concatenate(parts, axis=1)
    missing = -len(table) % width
    # copies of the last node, where everything is finite; they weigh nothing
    table = np.pad(table, ((0, missing), (0, 0)), "edge" if len(table) else "constant")
    table[len(table) - missing :, 0] = 0
    rows = len(table) // width
    packed = table.reshape(rows, width, shape.columns).swapaxes(1, 2)
    dtype = np.float64 if bits_of(kind) == 64 else np.float32
    return np.ascontiguousarray(packed, dtype), rows
