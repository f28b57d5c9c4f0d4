"""Compile integrators of programs, as functions that Python calls."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from llvmlite import ir

from eigendyn.program import Program
from eigendyn.program.machine.builder import kind_of
from eigendyn.program.machine.layout import numbers_of, workspace_numbers
from eigendyn.program.machine.processor import Library, lanes
from eigendyn.program.machine.rates import NAME, emit_rates
from eigendyn.simulation.engines.lanes.chebyshev import chebyshev_like
from eigendyn.simulation.engines.lanes.integrator import emit_integrator
from eigendyn.simulation.engines.lanes.workspace import (
    NUMBERS,
    POINTERS,
    WHOLE,
    build_frame,
    padded,
    room_for,
    workspace,
)
from eigendyn.simulation.engines.runge_kutta.tableau import Tableau

MANY = 512  # coordinates from which one trajectory fills the cache, and lanes would only idle
SIDE_BY_SIDE = ((3, 4), (12, 2))  # coordinates, and registers up to them
FEW = 4  # coordinates up to which written-out loops are worth the time to compile them


@dataclass(frozen=True)
class Kernel:
    """A compiled integrator.

    Args:
        call: The function; its arguments are those of `workspace.build_frame`.
        rates: Where the right-hand side stands, the first of them.
        lanes: Trajectories side by side.
        across: What the vectors of the right-hand side hold, "trajectories" or "modes".
        block: Saved times in one vector: times need so many infinities behind them.
        workspace: Bytes that each thread needs.
        own: Bytes that the right-hand side needs besides.
        libraries: What the function, and what it calls, live in.
    """

    call: Callable
    rates: int
    lanes: int
    across: str
    block: int
    workspace: int
    own: int
    libraries: tuple[Library, Library]


def across_of(program: Program, modes: int) -> str:
    """What vectors hold: trajectories; or modes, where there are very many."""
    return "modes" if len(program.states) * modes >= MANY else "trajectories"


def build_kernel(
    program: Program, modes: int, tableau: Tableau, bits: int, across: str, quickly: bool = False
) -> Kernel:
    """Compile an integrator of a program.

    Args:
        program: The right-hand side.
        modes: Number of modes.
        tableau: The method.
        bits: Of a number, 64 or 32.
        across: What registers hold: "trajectories", or the "nodes" or "modes" of one.
        quickly: Whether the code may be somewhat slower, to be there sooner.

    Returns:
        The integrator.

    Raises:
        NoProgram: A function that there is no machine code for.
    """
    coordinates = len(program.states) * modes
    width = _registers(program, coordinates) * lanes(bits) if across == "trajectories" else 1
    rates = _rates(program, modes, width, bits, across, quickly)
    # with averages the rates take nearly all the time, and the code around them may be slower
    is_short = quickly and bool(program.node_names)
    library, room = _integrator(tableau, program.moved, modes, width, bits, quickly, is_short)
    parameters = padded(numbers_of(program, modes), width) * width
    own = workspace_numbers(program, modes, width, kind_of(bits), across)
    number = ctypes.c_double if bits == 64 else ctypes.c_float
    pointers = [ctypes.c_void_p] * len(POINTERS)
    types = [*pointers, *[ctypes.c_int64] * len(WHOLE), *[number] * len(NUMBERS)]
    return Kernel(
        call=library.function("integrate", None, *types),
        rates=rates.address(NAME),
        lanes=width,
        across=across,
        block=_block(bits),
        workspace=(room + parameters) * bits // 8,
        own=own * bits // 8,
        libraries=(library, rates),
    )


@lru_cache(maxsize=64)
def _rates(
    program: Program, modes: int, width: int, bits: int, across: str, quickly: bool
) -> Library:
    """The right-hand side, which all methods share: most of the time of a run is its own."""
    module = ir.Module(NAME)
    function = emit_rates(module, program, modes, width, kind_of(bits), across)
    function.linkage = "external"
    return Library(module, 1 if quickly else 3)


@lru_cache(maxsize=64)
def _integrator(
    tableau: Tableau,
    moved: tuple[int | None, ...],
    modes: int,
    width: int,
    bits: int,
    quickly: bool,
    is_short: bool,
) -> tuple[Library, int]:
    """The integrator of every right-hand side of a shape, and the numbers of its workspace."""
    methods = (tableau, chebyshev_like(tableau))
    coordinates = len(moved) * modes
    parts = workspace(methods, coordinates)
    module = ir.Module("ensemble")
    shape = (methods, parts, width, kind_of(bits), _block(bits), moved)
    emit_integrator(build_frame(module, *shape, is_short=is_short))
    library = Library(module, 0 if quickly else 3, unrolls=coordinates <= FEW)
    return library, room_for(parts, width)


def _block(bits: int) -> int:
    """Saved times in one vector: a step passes one or two."""
    return max(lanes(bits) // 2, 2)


def _registers(program: Program, coordinates: int) -> int:
    """Registers of trajectories in one vector: while one waits for a root, others go on."""
    if program.node_names:
        return 1
    return next((registers for most, registers in SIDE_BY_SIDE if coordinates <= most), 1)
