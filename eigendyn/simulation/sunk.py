"""Put modes that have sunk for good at the smallest size that matters, for choosing nodes.

A mode far below the absolute tolerance needs no accurate rate if all it does is sink; nodes that
gave it one would have to reach over as many decades as it sank. It cannot come back if it would
sink from the tolerance too, where the nodes do serve it. So it is judged there.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from eigendyn.program import Program
from eigendyn.program.averaging import Nodes
from eigendyn.program.in_numpy import rates
from eigendyn.settings.states import DEGREES


def sunk_modes(states: NDArray, atol: float) -> NDArray:
    """Where modes are below the tolerance, and stay there; one at zero cannot move.

    Args:
        states: States (points, states, modes) that a trajectory passed, in order.
        atol: Absolute error allowed in a singular value; of all smaller ones, that share of it.

    Returns:
        Which modes have sunk (points, modes).
    """
    size = np.abs(states[:, 0])
    return _from_then_on((size > 0) & (size < _least(states, atol)))


def lifted(program: Program, states: NDArray, sunk: NDArray, atol: float) -> NDArray:
    """States (points, states, modes) with sunk modes (points, modes) at the tolerance."""
    degrees = np.array([DEGREES.get(name, 0.0) for name in program.states])[:, None]
    least = _least(states, atol)[:, None] ** degrees
    raised = np.copysign(np.maximum(np.abs(states), least), states)
    rests = np.array([moved is not None for moved in program.moved])[:, None]
    there = np.where(rests, 0.0, np.where(degrees > 0, raised, states))
    return np.where(sunk[:, None], there, states)


def cannot_return(
    program: Program,
    states: NDArray,
    sunk: NDArray,
    parameters: Mapping[str, float],
    nodes: Nodes,
    times: NDArray,
) -> NDArray:
    """Of the sunk modes (points, modes), those that sink from where `lifted` put them.

    Args:
        program: The right-hand side.
        states: Lifted states (points, states, modes).
        sunk: Which modes have sunk.
        parameters: One number for each of the program's parameters.
        nodes: Nodes that serve these states.
        times: Learning rate × step (points,).
    """
    found = rates(program, np.moveaxis(states, 0, -1), parameters, nodes, times)
    # With momentum, a mode at rest goes where its velocity does.
    driven = program.moved.index(0) if 0 in program.moved else 0
    return _from_then_on(sunk & (found[driven].T * np.sign(states[:, 0]) < 0))


def _least(states: NDArray, atol: float) -> NDArray:
    """The tolerance, as a column (points, 1)."""
    return atol * np.minimum(1.0, np.abs(states[:, 0]).max(axis=1, keepdims=True))


def _from_then_on(holds: NDArray) -> NDArray:
    """Where something holds, and does at all later points (points, modes)."""
    return np.logical_and.accumulate(holds[::-1], axis=0)[::-1]
