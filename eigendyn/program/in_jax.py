"""Compile closed mode dynamics to a plain JAX vector field; only this module lambdifies.

Importing this module switches JAX to 64-bit numbers, the precision of everything here unless asked
otherwise; arrays that are already float32 stay float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import FunctionType

import jax
import jax.numpy as jnp
import sympy as sp
from jax import Array
from numpy.typing import NDArray

import eigendyn.settings.precision  # noqa: F401
from eigendyn.errors import OpenMoments
from eigendyn.program.averaging import NO_NODES, Nodes
from eigendyn.settings.keywords import strict
from eigendyn.settings.parameters import PER_MODE
from eigendyn.settings.states import MOVES, STATES
from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import ModeDynamics, substitute
from eigendyn.theory.symbols import Average, ModeMaximum, ModeSum

NODE_SYMBOLS = (*sym.taus, sym.xi0, sym.xi1, sym.xi2)
REDUCTIONS = (ModeSum.__name__, ModeMaximum.__name__)  # their names in compiled code
VANISHING = frozenset(sym.STATES[name] for name in STATES.keys() - MOVES)  # may, with their mode
WITHIN = 1e-24  # what stands for zero where a root has no slope
BLOCK = 2**16  # numbers in one intermediate array while averaging: it stays in the cache

jax.tree_util.register_dataclass(Nodes, ["weights", "values"], [])


def _total(summand: Array) -> Array:
    return jnp.sum(summand, axis=-1, keepdims=True)


def _maximum(values: Array) -> Array:
    return jnp.max(values, axis=-1, keepdims=True)


class Root(sp.Function):
    """A power between 0 and 1 of what vanishes with a mode: it has no slope there."""


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _root(base: Array, exponent: float) -> Array:
    return jnp.sqrt(base) if exponent == 0.5 else base**exponent


@_root.defjvp
def _root_slope(exponent: float, at: tuple, change: tuple) -> tuple[Array, Array]:
    """Take the slope at zero from within, so that 0 · ∞ becomes 0, the limit in s √c for s = 0."""
    (base,), (moved,) = at, change
    within = jnp.where(base == 0, jnp.asarray(WITHIN, base.dtype), base)
    return _root(base, exponent), exponent * within ** (exponent - 1) * moved


@dataclass(frozen=True)
class Modes:
    """The last axis of the states: how many modes stand on it, and what is taken over all of them.

    Args:
        count: Number of modes; the axis may be longer, if `total` and `maximum` know what counts.
        total: Sum of an array (..., modes) over its modes (..., 1).
        maximum: Largest value of an array (..., modes) over its modes (..., 1).
    """

    count: int
    total: Callable[[Array], Array] = _total
    maximum: Callable[[Array], Array] = _maximum

    def in_code(self, function: Callable) -> Callable:
        """Return the same compiled expressions, with these reductions in place of the plain."""
        names = dict(zip(REDUCTIONS, (self.total, self.maximum), strict=True))
        return FunctionType(function.__code__, function.__globals__ | names)


@dataclass(frozen=True)
class Code:
    """The lambdified expressions of mode dynamics, on arrays with modes last."""

    rates: Callable  # (time, *states, *parameters, modes, *averages) → one array per state
    integrands: Callable  # (*states, *parameters, modes, *nodes) → one array per average
    predictor: Callable  # (*states, *parameters, modes) → [λ]
    averages: int


@strict
@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class VectorField:
    """d states/dt of all modes: call it as `field(time, states, parameters)`.

    Averages ⟨f⟩ of a closure are sums Σ_n w_n f(x_n) over its nodes.

    A pytree whose only leaves are the nodes of its closure, so it passes through `jit`, `vmap` and
    `grad` and onto any device. A call takes learning rate × step, the states (states, modes) and a
    mapping with one number for each name in `parameters`, or (modes,) for a parameter per mode; it
    returns an array like the states.

    Args:
        nodes: Where the closure's averages are taken; empty if it needs none, or has none yet.
        states: Name of each state.
        parameters: Names of the numbers that a call needs.
        node_names: Names of the variables that nodes give values to; empty if there are none.
        closure: Name of the closure.
        code: The compiled expressions.

    Source: Halvagal et al. 2023, eigenspace dynamics; nodes, derivations/tilted_gaussian.py.

    Examples:
        >>> field, start, parameters = eigendyn.vector_field("euclidean", [0.25, 1.0], sigma1=0)
        >>> field.states, field.closure
        (('singular_value',), 'exact moments')
        >>> field(0.0, start, {**parameters, "weight_decay": 0.1}).round(3).tolist()
        [[0.044, -0.1]]
    """

    nodes: Nodes
    states: tuple[str, ...] = field(metadata={"static": True})
    parameters: tuple[str, ...] = field(metadata={"static": True})
    node_names: tuple[str, ...] = field(metadata={"static": True})
    closure: str = field(metadata={"static": True})
    code: Code = field(metadata={"static": True}, repr=False)

    def __call__(self, time: Array | float, states: Array, parameters: Mapping) -> Array:
        """Rate of change of every state of every mode (states, modes)."""
        averages = self._averages(states, parameters) if self.code.averages else ()
        rates = self.rates(time, tuple(states), parameters, Modes(states.shape[1]), averages)
        return jnp.stack([jnp.broadcast_to(rate, states.shape[1:]) for rate in rates])

    def rates(
        self,
        time: Array | float,
        states: Sequence[Array],
        parameters: Mapping,
        modes: Modes,
        averages: Iterable[Array] = (),
    ) -> list[Array]:
        """Rate of change of each state, from its values (..., modes) and the closure's averages.

        Nothing is stacked and nothing but `modes` looks at the axis of modes, so that it can be
        traced where arrays are registers. Time and parameters may be arrays (..., 1); a rate
        may have fewer modes than the states where it is the same for all.
        """
        arguments = self._arguments(states, parameters, modes)
        return modes.in_code(self.code.rates)(time, *arguments, *averages)

    def integrands(
        self, states: Sequence[Array], parameters: Mapping, modes: Modes, values: Mapping
    ) -> list[Array]:
        """What is averaged at nodes with these values by name."""
        arguments = self._arguments(states, parameters, modes)
        nodes = (values[name] for name in self.node_names)
        return modes.in_code(self.code.integrands)(*arguments, *nodes)

    def predictor_eigenvalue(self, states: Array, parameters: Mapping) -> Array:
        """λ of every mode (modes,) in the given states (states, modes)."""
        arguments = self._arguments(states, parameters, Modes(states.shape[1]))
        (eigenvalue,) = self.code.predictor(*arguments)
        return jnp.broadcast_to(eigenvalue, states.shape[1:])

    def _arguments(
        self, states: Sequence[Array] | Array, parameters: Mapping, modes: Modes
    ) -> tuple:
        kind = states[0].dtype

        def number(name: str) -> Array:
            value = jnp.asarray(parameters[name], kind)
            return value.ravel() if name in PER_MODE else value

        return (*states, *map(number, self.parameters), modes.count)

    def _averages(self, states: Array, parameters: Mapping) -> Array:
        """Averages (averages, modes), over blocks of nodes: O(modes) memory at any number."""
        if len(self.nodes.weights) == 0:
            message = f"The {self.closure} closure needs nodes: choose them with `fit_nodes`."
            raise ValueError(message)
        size = max(1, BLOCK // states.shape[1])
        if len(self.nodes.weights) <= size:
            return self._sums(states, parameters, self.nodes)

        @jax.checkpoint
        def add(total: Array, block: Nodes) -> tuple[Array, None]:
            return total + self._sums(states, parameters, block), None

        kind = jnp.result_type(states, self.nodes.weights)
        nothing = jnp.zeros((self.code.averages, states.shape[1]), kind)
        return jax.lax.scan(add, nothing, _in_blocks(self.nodes, size))[0]

    def _sums(self, states: Array, parameters: Mapping, nodes: Nodes) -> Array:
        """Sums over nodes (averages, modes): they stand on the last axis, as vectors."""
        modes = Modes(
            states.shape[1],
            lambda summand: jnp.sum(summand, axis=-2, keepdims=True),
            lambda values: jnp.max(values, axis=-2, keepdims=True),
        )
        arguments = self._arguments(tuple(states), parameters, modes)
        columns = [each[:, None] if jnp.ndim(each) else each for each in arguments]
        values = [jnp.asarray(nodes.values[name]).T for name in self.node_names]
        parts = modes.in_code(self.code.integrands)(*columns, *values)
        shape = (states.shape[1], len(nodes.weights))
        return jnp.stack([(jnp.broadcast_to(p, shape) * nodes.weights).sum(axis=-1) for p in parts])


def _in_blocks(nodes: Nodes, size: int) -> Nodes:
    """Reshape nodes to (blocks, size, …); the last block is filled up with weightless nodes."""
    missing = -len(nodes.weights) % size

    def reshape(leaf: Array | NDArray, mode: str) -> Array:
        filled = jnp.pad(leaf, [(0, missing)] + [(0, 0)] * (leaf.ndim - 1), mode=mode)
        return filled.reshape(-1, size, *leaf.shape[1:])

    values = {name: reshape(value, "edge") for name, value in nodes.values.items()}
    return Nodes(reshape(nodes.weights, "constant"), values)


def compile_field(dynamics: ModeDynamics) -> VectorField:
    """Compile closed mode dynamics to JAX.

    Args:
        dynamics: Closed dynamics; symbols other than states stay parameters of the field.

    Returns:
        The vector field, without nodes.

    Raises:
        OpenMoments: A moment is still open.
    """
    if dynamics.is_open:
        message = (
            f"Only closed dynamics can be compiled; those of {dynamics.name!r} have open "
            "moments. Take them with `close` first."
        )
        raise OpenMoments(message)
    local, parts = sym.detach(sp.Tuple(*dynamics.rates), Average)
    rates = [_with_roots(substitute(rate, dynamics)) for rate in local]
    integrands = [substitute(average.args[0], dynamics) for average in parts.values()]
    free = set().union(*(e.free_symbols for e in (*rates, *integrands, dynamics.predictor)))
    node_symbols = [s for s in NODE_SYMBOLS if s in free]
    known = {sym.time, *dynamics.states, *node_symbols, *parts, sym.modes}
    parameters = sorted(free - known, key=str)
    arguments = [*dynamics.states, *parameters, sym.modes]
    code = Code(
        rates=compile_expressions([sym.time, *arguments, *parts], rates),
        integrands=compile_expressions([*arguments, *node_symbols], integrands),
        predictor=compile_expressions(arguments, [dynamics.predictor]),
        averages=len(integrands),
    )
    return VectorField(
        nodes=NO_NODES,
        states=tuple(str(s) for s in dynamics.states),
        parameters=tuple(str(p) for p in parameters),
        node_names=tuple(str(s) for s in node_symbols),
        closure=dynamics.closure,
        code=code,
    )


def _with_roots(rate: sp.Expr) -> sp.Expr:
    """Mark roots of states, which vanish with their mode."""

    def is_root(part: sp.Basic) -> bool:
        return (
            isinstance(part, sp.Pow)
            and part.exp.is_Rational
            and 0 < part.exp < 1
            and not VANISHING.isdisjoint(part.base.free_symbols)
            and not part.base.has(ModeSum)
        )

    return rate.replace(is_root, lambda part: Root(part.base, part.exp))


def compile_expressions(arguments: Sequence[sp.Symbol], expressions: Sequence[sp.Expr]) -> Callable:
    """Compile expressions over per-mode symbols to one function on arrays with modes last.

    A sum over modes becomes a sum over the last axis, so the code has the same size at any number
    of modes. No argument keeps its name, which users may have chosen.
    """
    known = dict(zip(REDUCTIONS, (_total, _maximum), strict=True)) | {Root.__name__: _root}
    modules = [known, "jax"]
    return sp.lambdify(list(arguments), list(expressions), modules, dummify=True, cse=True)
