"""A loss and a spectrum enter; the labelled dynamics of every mode leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jax import Array
from numpy.typing import ArrayLike, NDArray

from eigendyn import symbols as sym
from eigendyn.architecture import Architecture, architecture
from eigendyn.closure import close
from eigendyn.compile import VectorField, compile_expressions, compile_field
from eigendyn.conservation import conserved_quantities
from eigendyn.derive import ModeDynamics, mode_dynamics
from eigendyn.device import find_device
from eigendyn.errors import InvalidSetting
from eigendyn.losses import SymbolicLoss, named_loss, without_predictor
from eigendyn.nodes import Fit, draw_samples, fit_nodes
from eigendyn.presets import preset_settings
from eigendyn.result import dataset
from eigendyn.run import field_parameters, in_precision, run, starting_states
from eigendyn.settings import Settings
from eigendyn.start import check_variances, published_variances
from eigendyn.trajectory import Trajectory

if TYPE_CHECKING:
    import xarray

ERROR_MEANINGS = {
    "exact moments": "exact: no error but round-off",
    "exact quadrature": (
        "largest absolute difference of E[z·δ] from a finer and wider rule along the trajectory"
    ),
    "mean field": "not estimated: leading order in 1/modes, off by tens of percent for few modes",
    "sampled": "largest standard error of E[z·δ] along the trajectory",
}


def simulate(
    loss: str | SymbolicLoss | None = None,
    variances: ArrayLike | None = None,
    *,
    preset: str | None = None,
    progress: bool = False,
    **settings: Any,
) -> xarray.Dataset:
    r"""Follow the variance of every mode while a loss is descended.

    ds_m/dt = (E[z1_m δ1_m] + E[z2_m δ2_m])/s_m − ω s_m with v_m = s_m², λ_m = v_m^α; a running or
    learned predictor, an EMA target and momentum add states (see `mode_dynamics`).

    Args:
        loss: Name of a loss (see `choices.LOSS_NAMES`), or a loss of your own; None takes that of
            the preset, or "cosine".
        variances: Initial variances (modes,), in any order; None takes the published start.
        preset: One of `choices.PRESETS`, a source's settings where none are given.
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
    name = loss.name if isinstance(loss, SymbolicLoss) else loss
    source = preset_settings(preset, name, settings.get("predictor"), settings.get("target"))
    source.pop("batch", None)  # of networks
    wanted = source.pop("loss", Settings.loss)
    symbolic, chosen = understand(wanted if loss is None else loss, source | settings)
    spectrum = _spectrum(variances)
    with jax.default_device(find_device(chosen.device)):
        dynamics, field = compiled(symbolic, chosen.alpha, architecture(chosen), chosen.closure)
        fit, trajectory, method = run(dynamics, field, spectrum, chosen, progress)
        return _label(symbolic, fit, trajectory, method, chosen)


def vector_field(
    loss: str | SymbolicLoss = "cosine", variances: ArrayLike | None = None, **settings: Any
) -> tuple[VectorField, NDArray, dict[str, float]]:
    """Build the vector field that `simulate` integrates, as a plain JAX function.

    Args:
        loss: Name of a loss, or a loss of your own.
        variances: Spectrum (modes,), or several (spectra, modes), that the closure's nodes must
            serve; None takes the published start. Spectra of another shape, or other noises, may
            need nodes of their own.
        settings: Fields of `Settings`; those of an engine do nothing here.

    Returns:
        The field, the states (states, modes) of the given spectrum, or of each (spectra, states,
        modes), and the parameters, so that `field(0.0, states, parameters)` is ds/dt; jit, vmap
        and differentiate it as you like.

    Raises:
        The errors of `simulate`.
    """
    symbolic, chosen = understand(loss, settings)
    several = variances is not None and np.ndim(variances) == 2
    spectra = [_spectrum(one) for one in (np.asarray(variances) if several else [variances])]
    _, field = compiled(symbolic, chosen.alpha, architecture(chosen), chosen.closure)
    parameters = field_parameters(field, chosen, symbolic)
    states = np.stack([starting_states(field, spectrum, chosen) for spectrum in spectra])
    if field.closure == "sampled":
        field = draw_samples(field, states.shape[-1], chosen.samples, chosen.seed)
    else:
        field = fit_nodes(field, states, parameters, chosen.closure_accuracy).field
    states = states if several else states[0]
    return in_precision(field, chosen.dtype), states.astype(chosen.dtype), parameters


def conserved_values(
    loss: str | SymbolicLoss, variances: ArrayLike, **settings: Any
) -> dict[str, NDArray]:
    """Evaluate what a loss conserves.

    Args:
        loss: Name of a loss, or a loss of your own.
        variances: Spectra (spectra, modes).
        settings: Fields of `Settings`; weight decay is left out.

    Returns:
        By name, each conserved quantity (spectra,); empty if there is none.

    Raises:
        The errors of `simulate`.
    """
    without = {"weight_decay": 0.0, "predictor_decay": 0.0}
    symbolic, chosen = understand(loss, settings | without)
    _, field = compiled(symbolic, chosen.alpha, architecture(chosen), chosen.closure)
    spectra = [check_variances(one) for one in np.asarray(variances)]
    states = np.stack([starting_states(field, spectrum, chosen) for spectrum in spectra])
    return _conserved(symbolic, field, states, np.zeros(len(states)), chosen)


def _spectrum(variances: ArrayLike | None) -> NDArray:
    return published_variances() if variances is None else check_variances(variances)


def understand(loss: str | SymbolicLoss, settings: dict[str, Any]) -> tuple[SymbolicLoss, Settings]:
    """Take a loss, named or one's own, and settings, and check that they fit.

    Raises:
        UnknownName, InvalidSetting: They do not.
    """
    chosen = Settings(loss=loss if isinstance(loss, str) else loss.name, **settings)
    if isinstance(loss, SymbolicLoss):
        if chosen.beta is not None or not chosen.stop_gradient:
            message = (
                "A loss of your own brings its β and stop-gradient with it; beta and stop_gradient "
                "belong to names. Try `without_stop_gradient(loss)`."
            )
            raise InvalidSetting(message)
        if not loss.has_predictor and chosen.predictor not in ("direct", "none"):
            message = (
                f"The loss {loss.name!r} has no lam, so that a {chosen.predictor} predictor does "
                "nothing. Leave it out, or write lam*z1 in the place of z1."
            )
            raise InvalidSetting(message)
        return (without_predictor(loss) if chosen.predictor == "none" else loss), chosen
    named = named_loss(
        chosen.loss,
        beta=chosen.beta,
        predictor=chosen.predictor != "none",
        stop_gradient=chosen.stop_gradient,
    )
    return named, chosen


def closed_dynamics(loss: SymbolicLoss, chosen: Settings) -> ModeDynamics:
    """Mode dynamics of a loss, its moments taken by the chosen closure."""
    return compiled(loss, chosen.alpha, architecture(chosen), chosen.closure)[0]


@lru_cache(maxsize=64)
def compiled(
    loss: SymbolicLoss, alpha: float, structure: Architecture, closure: str
) -> tuple[ModeDynamics, VectorField]:
    """Closed mode dynamics, and the same as a vector field without nodes."""
    dynamics = close(mode_dynamics(loss, alpha, structure), closure)
    unnamed = replace(loss, name="", parameters=tuple((name, 0.0) for name, _ in loss.parameters))
    return dynamics, _compiled_field(replace(dynamics, loss=unnamed))


_compiled_field = lru_cache(maxsize=64)(compile_field)  # the same for all numbers of a parameter


def _label(
    loss: SymbolicLoss, fit: Fit, trajectory: Trajectory, method: str, chosen: Settings
) -> xarray.Dataset:
    """Compute what follows from the trajectory, and hand everything to the result."""
    field = fit.field
    parameters = field_parameters(field, chosen, loss)
    states = np.moveaxis(trajectory.values, -1, 0).astype(float)  # (times, states, modes)
    eigenvalues = _predictor_eigenvalues(field, states, parameters)
    device = find_device(chosen.device)
    return dataset(
        trajectory,
        predictor_eigenvalue=np.asarray(eigenvalues).T,
        conserved=_conserved(loss, field, states, trajectory.times, chosen),
        settings=asdict(chosen) | ({"parameters": own} if (own := dict(loss.parameters)) else {}),
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


def _conserved(
    loss: SymbolicLoss, field: VectorField, states: NDArray, times: NDArray, chosen: Settings
) -> dict[str, NDArray]:
    """Each conserved quantity over time (times,), of states (times, states, modes)."""
    functions = conserved_functions(loss, field, chosen)
    columns = np.moveaxis(states, 1, 0)
    return {name: np.asarray(of(columns, times[:, None]))[:, 0] for name, of in functions.items()}


def conserved_functions(
    loss: SymbolicLoss, field: VectorField, chosen: Settings
) -> dict[str, Callable[..., Array]]:
    """What a system conserves, by name, as functions of states and, with decay, of time.

    Each takes states (states, …, modes), and times (…, 1), and returns (…, 1).
    """
    decay, predictor_decay = chosen.weight_decay, chosen.predictor_decay
    compiled = _conserved_functions(
        loss,
        field.states,
        chosen.alpha,
        architecture(chosen),
        decay > 0 or predictor_decay > 0,
        decay == predictor_decay,
    )
    numbers = (decay, predictor_decay, chosen.predictor_rate or 1.0)

    def of_states(function: Callable[..., tuple]) -> Callable[..., Array]:
        return lambda states, time=0.0: function(*states, time, *numbers)[0]

    return {name: of_states(function) for name, function in compiled.items()}


@lru_cache(maxsize=64)
def _conserved_functions(
    loss: SymbolicLoss,
    states: tuple[str, ...],
    alpha: float,
    structure: Architecture,
    decays: bool,
    alike: bool,
) -> dict[str, Callable[..., tuple]]:
    arguments = [
        *(getattr(sym, name) for name in states),
        *(sym.time, sym.weight_decay, sym.predictor_decay, sym.predictor_rate),
    ]
    found = conserved_quantities(loss, alpha, decays=decays, alike=alike, architecture=structure)
    return {one.name: compile_expressions(arguments, [one.expression]) for one in found}
