"""Evaluate a program in one state after the other, as an integrator of one trajectory asks for."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

from eigendyn.program import Program
from eigendyn.program.averaging import Nodes
from eigendyn.program.machine.constants import pack_parameters
from eigendyn.program.machine.field import aligned
from eigendyn.program.machine.layout import pack_nodes, workspace_numbers
from eigendyn.program.machine.processor import Library
from eigendyn.program.machine.rates import NAME, emit_rates

DOUBLE = ir.DoubleType()

OneField = Callable[[float, NDArray], NDArray]


def rates_of_one(program: Program, nodes: Nodes, parameters: Mapping[str, float]) -> OneField:
    """Build the function of time and states (states, modes) that gives the rates of a program.

    It makes a new array (rates, modes) at each call. Arguments and errors are those of
    `rates_of_many`.
    """
    across = "nodes" if program.node_names else "modes"
    now = aligned(1, np.dtype(float))

    def rates(time: float, states: NDArray) -> NDArray:
        modes = states.shape[-1]
        call, room, numbers, packed, rows = compiled(modes)
        now[0] = time
        x = np.ascontiguousarray(states, float)
        out = np.empty((len(program.rates), modes))
        arrays = (now, x, numbers, packed)
        call(*(a.ctypes.data for a in arrays), rows, room.ctypes.data, out.ctypes.data)
        return out

    @lru_cache(maxsize=1)
    def compiled(modes: int) -> tuple[Callable, NDArray, NDArray, NDArray, int]:
        library = _library(program, modes, across)
        pointer = ctypes.c_void_p
        types = [*[pointer] * 4, ctypes.c_int64, *[pointer] * 2]
        count = workspace_numbers(program, modes, 1, DOUBLE, across)
        room = aligned(max(1, count), np.dtype(float))
        if program.node_names:
            packed, rows = pack_nodes(program, nodes.weights, nodes.values, modes, DOUBLE, across)
        else:
            packed, rows = np.zeros((1, 1)), 0
        numbers = pack_parameters(program, parameters, modes)
        return library.function(NAME, None, *types), room, numbers, packed, rows

    return rates


@lru_cache(maxsize=16)
def _library(program: Program, modes: int, across: str) -> Library:
    module = ir.Module("single")
    emit_rates(module, program, modes, 1, DOUBLE, across).linkage = "external"
    return Library(module)
