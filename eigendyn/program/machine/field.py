"""Evaluate the rates of a program in many states at once, in machine code."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from llvmlite import ir
from numpy.typing import ArrayLike, NDArray

from eigendyn.program import Program
from eigendyn.program.averaging import Nodes
from eigendyn.program.machine.builder import I64, counted, kind_of
from eigendyn.program.machine.constants import pack_parameters
from eigendyn.program.machine.layout import numbers_of, pack_nodes, workspace_numbers
from eigendyn.program.machine.processor import Library, lanes
from eigendyn.program.machine.rates import emit_rates

ALIGNED = 64  # bytes


def rates_of_many(
    program: Program,
    nodes: Nodes,
    states: NDArray,
    parameters: Mapping[str, ArrayLike],
    time: float = 0.0,
) -> NDArray:
    """Evaluate a program in many states at once, on all cores.

    Args:
        program: The program.
        nodes: Where its averages are taken.
        states: (points, states, modes), float64 or float32; everything is computed in that.
        parameters: By name, one number or one for each point (points,).
        time: Learning rate × step, the same for all of them.

    Returns:
        Its rates (points, rates, modes).

    Raises:
        NoProgram: A function that there is no machine code for.
    """
    count, _, modes = states.shape
    bits = 32 if states.dtype == np.float32 else 64
    field = _field(program, modes, bits)
    packed, rows = pack_nodes(program, nodes.weights, nodes.values, modes, kind_of(bits))
    table = pack_parameters(program, parameters, modes, count)
    blocks = -(-count // field.lanes)
    dtype = packed.dtype
    now = aligned(field.lanes, dtype)
    now[:] = time
    rows_of = (each.astype(dtype).reshape(count, -1) for each in (states, table))
    x, p = (_in_lanes(each, blocks, field.lanes) for each in rows_of)
    out = aligned(blocks * len(program.rates) * modes * field.lanes, dtype)

    def work(share: NDArray) -> None:
        space = aligned(field.workspace, dtype)
        places = [each.ctypes.data for each in (now, x, p, packed, space, out)]
        field.call(*places[:4], rows, *places[4:], share[0], share[-1] + 1)

    shares = [each for each in np.array_split(np.arange(blocks), os.cpu_count() or 1) if len(each)]
    with ThreadPoolExecutor(len(shares) or 1) as pool:
        list(pool.map(work, shares))
    found = out.reshape(blocks, -1, field.lanes).swapaxes(1, 2)
    return found.reshape(-1, len(program.rates), modes)[:count]


@dataclass(frozen=True)
class _Field:
    """Compiled code: time, x, p, nodes, rows, workspace, out, first block, last block + 1."""

    call: Callable
    lanes: int
    workspace: int
    library: Library


@lru_cache(maxsize=16)
def _field(program: Program, modes: int, bits: int) -> _Field:
    width, kind = lanes(bits), kind_of(bits)
    module = ir.Module("field")
    rates = emit_rates(module, program, modes, width, kind)
    vector, one = ir.VectorType(kind, width), kind.as_pointer()
    vectors = vector.as_pointer()
    arguments = [vectors, vectors, vectors, one, I64, one, vectors, I64, I64]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), "field")
    function.attributes.alignstack = ALIGNED
    at = ir.IRBuilder(function.append_basic_block("entry"))
    time, x, p, nodes, rows, workspace, out, first, last = function.args
    sizes = (len(program.states) * modes, numbers_of(program, modes), len(program.rates) * modes)
    with counted(at, at.sub(last, first)) as index:
        block = at.add(first, index)
        here = [
            at.gep(array, [at.mul(block, I64(size))])
            for array, size in zip((x, p, out), sizes, strict=True)
        ]
        at.call(rates, [time, here[0], here[1], nodes, rows, workspace, here[2]])
    at.ret_void()
    library = Library(module)
    pointer, whole = ctypes.c_void_p, ctypes.c_int64
    types = [*[pointer] * 4, whole, *[pointer] * 2, *[whole] * 2]
    return _Field(
        call=library.function("field", None, *types),
        lanes=width,
        workspace=workspace_numbers(program, modes, width, kind),
        library=library,
    )


def _in_lanes(rows: NDArray, blocks: int, width: int) -> NDArray:
    """Rows (rows, columns) as (blocks, columns, width), the last one repeated."""
    filled = np.pad(rows, ((0, blocks * width - len(rows)), (0, 0)), "edge")
    out = aligned(filled.size, rows.dtype).reshape(blocks, rows.shape[1], width)
    out[:] = filled.reshape(blocks, width, -1).swapaxes(1, 2)
    return out


def aligned(count: int, dtype: np.dtype) -> NDArray:
    """So many numbers, from a multiple of 64 bytes on."""
    room = np.empty(count + ALIGNED // dtype.itemsize, dtype)
    first = -room.ctypes.data % ALIGNED // dtype.itemsize
    return room[first : first + count]
