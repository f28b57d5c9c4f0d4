"""Closed dynamics, a spectrum and settings enter; the trajectory and what served it leave."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import jax
import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from eigendyn.compile import VectorField
from eigendyn.derive import ModeDynamics
from eigendyn.errors import NoClosedForm
from eigendyn.integrate.closed_form import closed_form
from eigendyn.integrate.flow import gradient_flow
from eigendyn.integrate.steps import descent_steps
from eigendyn.losses import SymbolicLoss
from eigendyn.nodes import Fit, draw_samples, fit_nodes, judge_nodes, standard_error
from eigendyn.settings import Settings
from eigendyn.trajectory import Trajectory

MARGIN = 0.01  # nodes are chosen more accurate than asked for, so that they seldom serve badly
REFITS = 4  # times that nodes are chosen anew when the trajectory leaves what they serve
WORST = 3  # of the states that nodes do not serve, those that new ones are chosen for
CHECKPOINTS = 6  # states in which the closure is judged: so many evenly, so many geometrically

Engine = Callable[[VectorField], Trajectory]


def run(
    dynamics: ModeDynamics,
    field: VectorField,
    spectrum: NDArray,
    chosen: Settings,
    progress: bool = False,
) -> tuple[Fit, Trajectory, str]:
    """Pick the engine, choose the nodes, and run.

    Args:
        dynamics: Closed dynamics.
        field: The same, compiled, without nodes.
        spectrum: Initial variances (modes,).
        chosen: What was asked for.
        progress: Show a progress bar on standard error.

    Returns:
        The field with its nodes and the closure's error along the trajectory; the trajectory; the
        name of the engine.

    Raises:
        NoClosedForm: The closed form was asked for, and there is none.
    """
    parameters = field_parameters(field, chosen, dynamics.loss)
    steps = np.unique(np.linspace(0, chosen.steps, chosen.saves).round().astype(int))
    if chosen.method in ("auto", "closed-form"):
        try:
            trajectory = closed_form(
                dynamics, spectrum.astype(chosen.dtype), chosen.learning_rate * steps, parameters
            )
        except NoClosedForm:
            if chosen.method == "closed-form":
                raise
        else:
            return Fit(field), trajectory, "closed-form"
    start = starting_states(field, spectrum, chosen).astype(chosen.dtype)

    def flow(field: VectorField) -> Trajectory:
        return gradient_flow(
            field,
            start,
            chosen.learning_rate * steps,
            parameters,
            solver=chosen.solver,
            rtol=chosen.rtol,
            atol=chosen.atol,
            max_steps=chosen.max_solver_steps,
            progress=progress,
        )

    def descend(field: VectorField) -> Trajectory:
        with tqdm(total=chosen.steps, unit="step", disable=not progress) as bar:
            return descent_steps(field, start, steps, chosen.learning_rate, parameters, bar.update)

    method = "flow" if chosen.method == "auto" else chosen.method
    engine = flow if method == "flow" else descend
    if field.closure == "sampled":
        served = _with_samples(field, start, parameters, chosen, engine)
    elif field.closure == "mean field":
        served = Fit(field, math.nan), engine(field)
    else:
        served = _with_nodes(field, start, parameters, chosen, engine)
    return *served, method


def starting_states(field: VectorField, spectrum: NDArray, chosen: Settings) -> NDArray:
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
    return np.stack([starts.get(name, np.zeros_like(spectrum)) for name in field.states])


def field_parameters(field: VectorField, chosen: Settings, loss: SymbolicLoss) -> dict[str, float]:
    """Take the numbers that a field needs: the loss's own, and settings of the same names."""
    own = dict(loss.parameters)
    return {
        name: float(own[name] if name in own else getattr(chosen, name))
        for name in field.parameters
    }


def in_precision(field: VectorField, dtype: str) -> VectorField:
    """Convert a field's nodes to a floating-point type."""
    return jax.tree.map(lambda leaf: leaf.astype(dtype), field)


def _with_samples(
    field: VectorField, start: NDArray, parameters: dict, chosen: Settings, engine: Engine
) -> tuple[Fit, Trajectory]:
    """Run on one draw of samples, and measure their standard error along the trajectory."""
    sampled = draw_samples(field, start.shape[1], chosen.samples, chosen.seed)
    trajectory = engine(in_precision(sampled, chosen.dtype))
    error = standard_error(sampled, _checkpoints(trajectory), parameters)
    return Fit(sampled, error), trajectory


def _with_nodes(
    field: VectorField, start: NDArray, parameters: dict, chosen: Settings, engine: Engine
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
        fit = fit_nodes(field, visited, parameters, MARGIN * accuracy)
        trajectory = engine(in_precision(fit.field, chosen.dtype))
        passed = _checkpoints(trajectory)
        fit = judge_nodes(fit, passed, parameters, accuracy)
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
