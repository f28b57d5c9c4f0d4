"""Evaluate a loss written as text on a batch in its eigenbasis.

An evaluator of its own: it shares nothing with the symbolic side but Python's parser, so that both
sides of a comparison cannot misread a text together. It computes with arrays as it walks the
parser's tree, knows the few words of `OVER_MODES`, `FUNCTIONS` and `OPERATIONS`, and refuses all
others.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jax import Array

import eigendyn.settings.precision  # noqa: F401
from eigendyn.errors import InvalidExpression


def _sum(values: Array) -> Array:
    return jnp.sum(values, axis=0, keepdims=True)


def _norm(values: Array) -> Array:
    return jnp.sqrt(_sum(values**2))


OVER_MODES: Mapping[str, Callable[[Array], Array]] = MappingProxyType({"sum": _sum, "norm": _norm})
FUNCTIONS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"sg": jax.lax.stop_gradient, "sqrt": jnp.sqrt}
)
OPERATIONS: Mapping[type, Callable] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.Pow: operator.pow,
        ast.USub: operator.neg,
        ast.UAdd: operator.pos,
    }
)


def written_losses(
    text: str, parameters: Mapping[str, float], z1: Array, z2: Array, eigenvalues: Array
) -> Array:
    """Loss of every sample.

    Args:
        text: The loss, in z1, z2, lam, its parameters, sums and norms over modes, and `FUNCTIONS`.
        parameters: Numbers by the names that the text uses for them.
        z1: Representations of the first view in the predictor's eigenbasis (modes, samples).
        z2: Those of the second (modes, samples).
        eigenvalues: λ (modes,).

    Returns:
        Losses (samples,).

    Raises:
        InvalidExpression: The text has anything else in it.
    """
    modes = jnp.ones_like(z1)
    letters = {name: jnp.asarray(value, z1.dtype) for name, value in parameters.items()}
    letters |= {"z1": z1, "z2": z2, "lam": eigenvalues[:, None] * modes}

    def evaluate(node: ast.expr) -> Array | float:
        match node:
            case ast.Constant(value=int() | float() as number):
                return number
            case ast.Name(id=name) if name in letters:
                return letters[name]
            case ast.UnaryOp(op=sign, operand=operand) if type(sign) in OPERATIONS:
                return OPERATIONS[type(sign)](evaluate(operand))
            case ast.BinOp(left=left, op=operation, right=right) if type(operation) in OPERATIONS:
                return OPERATIONS[type(operation)](evaluate(left), evaluate(right))
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if (
                name in OVER_MODES
            ):
                return OVER_MODES[name](evaluate(argument) * modes)  # sum(1) counts the modes
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if (
                name in FUNCTIONS
            ):
                return FUNCTIONS[name](jnp.asarray(evaluate(argument), z1.dtype))
        message = f"A network cannot read {ast.unparse(node)[:40]!r} in the loss {text[:60]!r}."
        raise InvalidExpression(message)

    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        message = f"A network's loss must be a name or an expression, not {text[:60]!r}."
        raise InvalidExpression(message) from error
    return jnp.broadcast_to(evaluate(tree.body), modes[:1].shape)[0]
