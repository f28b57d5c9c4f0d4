"""Compile LLVM's intermediate representation to functions of this processor."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

from llvmlite import binding as llvm
from llvmlite import ir

# llvmlite makes its table of escaped characters when it first writes a string, and threads that
# write their first modules at once would find it half made.
str(ir.Constant(ir.ArrayType(ir.IntType(8), 1), bytearray(1)))

VECTOR_BITS = {"avx512f": 512, "avx2": 256}  # registers by what the processor can do, widest first


def target(speed: int = 3) -> llvm.TargetMachine:
    """This machine's processor, with everything that it can do.

    A new one at each call: an engine takes its own along when it goes.

    Args:
        speed: How much to optimise, 0 to 3.
    """
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=speed,
    )


@cache
def lanes(bits: int) -> int:
    """Numbers of so many bits in one vector register."""
    able = llvm.get_host_cpu_features()
    return next((w for feature, w in VECTOR_BITS.items() if able.get(feature)), 128) // bits


class Library:
    """Functions compiled from one module; they live as long as it does.

    Args:
        module: What to compile.
        speed: How much to optimise: 0, as it stands; 1, with registers chosen with care, which is
            worth its time for a loop over many nodes; 3, all that can be done.
        unrolls: Write loops out, and look for vectors in them: worth its time for short loops over
            numbers, not where vectors are written already.
    """

    def __init__(self, module: ir.Module, speed: int = 3, *, unrolls: bool = True) -> None:
        machine = target(speed)
        module.triple = machine.triple
        module.data_layout = str(machine.target_data)
        parsed = llvm.parse_assembly(str(module))
        parsed.verify()
        tuning = llvm.create_pipeline_tuning_options(speed_level=speed if speed > 1 else 0)
        tuning.loop_unrolling = unrolls
        tuning.loop_interleaving = unrolls
        tuning.loop_vectorization = unrolls
        tuning.slp_vectorization = unrolls
        passes = llvm.create_pass_builder(machine, tuning)
        passes.getModulePassManager().run(parsed, passes)
        self._engine = llvm.create_mcjit_compiler(parsed, machine)
        self._engine.finalize_object()

    def function(self, name: str, result: Any, *arguments: Any) -> Callable:
        """A function of the module, by name, with ctypes of its result and arguments.

        Calls release Python's lock, so that threads run side by side.
        """
        return ctypes.CFUNCTYPE(result, *arguments)(self.address(name))

    def address(self, name: str) -> int:
        """Where a function of the module stands."""
        return self._engine.get_function_address(name)
