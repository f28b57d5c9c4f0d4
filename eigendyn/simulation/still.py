"""Leave out modes that cannot move, and put them back beside those that can.

A mode without variance stays without: its representation is zero, and so is its gradient. All such
modes do the same, whatever their other states do meanwhile (a learned predictor decays), so one of
them tells what becomes of the rest. That holds where they are silent: no sum over modes, product or
maximum must feel how many there are. It is found out from the program, by evaluating it once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eigendyn.program import REDUCTIONS, Program
from eigendyn.program.averaging import Nodes
from eigendyn.program.in_numpy import at_one_node
from eigendyn.results.trajectory import Trajectory, of_modes
from eigendyn.settings.states import DEGREES
from eigendyn.simulation.engines.task import Follow, OneRun, load_engine

MODES = 3  # in the state that a program is evaluated in; the last one has no variance


@dataclass(frozen=True)
class Moving:
    """Modes that are worked on.

    Args:
        some: Their numbers: all that can move, and one of those that cannot.
        place: For every mode, its place among these (modes,).
    """

    some: NDArray
    place: NDArray


def moving_modes(program: Program, start: NDArray) -> Moving:
    """Find the modes of a start (states, modes) that are worth work."""
    modes = start.shape[1]
    still = np.flatnonzero(start[0] == 0)
    alike = bool(len(still) > 1 and (start[:, still] == start[:, still[:1]]).all())
    if not alike or not _are_silent(program):
        return Moving(np.arange(modes), np.arange(modes))
    some = np.setdiff1d(np.arange(modes), still[1:])
    place = np.searchsorted(some, np.arange(modes))
    place[still] = np.searchsorted(some, still[0])
    return Moving(some, place)


def follower(method: str, run: OneRun) -> Follow:
    """Let an engine work on the modes that can move alone."""
    moving = moving_modes(run.system.program, run.start)
    own = of_modes(run.parameters, moving.some)
    some = replace(run, start=run.start[:, moving.some], parameters=own)
    follow = load_engine(method).follow_one(some)
    if len(moving.some) == run.start.shape[1]:
        return follow

    def follow_moving(nodes: Nodes) -> Trajectory:
        found = follow(nodes.of_modes(moving.some))
        return replace(found, values=found.values[:, moving.place])

    return follow_moving


@lru_cache(maxsize=64)
def _are_silent(program: Program) -> bool:
    """Whether modes without variance stay so, and change nothing for others, however many."""
    rng = np.random.default_rng(0)
    parameters = {name: rng.uniform(0.2, 0.9) for name in program.parameters}
    states = rng.uniform(0.5, 1.5, (len(program.states), MODES))
    needed = program.needed(program.rates)
    if any(program.operations[place].kind == "modes" for place in needed):
        return False
    stays = np.array([name in DEGREES for name in program.states])  # that begin at zero
    while True:
        states[stays, -1] = 0
        values = at_one_node(program, states, parameters, rng)
        rates = [np.broadcast_to(values[place].T, (1, MODES))[0, -1] for place in program.rates]
        moves = stays & (np.array(rates) != 0)
        if not moves.any():
            break
        stays &= ~moves
    return bool(stays[0]) and all(
        _is_deaf(program.operations[place].kind, values[program.operations[place].operands[0]])
        for place in needed
        if program.operations[place].kind in REDUCTIONS
    )


def _is_deaf(kind: str, reduced: NDArray) -> bool:
    """Whether a reduction over modes does not feel the last one."""
    *others, last = np.broadcast_to(reduced, (MODES, 1)).ravel()
    if kind == "maximum":
        return last == 0 and min(others) > 0
    return last == (1 if kind == "product" else 0)
