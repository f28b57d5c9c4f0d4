"""A group of random problems and an engine's name enter; states and statuses leave."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from contract_problems import Group
from numpy.typing import NDArray
from peers import eigendyn_engine

import eigendyn

ENSEMBLES = ("compiled", "shifted", "kernel")
ENGINES = ("flow", *ENSEMBLES)
MOST_STEPS = 10_000  # of the flow, in which all problems of a group wait for the slowest


class NotServed(Exception):
    """The engine does not do these dynamics."""


def solve(engine: str, group: Group, states: tuple[str, ...]) -> tuple[NDArray, NDArray]:
    """States (problems, states, modes, times), and whether each problem completed (problems,).

    Raises:
        NotServed: The engine does not do these dynamics, and said so.
    """
    return _flow(group) if engine == "flow" else _ensemble(engine, group, states)


def available(engine: str) -> bool:
    """Whether this eigendyn has it."""
    return engine == "flow" or eigendyn_engine.is_installed()


def _ensemble(engine: str, group: Group, states: tuple[str, ...]) -> tuple[NDArray, NDArray]:
    try:
        found = eigendyn_engine.ensemble(
            group.variances,
            group.times,
            engine=engine,
            rtol=group.rtol,
            atol=group.atol,
            sweep=group.sweep,
            **group.settings,
            **_accuracy(group),
        )
    except eigendyn.EigendynError as refusal:
        raise NotServed(str(refusal)) from refusal
    order = ("trajectory", "mode", "time")
    values = np.stack([found[name].transpose(*order).to_numpy() for name in states], axis=1)
    return values, found.status.to_numpy() == "completed"


def _accuracy(group: Group) -> dict[str, float]:
    ratio = "cosine" in group.settings["loss"] and group.settings["closure"] == "exact"
    return {"closure_accuracy": max(0.1 * group.rtol, 1e-12)} if ratio else {}


def _flow(group: Group) -> tuple[NDArray, NDArray]:
    """The flow engine under vmap."""
    equal = np.broadcast_to(group.variances.mean(1, keepdims=True), group.variances.shape)
    settings = dict(group.settings)
    field, *_ = eigendyn.vector_field(
        settings.pop("loss"),
        np.concatenate([group.variances, equal]),
        **settings,
        **{name: float(values.max()) for name, values in group.sweep.items()},
        **_accuracy(group),
    )
    numbers = group.numbers()
    parameters = {name: numbers[name] for name in field.parameters}
    start = group.starts(field.states)
    values, completed = _vmapped()(field, start, group.times, parameters, group.rtol, group.atol)
    values = np.moveaxis(np.asarray(values), 1, -1).copy()
    values[..., 0] = start
    return values, np.asarray(completed) & np.isfinite(values).all((1, 2, 3))


@lru_cache
def _vmapped():
    import diffrax
    import jax

    def one(field, start, times, parameters, rtol, atol):
        solution = eigendyn.flow(
            field, start, times, parameters, rtol=rtol, atol=atol, max_steps=MOST_STEPS
        )
        return solution.ys, solution.result == diffrax.RESULTS.successful

    return jax.jit(jax.vmap(one, in_axes=(None, 0, None, 0, None, None)))
