"""Run a named engine on a group of random problems."""

from __future__ import annotations

import numpy as np
from contract_problems import Group
from numpy.typing import NDArray
from peers import eigendyn_engine

import eigendyn
from eigendyn.program.derivation import program_of

LOCKSTEP = ("flow", "kernel")  # in which one slow problem holds up all of its group
FEWER_STEPS = 10_000  # after which they give up, as does any engine where averages are slow


class NotServed(Exception):
    """The engine does not do these dynamics."""


def solve(engine: str, group: Group, states: tuple[str, ...]) -> tuple[NDArray, NDArray]:
    """States (problems, states, modes, times), and whether each problem completed (problems,).

    Raises:
        NotServed: The engine does not do these dynamics, and said so.
    """
    try:
        found = eigendyn_engine.ensemble(
            group.variances,
            group.times,
            engine=engine,
            rtol=group.rtol,
            atol=group.atol,
            sweep={name: group.sweep[name] for name in _parameters(group) if name in group.sweep},
            **group.settings,
            **_accuracy(group),
            **_patience(engine, group),
        )
    except eigendyn.EigendynError as refusal:
        raise NotServed(str(refusal)) from refusal
    order = ("trajectory", "mode", "time")
    values = np.stack([found[name].transpose(*order).to_numpy() for name in states], axis=1)
    return values, found.status.to_numpy() == "completed"


def _parameters(group: Group) -> tuple[str, ...]:
    """What the dynamics depend on: without a second view's noise, say, that does nothing."""
    return program_of(group.dynamics()).parameters


def _accuracy(group: Group) -> dict[str, float]:
    return {"closure_accuracy": max(0.1 * group.rtol, 1e-12)} if group.has_nodes else {}


def _patience(engine: str, group: Group) -> dict[str, int]:
    return {"max_solver_steps": FEWER_STEPS} if engine in LOCKSTEP or group.has_nodes else {}
