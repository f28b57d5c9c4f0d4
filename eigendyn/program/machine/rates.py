"""Write the function that evaluates a program's rates, in intermediate representation.

The code has the same size at any number of modes beyond a few, and does work of their order.
"""

from __future__ import annotations

from llvmlite import ir

from eigendyn.errors import NoProgram
from eigendyn.program import LEAVES, Program
from eigendyn.program.machine import mathematics
from eigendyn.program.machine.builder import I64, Builder
from eigendyn.program.machine.chains import IDENTITIES
from eigendyn.program.machine.emitter import Emitter
from eigendyn.program.machine.layout import layout

NAME = "rates"


def emit_rates(
    module: ir.Module,
    program: Program,
    modes: int,
    lanes: int,
    kind: ir.Type,
    across: str = "trajectories",
) -> ir.Function:
    """Add to a module the function that evaluates a program's rates.

        rates(<L x T>* time, <L x T>* x, <L x T>* p, T* nodes, i64 rows, T* workspace, <L x T>* out)

    One vector of L lanes for the time, for each coordinate x, all modes of the first state first,
    for each of the program's parameters p and for each rate. No lane depends on another one.

    Args:
        module: The module.
        program: The program.
        modes: Number of modes M.
        lanes: Lanes L of a vector, each a trajectory.
        kind: Type T of a number.
        across: "trajectories"; or "nodes" or "modes", with L = 1, to fill registers with these.

    Returns:
        The function. Its nodes are those of `pack_nodes`, its workspace has `workspace_numbers`;
        `out` and the workspace overlap nothing else.

    Raises:
        NoProgram: A function that there is no machine code for.
    """
    form = layout(program, modes, lanes, kind, across)
    _check(program)
    function = ir.Function(module, rates_type(kind, lanes), NAME)
    function.linkage = "internal"
    function.attributes.add("nounwind")
    function.attributes.add("noinline")  # an integrator calls it once for every stage
    function.attributes.alignstack = 64  # else registers are parked across cache lines
    names = ("time", "x", "p", "nodes", "rows", "workspace", "out")
    for argument, name in zip(function.args, names, strict=True):
        argument.name = name
        if name in ("out", "workspace"):
            argument.add_attribute("noalias")
    at = ir.IRBuilder(function.append_basic_block("entry"))
    Emitter(form, Builder(at, kind), {each.name: each for each in function.args}).write()
    at.ret_void()
    return function


def rates_type(kind: ir.Type, lanes: int) -> ir.FunctionType:
    """Type of the function that `emit_rates` writes."""
    several, one = ir.VectorType(kind, lanes).as_pointer(), kind.as_pointer()
    arguments = [several, several, several, one, I64, one, several]
    return ir.FunctionType(ir.VoidType(), arguments)


def _check(program: Program) -> None:
    known = {*LEAVES, *mathematics.FUNCTIONS, *IDENTITIES, "add", "multiply", "power", "average"}
    for place in program.needed(program.rates):
        kind = program.operations[place].kind
        if kind not in known:
            message = (
                f"Machine code knows {', '.join(mathematics.FUNCTIONS)} and powers; this loss uses "
                f"{kind}. Write it with these, or take `method='flow'`."
            )
            raise NoProgram(message)
