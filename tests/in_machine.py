"""Call rates in machine code from Python, with numbers to try them on."""

import ctypes
from dataclasses import dataclass

import numpy as np
from llvmlite import ir

from eigendyn.program.in_jax import Nodes
from eigendyn.program.machine.constants import pack_parameters
from eigendyn.program.machine.layout import pack_nodes, workspace_numbers
from eigendyn.program.machine.processor import Library
from eigendyn.program.machine.rates import emit_rates
from eigendyn.settings.siamese import architecture
from eigendyn.simulation.equations import understand
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics

KINDS = {np.float64: ir.DoubleType(), np.float32: ir.FloatType()}
POINTER = ctypes.c_void_p


def closed_dynamics(loss, closure="auto", **settings):
    symbolic, chosen = understand(loss, settings)
    return close(mode_dynamics(symbolic, chosen.alpha, architecture(chosen)), closure)


@dataclass(frozen=True)
class Point:
    """Numbers for a program: states (states, modes, lanes), parameters (parameters, modes, lanes).

    What modes share is the same for all of them.
    """

    times: np.ndarray
    states: np.ndarray
    parameters: np.ndarray
    nodes: Nodes

    def numbers(self, program):
        """Parameters by name, (lanes,), or (lanes, modes) of those that are the modes' own."""
        several = program.parameter_modes
        values = [p.T if own else p[0] for p, own in zip(self.parameters, several, strict=True)]
        return dict(zip(program.parameters, values, strict=True))


def random_point(program, modes, lanes=8, seed=0, count=24):
    rng = np.random.default_rng(seed)
    shape = (len(program.states), modes, lanes)
    values = {}
    for name, several in zip(program.node_names, program.node_modes, strict=True):
        normal = rng.normal(size=(count, modes if several else 1))
        values[name] = normal if several else np.exp(2 * normal)
    numbers = rng.uniform(0.05, 0.9, (len(program.parameters), modes, lanes))
    shared = [not own for own in program.parameter_modes]
    numbers[shared] = numbers[shared, :1]
    return Point(
        times=rng.uniform(0, 3, lanes),
        states=np.exp(rng.uniform(np.log(1e-2), np.log(2), shape)),
        parameters=numbers,
        nodes=Nodes(rng.uniform(0, 2 / count, count if values else 0), values),
    )


class Machine:
    """The compiled rates of a program; a call takes a point and returns (states, modes, lanes)."""

    def __init__(self, program, modes, lanes=8, dtype=np.float64, across="trajectories"):
        self.program, self.modes, self.dtype, self.across = program, modes, dtype, across
        self.kind = KINDS[dtype]
        module = ir.Module()
        rates = emit_rates(module, program, modes, lanes, self.kind, across)
        run = ir.Function(module, rates.function_type, "run")
        at = ir.IRBuilder(run.append_basic_block())
        at.call(rates, run.args)
        at.ret_void()
        self.library = Library(module)
        types = [POINTER, POINTER, POINTER, POINTER, ctypes.c_int64, POINTER, POINTER]
        self.run = self.library.function("run", None, *types)
        self.workspace = workspace_numbers(program, modes, lanes, self.kind, across)

    def __call__(self, point):
        weights, values = point.nodes.weights, point.nodes.values
        nodes, rows = pack_nodes(self.program, weights, values, self.modes, self.kind, self.across)
        lanes = point.states.shape[-1]
        packed = pack_parameters(self.program, point.numbers(self.program), self.modes, lanes).T
        told = [point.times, point.states, packed, nodes]
        time, states, parameters, nodes = (aligned(each, self.dtype) for each in told)
        workspace = aligned(np.full(self.workspace, np.nan), self.dtype)
        out = aligned(np.full(point.states.shape, np.nan), self.dtype)
        arrays = (time, states, parameters, nodes)
        pointers = [array.ctypes.data for array in arrays]
        self.run(*pointers, rows, workspace.ctypes.data, out.ctypes.data)
        return out.reshape(point.states.shape).copy()


def aligned(values, dtype):
    """A flat copy that begins at a multiple of 64 bytes."""
    flat = np.ravel(values).astype(dtype)
    room = np.empty(len(flat) + 64, dtype)
    first = (-room.ctypes.data % 64) // room.itemsize
    room[first : first + len(flat)] = flat
    return room[first : first + len(flat)]


def interpreted(program, point, number=np.longdouble):
    """Rates of a program, operation by operation, and the size of the terms they are sums of.

    Both (states, modes, lanes). Sizes follow a first-order error through every operation.
    """
    modes, lanes = point.states.shape[1:]
    found, sizes = [None] * len(program.operations), [None] * len(program.operations)

    def evaluate(phase, weight=None, variables=()):
        for place, (kind, operands, value) in enumerate(program.operations):
            if program.phases[place] != phase or kind == "average":
                continue
            a = [found[o] for o in operands]
            s = [sizes[o] for o in operands]
            leaves = {
                "number": lambda value=value: number(value),
                "modes": lambda: number(modes),
                "time": lambda: point.times[None].astype(number),
                "parameter": lambda value=value: point.parameters[int(value)].astype(number),
                "state": lambda value=value: point.states[int(value)].astype(number),
                "weight": lambda: number(weight),
                "node": lambda value=value: variables[int(value)][:, None].astype(number),
            }
            if kind in leaves:
                found[place] = leaves[kind]()
                sizes[place] = abs(found[place])
                continue
            found[place], sizes[place] = RULES[kind](*a, *s, *([modes] if kind in OVER else []))

    evaluate(0)
    averages = program.averages
    for place in averages:
        found[place] = sizes[place] = number(0)
    for index, weight in enumerate(point.nodes.weights):
        evaluate(1, weight, [point.nodes.values[name][index] for name in program.node_names])
        for place in averages:
            (averaged,) = program.operations[place].operands
            found[place] = found[place] + found[averaged]
            sizes[place] = sizes[place] + sizes[averaged]
    evaluate(2)
    shape = (modes, lanes)
    return tuple(
        np.stack([np.broadcast_to(each[place], shape) for place in program.rates])
        for each in (found, sizes)
    )


def _function(function, slope):
    def rule(a, s):
        value = function(a)
        return value, abs(value) + abs(slope(a)) * s

    return rule


def _over(reduce):
    def rule(a, s, modes):
        a, s = (np.broadcast_to(each, (modes, *np.shape(each)[1:])) for each in (a, s))
        value = reduce(a, axis=0, keepdims=True)
        if reduce is np.sum:
            return value, s.sum(axis=0, keepdims=True)
        return value, abs(value) * (1 + (s / abs(a)).sum(axis=0, keepdims=True))

    return rule


OVER = {"sum": _over(np.sum), "product": _over(np.prod), "maximum": _over(np.max)}
RULES = {
    "add": lambda a, b, s, t: (a + b, s + t),
    "multiply": lambda a, b, s, t: (a * b, abs(a) * t + abs(b) * s),
    "reciprocal": _function(lambda a: 1 / a, lambda a: 1 / a**2),
    "sqrt": _function(np.sqrt, lambda a: 0.5 / np.sqrt(a)),
    "power": lambda a, b, s, t: (a**b, abs(a**b) * (1 + abs(b) * s / abs(a) + abs(np.log(a)) * t)),
    "exp": _function(np.exp, np.exp),
    "log": _function(np.log, lambda a: 1 / a),
    "abs": _function(abs, np.sign),
    "sign": _function(np.sign, lambda a: 0 * a),
    "cos": _function(np.cos, np.sin),
    "sin": _function(np.sin, np.cos),
    **OVER,
}
