"""A loss and a spectrum enter; the labelled dynamics of every mode leave. The verb of the library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm.auto import tqdm

from eigendyn import symbols as sym
from eigendyn.closure import close
from eigendyn.compile import VectorField, compile_expressions, compile_field
from eigendyn.conservation import conserved_quantities
from eigendyn.derive import ModeDynamics, mode_dynamics
from eigendyn.device import find_device
from eigendyn.errors import NoClosedForm
from eigendyn.integrate.closed_form import closed_form
from eigendyn.integrate.flow import gradient_flow
from eigendyn.integrate.steps import descent_steps
from eigendyn.losses import SymbolicLoss, named_loss
from eigendyn.nodes import Fit, draw_samples, fit_nodes, judge_nodes, standard_error
from eigendyn.result import dataset
from eigendyn.settings import Settings
from eigendyn.start import check_variances, published_variances
from eigendyn.trajectory import Trajectory

if TYPE_CHECKING:
    import xarray

REFITS = 4  # times that nodes are chosen anew when the trajectory leaves what they serve
CHECKPOINTS = 6  # evenly, and as many geometrically, spaced saved states in which the closure's error is measured

Engine = Callable[[VectorField], Trajectory]


def simulate(
    loss: str | SymbolicLoss = "cosine",
    variances: ArrayLike | None = None,
    *,
    progress: bool = False,
    **settings: Any,
) -> xarray.Dataset:
    r"""Follow the variance of every mode while a loss is descended.

    ds_m/dt = (E[z1_m δ1_m] + E[z2_m δ2_m])/s_m − ω s_m with v_m = s_m², λ_m = v_m^α.

    Args:
        loss: Name of a loss (see `choices.LOSS_NAMES`), or a loss of your own.
        variances: Initial variances (modes,), in any order; None takes the published start.
        progress: Show a progress bar on standard error.
        settings: Fields of `Settings`: which parts of the loss are on, predictor exponent,
            noises, weight decay, learning rate and steps, method, closure, accuracies, precision.

    Returns:
        Dataset over (mode, time), modes in input order, time = learning rate × step. Numerical
        failure is its attribute `status`, never an exception; the data then end where it happened.

    Raises:
        UnknownName: A loss, method, closure, … that does not exist.
        InvalidSetting: A number without meaning, or options that contradict each other.
        InvalidSpectrum: Variances that are not non-negative and finite, or all zero.
        NoClosedForm: The closed form was asked of dynamics that have none.
        NoExactClosure: The exact closure was asked of a loss that has none.
        DeviceUnavailable: There is no such device here.

    Source: Halvagal et al. 2023; the pages in derivations/ derive every equation.
    """
    chosen = Settings(loss=loss if isinstance(loss, str) else loss.name, **settings)
    symbolic = _named(chosen) if isinstance(loss, str) else loss
    spectrum = published_variances() if variances is None else check_variances(variances)
    with jax.default_device(find_device(chosen.device)):
        fit, trajectory, method = _run(symbolic, spectrum, chosen, progress)
        return _label(symbolic, fit, trajectory, method, chosen)


def _named(chosen: Settings) -> SymbolicLoss:
    return named_loss(
        chosen.loss,
        beta=chosen.beta,
        predictor=chosen.predictor,
        stop_gradient=chosen.stop_gradient,
    )


@lru_cache(maxsize=64)
def _compiled(
    loss: SymbolicLoss, alpha: float, closure: str
) -> tuple[ModeDynamics, VectorField]:
    dynamics = close(mode_dynamics(loss, alpha), closure)
    return dynamics, compile_field(dynamics)


def _run(
    loss: SymbolicLoss, spectrum: NDArray, chosen: Settings, progress: bool
) -> tuple[Fit, Trajectory, str]:
    """Pick the engine and the nodes, and run."""
    dynamics, field = _compiled(loss, chosen.alpha, chosen.closure)
    parameters = {name: float(getattr(chosen, name)) for name in field.parameters}
    steps = np.unique(np.linspace(0, chosen.steps, chosen.saves).round().astype(int))
    if chosen.method in ("auto", "closed-form"):
        try:
            times = chosen.learning_rate * steps
            trajectory = closed_form(dynamics, spectrum, times, parameters)
        except NoClosedForm:
            if chosen.method == "closed-form":
                raise
        else:
            return Fit(field), trajectory, "closed-form"
    start = np.sqrt(spectrum)[None].astype(chosen.dtype)  # (states, modes)
    method = "flow" if chosen.method == "auto" else chosen.method
    engine = _flow if method == "flow" else _steps
    run = partial(engine, start, steps, parameters, chosen, progress)
    return *_with_nodes(field, start, parameters, chosen, run), method


def _flow(
    start: NDArray,
    steps: NDArray,
    parameters: dict[str, float],
    chosen: Settings,
    progress: bool,
    field: VectorField,
) -> Trajectory:
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


def _steps(
    start: NDArray,
    steps: NDArray,
    parameters: dict[str, float],
    chosen: Settings,
    progress: bool,
    field: VectorField,
) -> Trajectory:
    with tqdm(total=chosen.steps, unit="step", disable=not progress) as bar:
        return descent_steps(field, start, steps, chosen.learning_rate, parameters, bar.update)


def _with_nodes(
    field: VectorField, start: NDArray, parameters: dict, chosen: Settings, run: Engine
) -> tuple[Fit, Trajectory]:
    """Run with nodes that serve the whole trajectory, and measure the closure's error along it.

    Nodes are chosen for the start; if the trajectory leaves the spectra that they serve, they are
    chosen anew for what it visited.
    """
    if field.closure == "sampled":
        sampled = draw_samples(field, start.shape[1], chosen.samples, chosen.seed)
        trajectory = run(_in_precision(sampled, chosen))
        error = standard_error(sampled, _checkpoints(trajectory), parameters)
        return Fit(sampled, error), trajectory
    visited = start[None].astype(float)
    for _ in range(REFITS):
        fit = fit_nodes(field, visited, parameters, chosen.closure_accuracy)
        trajectory = run(_in_precision(fit.field, chosen))
        passed = _checkpoints(trajectory)
        fit = judge_nodes(fit, passed, parameters, chosen.closure_accuracy)
        if fit.reached:
            return fit, trajectory
        visited = np.concatenate([visited, passed])
    message = (
        f"The quadrature errs by {fit.error:.1e}, more than --closure-accuracy "
        f"{chosen.closure_accuracy:g} allows. Try a larger one, or fewer --steps."
    )
    if trajectory.status == "completed":
        trajectory = replace(trajectory, status="closure-inaccurate", message=message)
    return fit, trajectory


def _checkpoints(trajectory: Trajectory) -> NDArray:
    """A few of the states that were visited (points, states, modes)."""
    saved = trajectory.values.shape[-1]
    early = np.geomspace(1, saved, CHECKPOINTS) - 1
    picked = np.union1d(early.round(), np.linspace(0, saved - 1, CHECKPOINTS).round()).astype(int)
    return np.moveaxis(trajectory.values[..., picked], -1, 0).astype(float)


def _in_precision(field: VectorField, chosen: Settings) -> VectorField:
    return jax.tree.map(lambda leaf: leaf.astype(chosen.dtype), field)
