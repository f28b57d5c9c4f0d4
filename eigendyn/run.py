"""Equations, a spectrum and settings enter; the trajectory and what served it leave."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigendyn.averaging import NO_NODES, Nodes
from eigendyn.equations import Equations
from eigendyn.errors import NoClosedForm
from eigendyn.nodes import Fit, draw_samples, fit_nodes, judge_nodes, standard_error
from eigendyn.program import Program
from eigendyn.settings import Settings
from eigendyn.trajectory import Trajectory

if TYPE_CHECKING:
    from eigendyn.compile import VectorField

MARGIN = 0.01  # nodes are chosen more accurate than asked for, so that they seldom serve badly
REFITS = 4  # times that nodes are chosen anew when the trajectory leaves what they serve
WORST = 3  # of the states that nodes do not serve, those that new ones are chosen for
CHECKPOINTS = 6  # states in which the closure is judged: so many evenly, so many geometrically

Engine = Callable[[Nodes], Trajectory]


def run(
    system: Equations, spectrum: NDArray, progress: bool = False
) -> tuple[Fit, Trajectory, str]:
    """Pick the engine, choose the nodes, and run.

    Args:
        system: The equations, with the settings that they follow from.
        spectrum: Initial variances (modes,).
        progress: Show a progress bar on standard error.

    Returns:
        The nodes and the closure's error along the trajectory; the trajectory; the name of the
        engine.

    Raises:
        NoClosedForm: The closed form was asked for, and there is none.
        DeviceUnavailable: There is no such device here.
    """
    chosen, program = system.chosen, system.program
    parameters = field_parameters(program, chosen, system.numbers)
    solved = _closed_form(system, spectrum, parameters)
    if solved is not None:
        return Fit(), solved, "closed-form"
    start = starting_states(program, spectrum, chosen).astype(chosen.dtype)
    method = chosen.method
    if method == "auto":
        needs_jax = chosen.device == "cuda" or chosen.solver == "stiff" or chosen.dtype == "float32"
        method = "flow" if needs_jax else "compiled"
    engines = {"compiled": _compiled, "flow": _flow, "steps": _descent}
    engine = engines[method](system, start, parameters, progress)
    if program.closure == "sampled":
        fit, trajectory = _with_samples(program, start, parameters, chosen, engine)
    elif program.closure == "mean field":
        fit, trajectory = Fit(error=math.nan), engine(NO_NODES)
    else:
        fit, trajectory = _with_nodes(program, start, parameters, chosen, engine)
    return fit, trajectory, method


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

    from eigendyn.device import find_device

    return jax.default_device(find_device(name))


def _closed_form(
    system: Equations, spectrum: NDArray, parameters: Mapping[str, float]
) -> Trajectory | None:
    """The exact solution, if it is wanted and there is one."""
    chosen = system.chosen
    if chosen.method not in ("auto", "closed-form"):
        return None
    if chosen.method == "auto" and system.program.is_coupled:
        return None
    from eigendyn.integrate.closed_form import closed_form

    times = chosen.learning_rate * saved_steps(chosen)
    with on_device(chosen.device):
        try:
            return closed_form(system.dynamics, spectrum.astype(chosen.dtype), times, parameters)
        except NoClosedForm:
            if chosen.method == "closed-form":
                raise
    return None


def _compiled(
    system: Equations, start: NDArray, parameters: Mapping[str, float], _progress: bool
) -> Engine:
    from eigendyn.integrate.compiled_flow import compiled_flow

    chosen = system.chosen
    assert chosen.rtol is not None and chosen.atol is not None
    options = {"rtol": chosen.rtol, "atol": chosen.atol, "max_steps": chosen.max_solver_steps}
    times = chosen.learning_rate * saved_steps(chosen)
    return lambda nodes: compiled_flow(system.program, nodes, start, times, parameters, **options)


def _flow(
    system: Equations, start: NDArray, parameters: Mapping[str, float], progress: bool
) -> Engine:
    from eigendyn.integrate.flow import gradient_flow

    chosen, field = system.chosen, system.field

    def flow(nodes: Nodes) -> Trajectory:
        with on_device(chosen.device):
            return gradient_flow(
                replace(field, nodes=in_precision(nodes, chosen.dtype)),
                start,
                chosen.learning_rate * saved_steps(chosen),
                parameters,
                solver=chosen.solver,
                rtol=chosen.rtol,
                atol=chosen.atol,
                max_steps=chosen.max_solver_steps,
                progress=progress,
            )

    return flow


def _descent(
    system: Equations, start: NDArray, parameters: Mapping[str, float], progress: bool
) -> Engine:
    from tqdm.auto import tqdm

    from eigendyn.integrate.steps import descent_steps

    chosen, field = system.chosen, system.field

    def descend(nodes: Nodes) -> Trajectory:
        served = replace(field, nodes=in_precision(nodes, chosen.dtype))
        steps = saved_steps(chosen)
        with (
            on_device(chosen.device),
            tqdm(total=chosen.steps, unit="step", disable=not progress) as bar,
        ):
            return descent_steps(
                served,
                start,
                steps,
                chosen.learning_rate,
                parameters,
                bar.update,
                chosen.correlation_order,
            )

    return descend


def in_precision(nodes: Nodes, dtype: str) -> Nodes:
    """Convert nodes to a floating-point type."""
    values = {name: np.asarray(value, dtype) for name, value in nodes.values.items()}
    return Nodes(np.asarray(nodes.weights, dtype), values)


def _with_samples(
    program: Program, start: NDArray, parameters: dict, chosen: Settings, engine: Engine
) -> tuple[Fit, Trajectory]:
    """Run on one draw of samples, and measure their standard error along the trajectory."""
    samples = draw_samples(program, start.shape[1], chosen.samples, chosen.seed)
    trajectory = engine(samples)
    error = standard_error(program, samples, _checkpoints(trajectory), parameters)
    return Fit(samples, error), trajectory


def _with_nodes(
    program: Program, start: NDArray, parameters: dict, chosen: Settings, engine: Engine
) -> tuple[Fit, Trajectory]:
    """Run with nodes that serve the whole trajectory, and measure the closure's error along it.

    Nodes are chosen for the start and for equal variances; if the trajectory leaves the spectra
    that they serve, they are chosen anew for the worst served of what it visited.
    """
    accuracy = max(chosen.closure_accuracy, 10 * float(np.finfo(chosen.dtype).eps))
    equal = np.broadcast_to(np.sqrt(np.mean(start**2, axis=1, keepdims=True)), start.shape)
    visited = np.stack([start, equal]).astype(float)  # most runs relax to equal variances
    refits = 0
    while True:
        fit = fit_nodes(program, visited, parameters, MARGIN * accuracy)
        trajectory = engine(fit.nodes)
        passed = _checkpoints(trajectory)
        fit = judge_nodes(program, fit, passed, parameters, accuracy)
        if fit.reached or refits == REFITS:
            break
        worst = np.argsort(fit.excess)[-WORST:]
        visited = np.concatenate([visited, passed[worst]])
        refits += 1
    if not fit.reached and trajectory.status == "completed":
        message = (
            f"The quadrature errs by {fit.error:.1e}, more than --closure-accuracy "
            f"{accuracy:g} allows. Try a larger one, or fewer --steps."
        )
        trajectory = replace(trajectory, status="closure-inaccurate", message=message)
    return fit, trajectory


def _checkpoints(trajectory: Trajectory) -> NDArray:
    """A few of the states that were visited (points, states, modes)."""
    saved = trajectory.values.shape[-1]
    early = np.geomspace(1, saved, CHECKPOINTS) - 1
    picked = np.union1d(early.round(), np.linspace(0, saved - 1, CHECKPOINTS).round()).astype(int)
    return np.moveaxis(trajectory.values[..., picked], -1, 0).astype(float)
