"""Closed mode dynamics enter, a plain JAX vector field leaves. The only place that lambdifies.

Importing this module switches JAX to 64-bit numbers, the precision of everything here unless asked
otherwise; arrays that are already float32 stay float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array
from numpy.typing import NDArray

import eigendyn.precision  # noqa: F401
from eigendyn import symbols as sym
from eigendyn.derive import ModeDynamics
from eigendyn.errors import OpenMoments
from eigendyn.symbols import Average, Expectation, ModeMaximum, ModeSum

NODE_SYMBOLS = (*sym.taus, sym.xi0, sym.xi1, sym.xi2)
REDUCTIONS = (ModeSum.__name__, ModeMaximum.__name__)  # their names in compiled code
BLOCK = 2**16  # numbers in one intermediate array while averaging: it stays in the cache


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Nodes:
    """Where an average is taken: quadrature nodes, or samples.

    Args:
        weights: Weight of each node (nodes,).
        values: By symbol name, (nodes, 1) if common to all modes, else (nodes, modes).
    """

    weights: Array | NDArray = field(repr=False)
    values: Mapping[str, Array | NDArray] = field(repr=False)


NO_NODES = Nodes(np.zeros(0), {})


def _total(summand: Array) -> Array:
    return jnp.sum(summand, axis=-1, keepdims=True)


def _maximum(values: Array) -> Array:
    return jnp.max(values, axis=-1, keepdims=True)


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
    integrands: Callable  # (*states, *parameters, modes, *nodes) → one array per average, and
    # one more for each: the sum of the absolute values of the terms that it is the sum of
    predictor: Callable  # (*states, *parameters, modes) → [λ]
    averages: int


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class VectorField:
    """d states/dt of all modes: call it as `field(time, states, parameters)`.

    A pytree whose only leaves are the nodes of its closure, so it passes through `jit`, `vmap` and
    `grad` and onto any device. A call takes learning rate × step, the states (states, modes) and a
    mapping with one number for each name in `parameters`; it returns an array like the states.

    Args:
        nodes: Where the closure's averages are taken; empty if it needs none, or has none yet.
        states: Name of each state.
        parameters: Names of the numbers that a call needs.
        node_names: Names of the variables that nodes give values to; empty if there are none.
        closure: Name of the closure.
        code: The compiled expressions.
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
        """What is averaged at nodes with these values by name; then the size of its terms."""
        arguments = self._arguments(states, parameters, modes)
        nodes = (values[name] for name in self.node_names)
        return modes.in_code(self.code.integrands)(*arguments, *nodes)

    def predictor_eigenvalue(self, states: Array, parameters: Mapping) -> Array:
        """λ of every mode (modes,) in the given states (states, modes)."""
        arguments = self._arguments(states, parameters, Modes(states.shape[1]))
        (eigenvalue,) = self.code.predictor(*arguments)
        return jnp.broadcast_to(eigenvalue, states.shape[1:])

    def contributions(
        self, states: Array, parameters: Mapping, nodes: Nodes
    ) -> tuple[Array, Array]:
        """What each node adds to each average, and how large the terms are that it is the sum of.

        Both (averages, nodes, modes). The second over the first says how much cancels.
        """
        parts = self.integrands(tuple(states), parameters, Modes(states.shape[1]), nodes.values)
        shape = (len(nodes.weights), states.shape[1])
        added = jnp.stack([nodes.weights[:, None] * jnp.broadcast_to(p, shape) for p in parts])
        return added[: self.code.averages], added[self.code.averages :]

    def _arguments(
        self, states: Sequence[Array] | Array, parameters: Mapping, modes: Modes
    ) -> tuple:
        numbers = (jnp.asarray(parameters[name], states[0].dtype) for name in self.parameters)
        return (*states, *numbers, modes.count)

    def _averages(self, states: Array, parameters: Mapping) -> Array:
        if len(self.nodes.weights) == 0:
            message = f"The {self.closure} closure needs nodes: build the field with `fit_nodes`."
            raise ValueError(message)

        def add(parts: Array, _terms: Array) -> Array:
            return parts.sum(axis=1)

        return self.sum_over_nodes(add, states, parameters, self.nodes)

    def sum_over_nodes(
        self, reduce: Callable, states: Array, parameters: Mapping, nodes: Nodes
    ) -> Any:
        """Sum `reduce(*contributions)` over blocks of nodes: O(modes) memory at any number."""

        @jax.checkpoint
        def of_block(block: Nodes) -> Any:
            return reduce(*self.contributions(states, parameters, block))

        size = max(1, BLOCK // states.shape[1])
        if len(nodes.weights) <= size:
            return of_block(nodes)
        blocks = in_blocks(nodes, size)
        shapes = jax.eval_shape(of_block, jax.tree.map(lambda leaf: leaf[0], blocks))
        start = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

        def add(total: Any, block: Nodes) -> tuple[Any, None]:
            return jax.tree.map(jnp.add, total, of_block(block)), None

        return jax.lax.scan(add, start, blocks)[0]


def in_blocks(nodes: Nodes, size: int) -> Nodes:
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
    if any(rate.has(Expectation) for rate in dynamics.rates):
        message = (
            f"Only closed dynamics can be compiled; those of {dynamics.loss.name!r} have open "
            "moments. Take them with `close` first."
        )
        raise OpenMoments(message)
    local, parts = sym.detach(sp.Tuple(*dynamics.rates), Average)
    rates = [substitute(rate, dynamics) for rate in local]
    integrands = [substitute(average.args[0], dynamics) for average in parts.values()]
    free = set().union(*(e.free_symbols for e in (*rates, *integrands, dynamics.predictor)))
    node_symbols = [s for s in NODE_SYMBOLS if s in free]
    known = {sym.time, *dynamics.states, *node_symbols, *parts, sym.modes}
    parameters = sorted(free - known, key=str)
    arguments = [*dynamics.states, *parameters, sym.modes]
    code = Code(
        rates=compile_expressions([sym.time, *arguments, *parts], rates),
        integrands=compile_expressions(
            [*arguments, *node_symbols], [*integrands, *map(_magnitude, integrands)]
        ),
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


def substitute(expression: sp.Expr, dynamics: ModeDynamics) -> sp.Expr:
    """Put in the definitions of auxiliary symbols and the predictor's eigenvalue."""
    for symbol, meaning in dynamics.definitions:
        expression = expression.xreplace({symbol: meaning})
    return expression.xreplace({sym.lam: dynamics.predictor})


def _magnitude(integrand: sp.Expr) -> sp.Expr:
    """Sum of the absolute values of an integrand's terms."""
    factors = sp.Mul.make_args(integrand)
    return sp.Mul(*[sp.Add(*map(sp.Abs, sp.Add.make_args(factor))) for factor in factors])


def compile_expressions(arguments: Sequence[sp.Symbol], expressions: Sequence[sp.Expr]) -> Callable:
    """Compile expressions over per-mode symbols to one function on arrays with modes last.

    A sum over modes becomes a sum over the last axis, so the code has the same size at any number
    of modes. No argument keeps its name, which users may have chosen.
    """
    modules = [dict(zip(REDUCTIONS, (_total, _maximum), strict=True)), "jax"]
    return sp.lambdify(list(arguments), list(expressions), modules, dummify=True, cse=True)
