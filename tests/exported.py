"""Run exported losses in their library, and evaluate the loss itself beside them."""

import importlib
import os
from functools import cache, partial
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from eigendyn.analysis.design import design_multiplier
from eigendyn.program.in_jax import compile_expressions
from eigendyn.settings.choices import LOSS_NAMES
from eigendyn.theory.derive import descent_directions
from eigendyn.theory.loss_text import parse_loss
from eigendyn.theory.losses import SymbolicLoss, named_loss
from eigendyn.theory.symbols import lam, loss_parameter, modes, release, z1, z2

LOSSES = {  # made where a test needs one: collecting tests takes no work
    **{
        f"{name}{'' if stop else ', no stop-gradient'}": partial(
            named_loss, name, stop_gradient=stop
        )
        for name, stop in product(LOSS_NAMES, (True, False))
    },
    "cosine, β = 1/2": partial(named_loss, "cosine", beta=0.5),
    "designed": lambda: design_multiplier("cosine", "1").loss,
}


@cache
def made(name, numbers=()) -> SymbolicLoss:
    """A loss of `LOSSES`, or a written one with its numbers (name, value)."""
    return LOSSES[name]() if name in LOSSES else parse_loss(name, dict(numbers))


@cache
def in_eigenbasis(loss):
    """Value and gradients of a loss in the eigenbasis, as a function of views, λ and numbers."""
    names = [loss_parameter(name) for name, _ in loss.parameters]
    gradients = [-delta for delta in descent_directions(loss)]
    return compile_expressions([z1, z2, lam, modes, *names], [release(loss.expression), *gradients])


def by_hand(loss, first, second, basis, eigenvalues):
    """Value and gradients from the expression in the eigenbasis, samples one by one."""
    numbers = [value for _, value in loss.parameters]
    views = first @ basis, second @ basis
    value, *slopes = in_eigenbasis(loss)(*views, eigenvalues, len(eigenvalues), *numbers)
    shape = (len(first), 1)
    means = [np.broadcast_to(s, first.shape) @ basis.T / len(first) for s in slopes]
    return np.broadcast_to(value, shape).mean(), means


def load(source):
    names = {}
    exec(compile(source, "exported", "exec"), names)
    functions = {key: f for key, f in names.items() if key.endswith(("_loss", "_gradient"))}
    loss = next(f for key, f in functions.items() if key.endswith("_loss"))
    gradient = next((f for key, f in functions.items() if key.endswith("_gradient")), None)
    return loss, gradient


def arguments(function, first, second, predictor):
    """What the function asks for, by its arguments' names."""
    known = {"p": first @ predictor, "z": second, "z1": first, "predictor": predictor}
    count = function.__code__.co_argcount
    return [known[name] for name in function.__code__.co_varnames[:count]]


def in_numpy(source, first, second, predictor):
    loss, gradient = load(source)
    found = gradient(*arguments(gradient, first, second, predictor))
    return loss(*arguments(loss, first, second, predictor)), found


@cache
def jitted(source):
    loss, _ = load(source)

    def of_views(one, other, predictor):
        return loss(*arguments(loss, one, other, jax.lax.stop_gradient(predictor)))

    return jax.jit(jax.value_and_grad(of_views, argnums=(0, 1)))


def in_jax(source, first, second, predictor):
    return jitted(source)(jnp.asarray(first), jnp.asarray(second), predictor)


def import_torch(name="torch"):
    """Import PyTorch, or a package around it, which `.ci/run` requires and others may lack."""
    required = "EIGENDYN_REQUIRE_TORCH" in os.environ
    return importlib.import_module(name) if required else pytest.importorskip(name)


def in_torch(source, first, second, predictor):
    torch = import_torch()
    loss, _ = load(source)
    one, other = (torch.tensor(view, requires_grad=True) for view in (first, second))
    value = loss(*arguments(loss, one, other, torch.tensor(predictor)))
    found = torch.autograd.grad(value, (one, other), allow_unused=True)
    return value.item(), [0 if g is None else g.numpy() for g in found]


RUN = {"numpy": in_numpy, "jax": in_jax, "torch": in_torch}
