"""A loss and a spectrum enter; the labelled dynamics of every mode leave."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace
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
from eigendyn.errors import InvalidSetting, NoClosedForm
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

MARGIN = 0.01  # nodes are chosen more accurate than asked for, so that they seldom serve badly
REFITS = 4  # times that nodes are chosen anew when the trajectory leaves what they serve
CHECKPOINTS = 6  # states in which the closure is judged: so many evenly, so many geometrically

ERROR_MEANINGS = {
    "exact moments": "exact: no error but round-off",
    "exact quadrature": (
        "largest absolute difference of E[z·δ] from a finer and wider rule along the trajectory"
    ),
    "mean field": "not estimated: leading order in 1/modes, off by tens of percent for few modes",
    "sampled": "largest standard error of E[z·δ] along the trajectory",
}

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
    symbolic, spectrum, chosen = _understand(loss, variances, settings)
    with jax.default_device(find_device(chosen.device)):
        fit, trajectory, method = _run(symbolic, spectrum, chosen, progress)
        return _label(symbolic, fit, trajectory, method, chosen)


def vector_field(
    loss: str | SymbolicLoss = "cosine", variances: ArrayLike | None = None, **settings: Any
) -> tuple[VectorField, NDArray, dict[str, float]]:
    """Build the vector field that `simulate` integrates, as a plain JAX function.

    Args:
        loss: Name of a loss, or a loss of your own.
        variances: Spectrum (modes,) that the closure's nodes must serve; None takes the published
            start. Spectra of another shape, or other noises, may need nodes of their own.
        settings: Fields of `Settings`; those of an engine do nothing here.

    Returns:
        The field, the states (states, modes) of the given spectrum, and the parameters, so that
        `field(0.0, states, parameters)` is ds/dt; jit, vmap and differentiate it as you like.

    Raises:
        The errors of `simulate`.
    """
    symbolic, spectrum, chosen = _understand(loss, variances, settings)
    _, field = _compiled(symbolic, chosen.alpha, chosen.closure)
    parameters = _parameters(field, chosen)
    states = np.sqrt(spectrum)[None]
    if field.closure == "sampled":
        field = draw_samples(field, len(spectrum), chosen.samples, chosen.seed)
    else:
        field = fit_nodes(field, states[None], parameters, chosen.closure_accuracy).field
    return _in_precision(field, chosen), states.astype(chosen.dtype), parameters


def _understand(
    loss: str | SymbolicLoss, variances: ArrayLike | None, settings: dict[str, Any]
) -> tuple[SymbolicLoss, NDArray, Settings]:
    chosen = Settings(loss=loss if isinstance(loss, str) else loss.name, **settings)
    spectrum = published_variances() if variances is None else check_variances(variances)
    if isinstance(loss, SymbolicLoss):
        if chosen.beta is not None or not (chosen.predictor and chosen.stop_gradient):
            message = (
                "A loss of your own brings its β, predictor and stop-gradient with it; beta, "
                "predictor and stop_gradient belong to names. Try `without_predictor(loss)`."
            )
            raise InvalidSetting(message)
        return loss, spectrum, chosen
    named = named_loss(
        chosen.loss,
        beta=chosen.beta,
        predictor=chosen.predictor,
        stop_gradient=chosen.stop_gradient,
    )
    return named, spectrum, chosen


def _parameters(field: VectorField, chosen: Settings) -> dict[str, float]:
    return {name: float(getattr(chosen, name)) for name in field.parameters}


@lru_cache(maxsize=64)
def _compiled(loss: SymbolicLoss, alpha: float, closure: str) -> tuple[ModeDynamics, VectorField]:
    dynamics = close(mode_dynamics(loss, alpha), closure)
    return dynamics, compile_field(dynamics)


def _run(
    loss: SymbolicLoss, spectrum: NDArray, chosen: Settings, progress: bool
) -> tuple[Fit, Trajectory, str]:
    """Pick the engine and the nodes, and run."""
    dynamics, field = _compiled(loss, chosen.alpha, chosen.closure)
    parameters = _parameters(field, chosen)
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

    Nodes are chosen for the start and for equal variances; if the trajectory leaves the spectra
    that they serve, they are chosen anew for what it visited.
    """
    if field.closure == "sampled":
        sampled = draw_samples(field, start.shape[1], chosen.samples, chosen.seed)
        trajectory = run(_in_precision(sampled, chosen))
        error = standard_error(sampled, _checkpoints(trajectory), parameters)
        return Fit(sampled, error), trajectory
    if field.closure == "mean field":
        return Fit(field, math.nan), run(field)
    accuracy = max(chosen.closure_accuracy, 10 * float(np.finfo(chosen.dtype).eps))
    equal = np.full_like(start, np.sqrt(np.mean(start**2)))  # what most runs relax to
    visited = np.stack([start, equal]).astype(float)
    refits = 0
    while True:
        fit = fit_nodes(field, visited, parameters, MARGIN * accuracy)
        trajectory = run(_in_precision(fit.field, chosen))
        passed = _checkpoints(trajectory)
        fit = judge_nodes(fit, passed, parameters, accuracy)
        if fit.reached or refits == REFITS:
            break
        visited = np.concatenate([visited, passed])
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


def _in_precision(field: VectorField, chosen: Settings) -> VectorField:
    return jax.tree.map(lambda leaf: leaf.astype(chosen.dtype), field)


def _label(
    loss: SymbolicLoss, fit: Fit, trajectory: Trajectory, method: str, chosen: Settings
) -> xarray.Dataset:
    """Compute what follows from the trajectory, and hand everything to the result."""
    field = fit.field
    parameters = _parameters(field, chosen)
    states = np.moveaxis(trajectory.values, -1, 0).astype(float)  # (times, states, modes)
    eigenvalues = _predictor_eigenvalues(field, states, parameters)
    device = find_device(chosen.device)
    return dataset(
        trajectory,
        predictor_eigenvalue=np.asarray(eigenvalues).T,
        conserved=_conserved(loss, trajectory, chosen),
        settings=asdict(chosen),
        closure={
            "name": field.closure,
            "error": fit.error,
            "error_meaning": ERROR_MEANINGS[field.closure],
        },
        method=method,
        loss=loss.name,
        device=str(device),
    )


@jax.jit
def _predictor_eigenvalues(field, states, parameters):
    return jax.vmap(lambda state: field.predictor_eigenvalue(state, parameters))(states)


def _conserved(loss: SymbolicLoss, trajectory: Trajectory, chosen: Settings) -> dict[str, NDArray]:
    """Each conserved quantity over time (times,)."""
    quantities = conserved_quantities(loss, chosen.alpha, decays=chosen.weight_decay > 0)
    arguments = [sym.singular_value, sym.time, sym.weight_decay]
    values = trajectory.values[0].T.astype(float)  # (times, modes)
    times = trajectory.times[:, None]
    return {
        quantity.name: np.asarray(
            compile_expressions(arguments, [quantity.expression])(
                values, times, chosen.weight_decay
            )[0]
        )[:, 0]
        for quantity in quantities
    }
