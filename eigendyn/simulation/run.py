"""Choose engine and nodes, and follow the mode dynamics from one spectrum."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import NoClosedForm, NoProgram
from eigendyn.program import Program
from eigendyn.program.averaging import NO_NODES, Nodes
from eigendyn.results.events import (
    CLOSER,
    FEWEST,
    INTERVALS,
    Course,
    course,
    watched,
    watched_steps,
)
from eigendyn.results.trajectory import Trajectory, at_times
from eigendyn.settings.run_settings import MOST_IMPLICIT, Settings
from eigendyn.simulation.equations import Equations
from eigendyn.simulation.nodes import (
    FAINT,
    Fit,
    draw_samples,
    fit_nodes,
    judge_nodes,
    relative_error,
    standard_error,
)
from eigendyn.simulation.still import moving_modes, without_still_modes
from eigendyn.simulation.sunk import cannot_return, lifted, sunk_modes

if TYPE_CHECKING:
    from eigendyn.program.in_jax import VectorField

MARGIN = 0.01  # nodes are chosen more accurate than asked for, so that they seldom serve badly
REFITS = 4  # times that nodes are chosen anew when the trajectory leaves what they serve
WORST = 3  # of the states that nodes do not serve, those that new ones are chosen for
# Of the standard error; of the flow in JAX steps alone are accurate.
SAMPLED_SHARE = {"compiled": 1.0, "implicit": 1.0, "flow": 0.1}
COARSEST = 0.01  # standard error, relative, that the flow follows at most
CHECKPOINTS = 6  # states in which the closure is judged: so many evenly, so many geometrically
ROUND_OFF = 1e-15  # relative error of a closed form
FEW = 2**16  # numbers that a closed form gives sooner than it is compiled
FLOW_INTERVALS = 32  # in which the flow in JAX is watched, whose steps end at every such time …
FLOW_NUMBERS = 2**15  # … or fewer, so that their states are no more numbers than this

SERVED = ("completed", "closure-inaccurate")  # how a run ends with which an engine served
QUICK = 2 * 10**7  # modes × nodes × steps that take a second or two, before another engine is tried
TYPICAL_NODES = 500

Engine = Callable[[Nodes], Trajectory]


def run(
    system: Equations, spectrum: NDArray, progress: bool = False
) -> tuple[Fit, Trajectory, Course, str]:
    """Pick the engine, choose the nodes, and run.

    Args:
        system: The equations, with the settings that they follow from.
        spectrum: Initial variances (modes,).
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
    start = starting_states(program, spectrum, chosen).astype(chosen.dtype)
    shown, eta = saved_steps(chosen), chosen.learning_rate
    seen = watched(chosen.steps, start.size)
    steps = np.union1d(shown, seen)
    solved = _closed_form(system, start, steps, parameters)
    if solved is not None:

        def solve(states: NDArray, some: NDArray) -> Trajectory:
            return _closed_form(system, states, some, parameters) or solved

        few = start.size * len(steps) <= FEW  # as many times as before: no code is compiled anew
        closer = len(steps) if few else CLOSER
        way = course(
            solved,
            eta * seen,
            eta,
            solve,
            closer=closer,
            rtol=ROUND_OFF,
            of_shares=system.scale_free,
        )
        return Fit(), at_times(solved, eta * shown), way, "closed-form"
    best, visited = None, _first_visited(program, start)
    for method, is_quick in _attempts(chosen, start, program):
        found = _attempt(system, start, parameters, method, is_quick, visited, progress)
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


def _attempts(chosen: Settings, start: NDArray, program: Program) -> list[tuple[str, bool]]:
    """Engines to try one after the other, and whether each may take few adaptive steps only.

    Explicit steps are the fastest, if few of them are needed. Where that is not so, an implicit
    engine is tried before many more of them are.
    """
    if chosen.method != "auto":
        return [(chosen.method, False)]
    if chosen.device == "cuda" or chosen.solver == "stiff" or chosen.dtype == "float32":
        return [("flow", False)]
    numbers = len(start) * len(moving_modes(program, start).some)
    if numbers > MOST_IMPLICIT:
        return [("compiled", False)]
    few = quick_steps(numbers, TYPICAL_NODES if program.node_names else 1)
    has_corners = program.closure == "sampled"  # where implicit steps are no larger
    if few >= chosen.max_solver_steps or has_corners:
        return [("compiled", False), ("implicit", False)]
    return [("compiled", True), ("implicit", False), ("compiled", False)]


def quick_steps(numbers: int, nodes: int) -> int:
    """Explicit steps of states × modes numbers that take a second or so."""
    return max(1, QUICK // numbers // nodes)


def _attempt(
    system: Equations,
    start: NDArray,
    parameters: dict[str, float],
    method: str,
    is_quick: bool,
    visited: NDArray,
    progress: bool,
) -> _Attempt:
    """Choose the nodes for one engine, to serve states visited before too, and run it."""
    chosen, program = system.chosen, system.program
    seen = watched(chosen.steps, start.size)
    if method == "flow":
        intervals = max(FEWEST, min(FLOW_INTERVALS, FLOW_NUMBERS // start.size))
        seen = watched(chosen.steps, start.size, intervals)
    elif method == "steps":
        seen = watched_steps(chosen.steps, start.size)
    steps = np.union1d(saved_steps(chosen), seen)
    if program.closure == "sampled":
        samples = draw_samples(program, start.shape[1], chosen.samples, chosen.seed)
        rtol = _sampled_rtol(program, samples, start, parameters, chosen, method)
        system = replace(system, chosen=replace(chosen, rtol=rtol))
        trajectory = ENGINES[method](system, start, steps, parameters, progress)(samples)
        error = standard_error(program, samples, _checkpoints(trajectory)[1], parameters)
        fit = Fit(samples, error, rtol=rtol)
        rtol = rtol if method in SAMPLED_SHARE else None
    else:
        moving = moving_modes(program, start).some

        def engine(nodes: Nodes) -> Trajectory:
            most = chosen.max_solver_steps
            if is_quick:
                most = min(most, quick_steps(moving.size * len(start), max(1, len(nodes.weights))))
            limited = replace(system, chosen=replace(chosen, max_solver_steps=most))
            return ENGINES[method](limited, start, steps, parameters, progress)(nodes)

        if program.closure == "mean field":
            fit, trajectory = Fit(error=math.nan), engine(NO_NODES)
        else:
            fit, trajectory, visited = _with_nodes(
                program, visited, moving, parameters, chosen, engine
            )
        rtol = None if method == "steps" else chosen.tolerances[0]

    def again(states: NDArray, some: NDArray) -> Trajectory:
        compiled = "compiled" if method == "flow" else method  # which needs no JAX to be compiled
        try:
            return ENGINES[compiled](system, states, some, parameters, False)(fit.nodes)
        except NoProgram:
            return ENGINES[method](system, states, some, parameters, False)(fit.nodes)

    return _Attempt(fit, trajectory, seen, again, rtol, visited, method)


def starting_states(system: Program | VectorField, spectrum: NDArray, chosen: Settings) -> NDArray:
    """States (states, modes) at the start, from the variances (modes,).

    A target begins as its encoder, a running correlation as that of the first view, a learned
    predictor as a multiple of the identity, and nothing moves.
    """
    starts = {
        "singular_value": np.sqrt(spectrum),
        "target_value": np.sqrt(spectrum),
        "correlation_value": (1 + chosen.sigma1**2) * spectrum,
        "predictor_value": np.full_like(spectrum, chosen.predictor_start),
    }
    return np.stack([starts.get(name, np.zeros_like(spectrum)) for name in system.states])


def field_parameters(
    system: Program | VectorField, chosen: Settings, numbers: Mapping[str, float]
) -> dict[str, float]:
    """Take the numbers that dynamics need: the loss's own, and settings of the same names."""
    return {
        name: float(numbers[name] if name in numbers else getattr(chosen, name))
        for name in system.parameters
    }


def saved_steps(chosen: Settings) -> NDArray:
    """Numbers of the steps to save (times,)."""
    return np.unique(np.linspace(0, chosen.steps, chosen.saves).round().astype(int))


def on_device(name: str) -> AbstractContextManager:
    """JAX works on that device while the context lasts."""
    import jax

    from eigendyn.settings.device import find_device

    return jax.default_device(find_device(name))


def _closed_form(
    system: Equations, start: NDArray, steps: NDArray, parameters: Mapping[str, float]
) -> Trajectory | None:
    """The exact solution, if it is wanted and there is one."""
    chosen = system.chosen
    if chosen.method not in ("auto", "closed-form"):
        return None
    if chosen.method == "auto" and system.program.is_coupled:
        return None
    from eigendyn.simulation.engines.closed_form.closed_form import closed_form

    times = chosen.learning_rate * steps
    with on_device(chosen.device):
        try:
            found = closed_form(system.dynamics, start[0] ** 2, times, parameters)
            found.values[..., 0] = start  # not rounded twice
            return found
        except NoClosedForm:
            if chosen.method == "closed-form":
                raise
    return None


@without_still_modes
def _compiled(
    system: Equations,
    start: NDArray,
    steps: NDArray,
    parameters: Mapping[str, float],
    _progress: bool,
) -> Engine:
    from eigendyn.simulation.engines.lanes.flow import compiled_flow

    chosen = system.chosen
    rtol, atol = chosen.tolerances
    options = {"rtol": rtol, "atol": atol, "max_steps": chosen.max_solver_steps}
    times = chosen.learning_rate * steps
    return lambda nodes: compiled_flow(system.program, nodes, start, times, parameters, **options)


@without_still_modes
def _implicit(
    system: Equations,
    start: NDArray,
    steps: NDArray,
    parameters: Mapping[str, float],
    _progress: bool,
) -> Engine:
    from eigendyn.simulation.engines.implicit.lsoda import implicit_flow

    chosen = system.chosen
    rtol, atol = chosen.tolerances
    options = {"rtol": rtol, "atol": atol, "max_steps": chosen.max_solver_steps}
    times = chosen.learning_rate * steps
    return lambda nodes: implicit_flow(system.program, nodes, start, times, parameters, **options)


@without_still_modes
def _flow(
    system: Equations,
    start: NDArray,
    steps: NDArray,
    parameters: Mapping[str, float],
    progress: bool,
) -> Engine:
    from eigendyn.simulation.engines.in_jax.flow import gradient_flow

    chosen, field = system.chosen, system.field
    rtol, atol = chosen.tolerances

    def flow(nodes: Nodes) -> Trajectory:
        with on_device(chosen.device):
            return gradient_flow(
                replace(field, nodes=in_precision(nodes, chosen.dtype)),
                start,
                chosen.learning_rate * steps,
                parameters,
                solver=chosen.solver,
                rtol=rtol,
                atol=atol,
                max_steps=chosen.max_solver_steps,
                progress=progress,
            )

    return flow


@without_still_modes
def _descent(
    system: Equations,
    start: NDArray,
    steps: NDArray,
    parameters: Mapping[str, float],
    progress: bool,
) -> Engine:
    from tqdm.auto import tqdm

    from eigendyn.simulation.engines.in_jax.steps import descent_steps

    chosen, field = system.chosen, system.field

    def descend(nodes: Nodes) -> Trajectory:
        served = replace(field, nodes=in_precision(nodes, chosen.dtype))
        numbers = steps.astype(int)
        with (
            on_device(chosen.device),
            tqdm(total=chosen.steps, unit="step", disable=not progress) as bar,
        ):
            return descent_steps(
                served,
                start,
                numbers,
                chosen.learning_rate,
                parameters,
                bar.update,
                chosen.correlation_order,
            )

    return descend


ENGINES = {"compiled": _compiled, "implicit": _implicit, "flow": _flow, "steps": _descent}


def in_precision(nodes: Nodes, dtype: str) -> Nodes:
    """Convert nodes to a floating-point type."""
    return nodes.in_precision(dtype)


def _sampled_rtol(
    program: Program,
    samples: Nodes,
    start: NDArray,
    parameters: dict,
    chosen: Settings,
    method: str,
) -> float | None:
    """Relative error of the flow that a draw of samples deserves; None leaves it as it is.

    It is the standard error over the largest moment at the start. A loss with corners makes a
    sampled field that jumps wherever a sample passes one, so that steps shrink in proportion to
    what is asked for.
    """
    if method not in SAMPLED_SHARE or chosen.rtol is not None:
        return chosen.rtol
    relative = relative_error(program, samples, start[None], parameters)
    return max(chosen.tolerances[0], SAMPLED_SHARE[method] * min(relative, COARSEST))


def _first_visited(program: Program, start: NDArray) -> NDArray:
    """States that nodes are chosen for first: the start, and what most runs relax to."""
    start = start[:, moving_modes(program, start).some]
    equal = np.broadcast_to(np.sqrt(np.mean(start**2, axis=1, keepdims=True)), start.shape)
    return np.stack([start, equal]).astype(float)


def _with_nodes(
    program: Program,
    visited: NDArray,
    moving: NDArray,
    parameters: dict,
    chosen: Settings,
    engine: Engine,
) -> tuple[Fit, Trajectory, NDArray]:
    """Run with nodes that serve the whole trajectory, and measure the closure's error along it.

    Nodes are chosen for the states visited; if the trajectory leaves the spectra that they serve,
    they are chosen anew for the worst served of what it visited too. A trajectory that ran out of
    steps is left to the next engine, with the states that it visited.
    """
    accuracy = max(chosen.closure_accuracy, 10 * float(np.finfo(chosen.dtype).eps))
    refits = 0
    while True:
        fit = fit_nodes(program, visited, parameters, MARGIN * accuracy)
        trajectory = engine(fit.nodes)
        can_serve = fit.reached
        fit, passed = _judged(program, fit, trajectory, moving, parameters, chosen, accuracy)
        if fit.reached or not can_serve or refits == REFITS:
            break
        worst = np.argsort(fit.excess)[-WORST:]
        visited = np.concatenate([visited, passed[worst]])
        if trajectory.status == "out-of-steps":
            break
        refits += 1
    if not fit.reached and trajectory.status == "completed":
        message = (
            f"The quadrature errs by {fit.error:.1e} in E[z·δ], or by more than the share "
            f"{accuracy:g} that --closure-accuracy allows in that of a small mode. Try a larger "
            "one, fewer --steps, or variances that are less far apart."
        )
        trajectory = replace(trajectory, status="closure-inaccurate", message=message)
    return fit, trajectory, visited


def _judged(
    program: Program,
    fit: Fit,
    trajectory: Trajectory,
    moving: NDArray,
    parameters: dict,
    chosen: Settings,
    accuracy: float,
) -> tuple[Fit, NDArray]:
    """Judge nodes where a trajectory passed; modes that have sunk for good count as larger."""
    times, passed = _checkpoints(trajectory)
    passed, atol = passed[..., moving], chosen.tolerances[1]
    sunk = sunk_modes(passed, atol)
    while True:
        counted = lifted(program, passed, sunk, atol)
        fit = judge_nodes(program, fit, counted, parameters, accuracy, chosen.dtype)
        if not (fit.reached and sunk.any()):
            return fit, counted
        for_good = cannot_return(program, counted, sunk, parameters, fit.nodes, times)
        if (for_good == sunk).all():
            return fit, counted
        sunk = for_good


def _checkpoints(trajectory: Trajectory) -> tuple[NDArray, NDArray]:
    """A few of the times, and the states there (points, states, modes), whatever was saved."""
    times = trajectory.times
    early = (np.geomspace(1, 1 + INTERVALS, CHECKPOINTS) - 1).round()
    wanted = np.union1d(early, np.linspace(0, INTERVALS, CHECKPOINTS).round()) / INTERVALS
    picked = np.unique(np.searchsorted(times, times[-1] * wanted * (1 - 1e-12)))
    passed = np.moveaxis(trajectory.values[..., picked], -1, 0).astype(float)
    largest = np.abs(passed[:, 0]).max(axis=1)
    seen = largest >= min(FAINT, largest[0])
    return times[picked][seen], passed[seen]
