"""Right-hand sides enter, integrators that can be called leave."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

from llvmlite import ir

from eigendyn.machine.frame import workspace
from eigendyn.machine.integrator import emit_integrator
from eigendyn.machine.processor import Library, lanes
from eigendyn.machine.tableau import Tableau

Rates = Callable[[ir.Module, int, ir.Type], ir.Function]
MANY = 4096  # coordinates from which one trajectory fills the cache, and lanes would only idle

FEW = 4  # coordinates up to which written-out loops are worth the time to compile them


@dataclass(frozen=True)
class Kernel:
    """A compiled integrator.

    Args:
        call: The function; its arguments are those of `frame.build_frame`.
        lanes: Trajectories side by side.
        block: Saved times in one vector: times need so many infinities behind them.
        workspace: Bytes that each thread needs.
        library: What the function lives in.
    """

    call: Callable
    lanes: int
    block: int
    workspace: int
    library: Library


def build_kernel(
    emit_rates: Rates,
    tableau: Tableau,
    coordinates: int,
    parameters: int,
    bits: int,
    vectors: int = 1,
) -> Kernel:
    """Compile an integrator.

    Args:
        emit_rates: Adds the right-hand side to a module, for so many lanes of a kind of number.
        tableau: The method.
        coordinates: States × modes.
        parameters: Numbers that the rates take.
        bits: Of a number, 64 or 32.
        vectors: Registers that the lanes fill.

    Returns:
        The integrator.
    """
    kind: ir.Type = ir.DoubleType() if bits == 64 else ir.FloatType()
    block = max(lanes(bits), 2)
    width = 1 if coordinates >= MANY else lanes(bits) * vectors
    module = ir.Module("ensemble")
    rates = emit_rates(module, width, kind)
    emit_integrator(module, rates, tableau, coordinates, parameters, width, kind, block)
    number = ctypes.c_double if bits == 64 else ctypes.c_float
    types = [ctypes.c_void_p] * 12 + [ctypes.c_int64] * 4 + [number] * 6
    library = Library(module, unrolls=coordinates <= FEW)
    places = sum(workspace(tableau, coordinates, parameters).values())
    return Kernel(
        call=library.function("integrate", None, *types),
        lanes=width,
        block=block,
        workspace=places * width * bits // 8,
        library=library,
    )
