"""Choose engine and nodes, and follow the mode dynamics from one spectrum."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import NoClosedForm, NoProgram
from eigendyn.program import Program
from eigendyn.program.averaging import NO_NODES, Nodes
from eigendyn.results.events import (
    CLOSER,
    FEWEST,
    Course,
    course,
    watched,
    watched_steps,
)
from eigendyn.results.trajectory import Trajectory, at_times, of_modes
from eigendyn.settings.run_settings import MOST_IMPLICIT, Settings
from eigendyn.simulation.engines.task import OneRun, load_engine
from eigendyn.simulation.equations import Equations
from eigendyn.simulation.initial import field_parameters, saved_steps
from eigendyn.simulation.nodes import Fit
from eigendyn.simulation.onward import Begin
from eigendyn.simulation.samples import draw_samples, standard_error
from eigendyn.simulation.serving import (
    SAMPLED_SHARE,
    checkpoints,
    first_visited,
    sampled_rtol,
    with_nodes,
)
from eigendyn.simulation.still import follower, moving_modes

ROUND_OFF = 1e-15  # relative error of a closed form
FLOW_INTERVALS = 32  # in which the flow in JAX is watched, whose steps end at every such time …
FLOW_NUMBERS = 2**15  # … or fewer, so that their states are no more numbers than this

SERVED = ("completed", "closure-inaccurate")  # how a run ends with which an engine served
QUICK = 2 * 10**7  # modes × nodes × steps that take a second or two, before another engine is tried
PATIENT = 10  # times as many, if that one cannot show its accuracy
TYPICAL_NODES = 500


def run(
    system: Equations, begin: Begin, progress: bool = False
) -> tuple[Fit, Trajectory, Course, str]:
    """Pick the engine, choose the nodes, and run.

    Args:
        system: The equations, with the settings that they follow from.
        begin: First states, and where nodes are chosen for.
        progress: Show a progress bar on standard error.

    Returns:
        The nodes and the closure's error along the trajectory; the trajectory at the saved times;
        what its modes did, whatever was saved; the name of the engine.

    Raises:
        NoClosedForm: The closed form was asked for, and there is none.
        DeviceUnavailable: There is no such device here.
    """
    chosen, program = system.chosen, system.program
    parameters = field_parameters(program, chosen, system.numbers)
    start = begin.states.astype(chosen.dtype)
    shown, eta = saved_steps(chosen, begin.step), chosen.learning_rate
    seen = begin.step + watched(chosen.steps - begin.step, start.size)
    steps = np.union1d(shown, seen)
    solved = _exact_solution(OneRun(system, start, steps, parameters))
    if solved is not None:

        def solve(states: NDArray, some: NDArray) -> Trajectory:
            return _exact_solution(OneRun(system, states, some, parameters)) or solved

        way = course(
            solved,
            eta * seen,
            eta,
            solve,
            closer=CLOSER,
            rtol=ROUND_OFF,
            of_shares=system.scale_free,
        )
        return Fit(), at_times(solved, eta * shown), way, "closed-form"
    best, visited = None, first_visited(program, begin.served.astype(chosen.dtype))
    for method, quick in _attempts(chosen, start, program):
        found = _attempt(system, begin, parameters, method, quick, visited, progress)
        visited = found.visited
        if best is None or len(found.trajectory.times) > len(best.trajectory.times):
            best = found
        if found.trajectory.status in SERVED:
            best = found
            break
    assert best is not None
    way = course(
        best.trajectory,
        eta * best.seen,
        eta,
        best.again,
        closer=CLOSER,
        rtol=best.rtol,
        of_shares=system.scale_free,
    )
    return best.fit, at_times(best.trajectory, eta * shown), way, best.method


def _exact_solution(run: OneRun) -> Trajectory | None:
    """The exact solution, if it is wanted and there is one."""
    method = run.chosen.method
    if method not in ("auto", "closed-form"):
        return None
    if method == "auto" and (run.system.program.is_coupled or run.chosen.device == "cuda"):
        return None
    try:
        return load_engine("closed-form").follow_one(run)(NO_NODES)
    except NoClosedForm:
        if method == "closed-form":
            raise
    return None


@dataclass(frozen=True)
class _Attempt:
    """What one engine found.

    Args:
        fit: The nodes, and the closure's error along the trajectory.
        trajectory: At the saved steps, and those at which it is watched.
        seen: Numbers of the latter.
        again: Follows states from one of the steps to others.
        rtol: Relative error allowed to the states; None for steps of descent.
        visited: States that nodes must serve (points, states, modes that move).
        method: Name of the engine.
    """

    fit: Fit
    trajectory: Trajectory
    seen: NDArray
    again: Callable[[NDArray, NDArray], Trajectory]
    rtol: float | None
    visited: NDArray
    method: str


def _attempts(chosen: Settings, start: NDArray, program: Program) -> list[tuple[str, float]]:
    """Engines to try one after the other, and how many times `QUICK` each may take.

    Explicit steps are the fastest, if few of them are needed. Where that is not so, an implicit
    engine is tried before more of them are.
    """
    if chosen.takes_steps:
        return [("steps", math.inf)]
    if chosen.method != "auto":
        return [(chosen.method, math.inf)]
    if chosen.device == "cuda" or chosen.solver == "stiff" or chosen.dtype == "float32":
        return [("flow", math.inf)]
    numbers = len(start) * len(moving_modes(program, start).some)
    if numbers > MOST_IMPLICIT:
        return [("compiled", math.inf)]
    few = quick_steps(numbers, TYPICAL_NODES if program.node_names else 1)
    has_corners = program.closure == "sampled"  # where implicit steps are no larger
    if few >= chosen.max_solver_steps or has_corners:
        return [("compiled", math.inf), ("implicit", math.inf)]
    return [("compiled", 1), ("implicit", math.inf), ("compiled", PATIENT)]


def quick_steps(numbers: int, nodes: int, quick: float = 1) -> int:
    """Explicit steps of states × modes numbers that take so many times a second or two."""
    return max(1, int(quick * QUICK) // numbers // nodes)


def _attempt(
    system: Equations,
    begin: Begin,
    parameters: dict[str, float],
    method: str,
    quick: float,
    visited: NDArray,
    progress: bool,
) -> _Attempt:
    """Choose the nodes for one engine, to serve states visited before too, and run it."""
    chosen, program = system.chosen, system.program
    start, count = begin.states.astype(chosen.dtype), chosen.steps - begin.step
    seen = watched(count, start.size)
    if method == "flow":
        intervals = max(FEWEST, min(FLOW_INTERVALS, FLOW_NUMBERS // start.size))
        seen = watched(count, start.size, intervals)
    elif method == "steps":
        seen = watched_steps(count, start.size)
    seen = begin.step + seen
    steps = np.union1d(saved_steps(chosen, begin.step), seen)
    if program.closure == "sampled":
        samples = draw_samples(program, start.shape[1], chosen.samples, chosen.seed)
        rtol = sampled_rtol(program, samples, start, parameters, chosen, method)
        system = replace(system, chosen=replace(chosen, rtol=rtol))
        trajectory = follower(method, OneRun(system, start, steps, parameters, progress))(samples)
        error = standard_error(program, samples, checkpoints(trajectory)[1], parameters)
        fit = Fit(samples, error, rtol=rtol)
        rtol = rtol if method in SAMPLED_SHARE else None
    else:
        moving = moving_modes(program, start).some
        own = of_modes(parameters, moving)

        def engine(nodes: Nodes) -> Trajectory:
            most = chosen.max_solver_steps
            if math.isfinite(quick):
                averaged = max(1, len(nodes.weights))
                most = min(most, quick_steps(moving.size * len(start), averaged, quick))
            limited = replace(system, chosen=replace(chosen, max_solver_steps=most))
            return follower(method, OneRun(limited, start, steps, parameters, progress))(nodes)

        if program.closure == "mean field":
            fit, trajectory = Fit(error=math.nan), engine(NO_NODES)
        else:
            fit, trajectory, visited = with_nodes(program, visited, moving, own, chosen, engine)
        rtol = None if method == "steps" else chosen.tolerances[0]

    def again(states: NDArray, some: NDArray) -> Trajectory:
        compiled = "compiled" if method == "flow" else method  # which needs no JAX to be compiled
        stretch = OneRun(system, states, some, parameters)
        try:
            return follower(compiled, stretch)(fit.nodes)
        except NoProgram:
            return follower(method, stretch)(fit.nodes)

    return _Attempt(fit, trajectory, seen, again, rtol, visited, method)
