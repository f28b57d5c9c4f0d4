"""Take the exact expected steps of a gradient descent in machine code."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

from eigendyn.program import Program
from eigendyn.program.averaging import Nodes
from eigendyn.program.machine.builder import I64, Builder, kind_of
from eigendyn.program.machine.constants import pack_parameters
from eigendyn.program.machine.field import aligned
from eigendyn.program.machine.layout import pack_nodes, workspace_numbers
from eigendyn.program.machine.processor import Library
from eigendyn.program.machine.rates import emit_rates
from eigendyn.results.trajectory import Trajectory
from eigendyn.simulation.engines.descent import Turn, in_blocks, turns
from eigendyn.simulation.engines.lanes.build import across_of

NAME = "descend"
ARRAYS = ("now", "x", "p", "nodes", "workspace", "rates", "counts", "values")
FEW = 2**27  # nodes × coordinates × steps up to which optimising costs more time than it saves


def compiled_steps(
    program: Program,
    nodes: Nodes,
    start: NDArray,
    saved_steps: NDArray,
    learning_rate: float,
    parameters: Mapping[str, float],
    report: Callable[[int], object],
    correlation_order: str,
) -> Trajectory:
    """Follow what a network's expectation does at a finite learning rate.

    Arguments and results are those of `descent_steps`, with a program and its nodes for the field.

    Raises:
        NoProgram: A function that there is no machine code for.
    """
    dtype, modes = start.dtype, start.shape[1]
    kind = kind_of(8 * dtype.itemsize)
    across = "modes" if across_of(program, modes) == "modes" else "nodes"
    order = tuple(turns(program.states, correlation_order, "momentum" in parameters))
    work = start.size * max(1, len(nodes.weights)) * int(saved_steps[-1] - saved_steps[0])
    library = _library(program, modes, 8 * dtype.itemsize, across, order, work <= FEW)
    number = np.ctypeslib.as_ctypes_type(dtype)
    types = [*[ctypes.c_void_p] * len(ARRAYS), *[ctypes.c_int64] * 3, *[number] * 2]
    call = library.function(NAME, None, *types)
    numbers = pack_parameters(program, parameters, modes).astype(dtype)
    packed, rows = np.zeros((1, 1), dtype), 0
    if program.node_names:
        packed, rows = pack_nodes(program, nodes.weights, nodes.values, modes, kind, across)
    room = aligned(max(1, workspace_numbers(program, modes, 1, kind, across)), dtype)
    half = (1 + parameters.get("momentum", 0.0)) / 2

    def take(states: NDArray, taken: int, counts: NDArray) -> tuple[NDArray, NDArray]:
        now, x, rates = np.empty(1, dtype), states.copy(), np.empty_like(states)
        many = np.ascontiguousarray(counts, np.int64)
        values = np.empty((len(many), *states.shape), dtype)
        arrays = (now, x, numbers, packed, room, rates, many, values)
        places = (array.ctypes.data for array in arrays)
        call(*places, rows, taken, len(many), learning_rate, half)
        return x, np.moveaxis(values, 0, -1)

    begin = np.ascontiguousarray(start)
    return in_blocks(take, begin, saved_steps, learning_rate, program.states, report)


@lru_cache(maxsize=16)
def _library(
    program: Program, modes: int, bits: int, across: str, order: tuple[Turn, ...], quickly: bool
) -> Library:
    module = ir.Module(NAME)
    kind = kind_of(bits)
    rates = emit_rates(module, program, modes, 1, kind, across)
    _emit(module, rates, kind, len(program.states), modes, order)
    return Library(module, speed=0 if quickly else 3, unrolls=False)


def _emit(
    module: ir.Module,
    rates: ir.Function,
    kind: ir.Type,
    states: int,
    modes: int,
    order: tuple[Turn, ...],
) -> None:
    """Add a function that takes so many steps for each time to save, and keeps what comes of it."""
    one, every = kind.as_pointer(), states * modes
    pointers = [I64.as_pointer() if name == "counts" else one for name in ARRAYS]
    arguments = [*pointers, I64, I64, I64, kind, kind]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), NAME)
    function.attributes.alignstack = 64
    now, x, p, nodes, workspace, out, counts, values, rows, first, total, rate, half = function.args
    v = Builder(ir.IRBuilder(function.append_basic_block("entry")), kind)
    several = ir.VectorType(kind, 1).as_pointer()
    time, state, numbers, found = (v.at.bitcast(each, several) for each in (now, x, p, out))
    longer = v.mul(half, rate)
    taken = v.room(I64, first)
    with v.loop(total) as save:
        with v.loop(v.load(counts, save)):
            number = v.load(taken)
            v.store(v.mul(rate, v.at.sitofp(number, kind)), now)
            v.store(v.at.add(number, I64(1)), taken)
            for moves in order:
                v.at.call(rates, [time, state, numbers, nodes, rows, workspace, found])
                with v.loop(modes) as mode:
                    for row, driven in moves:
                        place = v.at.add(mode, I64(row * modes))
                        pace = rate if driven is None else longer
                        moved = v.add(v.load(x, place), v.mul(pace, v.load(out, place)))
                        v.store(moved, x, place)
                        if driven is not None:
                            other = v.at.add(mode, I64(driven * modes))
                            v.store(v.add(v.load(x, other), v.mul(rate, moved)), x, other)
        row = v.at.mul(save, I64(every))
        with v.loop(every) as i:
            v.store(v.load(x, i), values, v.at.add(row, i))
    v.at.ret_void()
