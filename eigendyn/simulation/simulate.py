"""Simulate the dynamics of every mode under a loss or model, from a spectrum."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidExpression, InvalidSetting
from eigendyn.program.in_numpy import quantities
from eigendyn.results.dataset import labelled, relative_drift
from eigendyn.results.events import Course
from eigendyn.results.labelled import Labelled
from eigendyn.results.outcomes import swing
from eigendyn.results.trajectory import Trajectory
from eigendyn.settings.choices import given_name, is_model
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.presets import preset_settings
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.spectrum import check_variances, published_variances
from eigendyn.simulation.equations import Equations, equations
from eigendyn.simulation.initial import data_of_modes, field_parameters, starting_states
from eigendyn.simulation.measures import columns, measures, rank_columns, ranks
from eigendyn.simulation.model_settings import OF_NETWORKS
from eigendyn.simulation.nodes import Fit, fit_nodes
from eigendyn.simulation.onward import EXPRESSION, from_run, from_spectrum, settings_of
from eigendyn.simulation.run import run
from eigendyn.simulation.samples import draw_samples

if TYPE_CHECKING:
    import xarray

    from eigendyn.program.in_jax import VectorField
    from eigendyn.results.labelled import Column
    from eigendyn.theory.derive import ModeDynamics
    from eigendyn.theory.losses import SymbolicLoss

ERROR_MEANINGS = {
    "none": "there are no moments to take: no error but round-off",
    "exact moments": "exact: no error but round-off",
    "exact quadrature": (
        "largest absolute difference of E[z·δ] from a finer and wider rule along the trajectory"
    ),
    "mean field": "not estimated: leading order in 1/modes, off by tens of percent for few modes",
    "sampled": "largest standard error of E[z·δ] along the trajectory",
}


@takes(Settings)
def simulate(
    loss: str | SymbolicLoss | ModeDynamics | None = None,
    variances: ArrayLike | None = None,
    *,
    start: xarray.Dataset | None = None,
    preset: str | None = None,
    progress: bool = False,
    **settings: Unpack[GivenSettings],
) -> xarray.Dataset:
    r"""Follow the variance of every mode while a loss is descended, or as a model says.

    ds_m/dt = (E[z1_m δ1_m] + E[z2_m δ2_m])/s_m − ω s_m with v_m = s_m², λ_m = v_m^α; a running or
    learned predictor, an EMA target and momentum add states (see `mode_dynamics`).

    Args:
        loss: Name of a loss (see `choices.LOSS_NAMES`) or model (`choices.MODEL_NAMES`), or one of
            your own; None takes the loss of the preset, or "cosine".
        variances: Initial variances (modes,), in any order; None takes the published start.
        start: A run to go on from, with all states of its modes; its loss and settings stand where
            none are given, and `steps` counts from its beginning. The result begins with its last
            state and time; outcomes and recruitment are those of what is new. Of descent steps it
            is bit by bit what a run that was not cut has, unless nodes had to be chosen anew, or
            signals are not 1; of flows within tolerances.
        preset: One of `choices.PRESETS`, a source's settings where none are given.
        progress: Show a progress bar on standard error.
        settings: Fields of `Settings`: which parts of the loss are on, predictor exponent,
            noises, weight decay, learning rate and steps, method, closure, accuracies, precision.

    Returns:
        Dataset over (mode, time), modes in input order, time = learning rate × step. Numerical
        failure is its attribute `status`, never an exception; the data then end where it happened.
        What is conserved is over time, "conserved_1" and on, named and with its largest drift in
        their attributes. What belongs to a loss a model has not: its value, what it conserves, the
        predictor's eigenvalue, z/‖z‖ of a view. `dataset.to_dataframe()` has one row for each mode
        and time.

    Raises:
        UnknownName: A loss, method, closure, keyword, … that does not exist.
        InvalidSetting: A number without meaning, or options that contradict each other.
        InvalidSpectrum: Variances that are not non-negative and finite, or all zero.
        NoClosedForm: The closed form was asked of dynamics that have none.
        NoExactClosure: The exact closure was asked of a loss that has none.
        DeviceUnavailable: There is no such device here.

    Source: Halvagal et al. 2023; the pages in derivations/ derive every equation.

    Examples:
        >>> run = eigendyn.simulate("euclidean", [0.01, 0.3, 1.0], weight_decay=0.05)
        >>> run.outcome.values.tolist()
        ['collapsed', 'recruited', 'relaxed']
        >>> run.variance.isel(time=-1).values.round(3).tolist()
        [0.0, 0.947, 0.947]
    """
    found = simulated(loss, variances, start=start, preset=preset, progress=progress, **settings)
    return found.to_xarray()


def simulated(
    loss: str | SymbolicLoss | ModeDynamics | None = None,
    variances: ArrayLike | None = None,
    *,
    start: xarray.Dataset | Labelled | None = None,
    preset: str | None = None,
    progress: bool = False,
    **settings: Any,
) -> Labelled:
    """Do what `simulate` does, without xarray."""
    if start is not None:
        return _gone_on(loss, variances, start, preset, progress, settings)
    name = None if loss is None else given_name(loss)
    if preset is not None and is_model(loss):
        message = (
            f"`preset={preset!r}` sets a network, and the model {name!r} has none. Leave it out."
        )
        raise InvalidSetting(message)
    source = preset_settings(preset, name, settings.get("predictor"), settings.get("target"))
    source.pop("batch", None)  # of networks
    wanted = source.pop("loss", Settings.loss)
    system = equations(wanted if loss is None else loss, source | settings)
    begin = from_spectrum(system, _spectrum(variances))
    return _label(system, *run(system, begin, progress))


def _gone_on(
    loss: str | SymbolicLoss | ModeDynamics | None,
    variances: ArrayLike | None,
    start: xarray.Dataset | Labelled,
    preset: str | None,
    progress: bool,
    settings: dict[str, Any],
) -> Labelled:
    """Go on from a run, as `simulate` says."""
    for name, given in {"variances": variances, "preset": preset}.items():
        if given is not None:
            message = f"`start` brings its states and settings with it. Leave out `{name}`."
            raise InvalidSetting(message)
    source, used = settings_of(start)
    chosen = source if loss is None else loss
    if chosen is None:
        message = (
            "The loss or model of the run is one of your own, and no text says it. Give it again, "
            "as in eigendyn.simulate(loss, start=run)."
        )
        raise InvalidSetting(message)
    system = equations(chosen, used | settings)
    return _label(system, *run(system, from_run(system, start), progress))


@takes(Settings)
def vector_field(
    loss: str | SymbolicLoss | ModeDynamics = "cosine",
    variances: ArrayLike | None = None,
    **settings: Unpack[GivenSettings],
) -> tuple[VectorField, NDArray, dict[str, float]]:
    """Build the vector field that `simulate` integrates, as a plain JAX function.

    ds_m/dt = (E[z1_m δ1_m] + E[z2_m δ2_m])/s_m − ω s_m, moments closed, and the rates of further
    states (see `theory.mode_dynamics`).

    Args:
        loss: Name of a loss or model, or one of your own.
        variances: Spectrum (modes,), or several (spectra, modes), that the closure's nodes must
            serve; None takes the published start. Spectra of another shape, or other noises, may
            need nodes of their own.
        settings: Fields of `Settings`; those of an engine do nothing here. Where modes have a
            signal d, states are those of whitened components, s√d of a singular value s.

    Returns:
        The field, the states (states, modes) of the given spectrum, or of each (spectra, states,
        modes), and the parameters, so that `field(0.0, states, parameters)` is ds/dt; jit, vmap
        and differentiate it as you like.

    Raises:
        The errors of `simulate`.

    Source: Halvagal et al. 2023, eigenspace dynamics; closures, derivations/tilted_gaussian.py.

    Examples:
        >>> field, start, parameters = eigendyn.vector_field("euclidean", [0.25, 1.0], sigma1=0)
        >>> field(0.0, start, parameters).round(3).tolist()
        [[0.094, 0.0]]
    """
    system, states, parameters, fit = served(loss, variances, **settings)
    dtype = system.chosen.dtype
    field = replace(system.field, nodes=fit.nodes.in_precision(dtype))
    return field, states.astype(dtype), parameters


@takes(Settings)
def served(
    loss: str | SymbolicLoss | ModeDynamics = "cosine",
    variances: ArrayLike | None = None,
    **settings: Unpack[GivenSettings],
) -> tuple[Equations, NDArray, dict[str, float], Fit]:
    """Do what `vector_field` does without JAX: equations, states, parameters and fitted nodes."""
    system = equations(loss, settings)
    chosen, program = system.chosen, system.program
    several = variances is not None and np.ndim(variances) == 2
    spectra = [_spectrum(one) for one in (np.asarray(variances) if several else [variances])]
    parameters = field_parameters(program, chosen, system.numbers)
    states = np.stack([starting_states(program, spectrum, chosen) for spectrum in spectra])
    if program.closure == "sampled":
        fit = Fit(draw_samples(program, states.shape[-1], chosen.samples, chosen.seed))
    else:
        fit = fit_nodes(program, states, parameters, chosen.closure_accuracy)
    return system, states if several else states[0], parameters, fit


@takes(Settings)
def conserved_values(
    loss: str | SymbolicLoss | ModeDynamics,
    variances: ArrayLike,
    **settings: Unpack[GivenSettings],
) -> dict[str, NDArray]:
    """Evaluate what a loss conserves.

    Args:
        loss: Name of a loss or model, or one of your own.
        variances: Spectra (spectra, modes).
        settings: Fields of `Settings`; weight decay is left out.

    Returns:
        By name, each conserved quantity (spectra,); empty if there is none.

    Raises:
        The errors of `simulate`.
    """
    without = {"weight_decay": 0.0, "predictor_decay": 0.0}
    system = equations(loss, settings | without)
    spectra = np.stack([check_variances(one) for one in np.asarray(variances)])
    starts = [starting_states(system.program, one, system.chosen) for one in spectra]
    return _conserved(system, np.stack(starts, axis=-1), np.zeros(len(starts)))


def _spectrum(variances: ArrayLike | None) -> NDArray:
    return published_variances() if variances is None else check_variances(variances) + 0.0


def _label(
    system: Equations, fit: Fit, trajectory: Trajectory, way: Course, method: str
) -> Labelled:
    """Compute what follows from the trajectory, and hand everything to the result."""
    chosen, program = system.chosen, system.program
    if trajectory.status == "completed":
        trajectory = replace(trajectory, message=_unsettled(way, method, system.scale_free))
    parameters = field_parameters(program, chosen, system.numbers)
    states = np.asarray(trajectory.values, float)  # (states, modes, times)
    kept = _conserved(system, states, trajectory.times)
    seen = _conserved(system, np.asarray(way.values, float), way.times)
    own: dict[str, Any] = {"parameters": dict(system.numbers)} if system.numbers else {}
    own |= _written(system)
    meaning = ERROR_MEANINGS[program.closure]
    if chosen.follows_flow:
        own["rtol"], own["atol"] = chosen.tolerances
    if fit.rtol is not None and chosen.rtol is None:
        own["rtol"] = fit.rtol
        meaning += f"; the flow's `rtol={fit.rtol:.2g}` follows from it"
    return labelled(
        trajectory,
        way,
        predictor_eigenvalue=_predictor(system, states, parameters),
        conserved={name: (kept[name], relative_drift(seen[name])) for name in kept},
        settings=used_settings(system) | own,
        closure={
            "name": program.closure,
            "error": fit.error,
            "error_meaning": meaning,
        },
        method=method,
        loss=system.title,
        kind=system.kind,
        data=data_of_modes(chosen, states.shape[1]),
        device=_device(chosen, method),
        measures=_measured(system, states, trajectory.times),
        scale_free=system.scale_free,
    )


def _written(system: Equations) -> dict[str, str]:
    """A loss of one's own as text, where the language has words for it."""
    if isinstance(system.given, str) or system.kind == "model":
        return {}
    from eigendyn.theory.loss_writer import write_loss

    loss: Any = system.given
    try:
        return {EXPRESSION: write_loss(loss.expression)} if loss.beta == 0 else {}
    except InvalidExpression:
        return {}


def _unsettled(way: Course, method: str, scale_free: bool) -> str:
    """Say that modes of a run swing to its end, if some do."""
    count = int(swing(way.times, way.variance, scale_free).sum())
    if not count:
        return ""
    hint = " Try a smaller `learning_rate`." if method == "steps" else ""
    return (
        f"Of {len(way.variance)} modes {count} do not settle: within the last tenth of the run "
        f"they rise and fall by more than 10 %, and outcomes are those of its last moment.{hint}"
    )


def _predictor(system: Equations, states: NDArray, parameters: dict[str, float]) -> NDArray | None:
    """The predictor's eigenvalue (modes, times), where there is a network that has one."""
    if system.kind == "model":
        return None
    (eigenvalue,) = quantities(system.program, [system.program.predictor], states, parameters)
    return np.broadcast_to(eigenvalue, states.shape[1:])


def used_settings(system: Equations) -> dict[str, Any]:
    """Every setting; of a model, those that it has, without those of networks."""
    every = {one.name: getattr(system.chosen, one.name) for one in fields(system.chosen)}
    if system.kind == "loss":
        return every
    used = set(system.program.parameters) - set(system.numbers)
    left_out = {"loss", *OF_NETWORKS} - used
    return {"model": every["loss"]} | {k: v for k, v in every.items() if k not in left_out}


def _measured(system: Equations, states: NDArray, times: NDArray) -> dict[str, Column]:
    """What is measured along a trajectory: of a model, how many modes share the variance."""
    if system.value is None:
        return rank_columns(*ranks(states[0]))
    parameters = field_parameters(system.value, system.chosen, system.numbers)
    return columns(measures(system, states, times, parameters))


def _device(chosen: Settings, method: str) -> str:
    from eigendyn.settings.device import find_device, find_platform

    if method in ("compiled", "implicit", "closed-form") or find_platform(chosen.device) == "cpu":
        return "cpu"
    return str(find_device(chosen.device))


def _conserved(system: Equations, states: NDArray, times: NDArray) -> dict[str, NDArray]:
    """Each conserved quantity over time (times,), of states (states, modes, times)."""
    found, chosen = system.conserved, system.chosen
    numbers = field_parameters(found, chosen, {})
    places = [place for _, place in found.places]
    values = quantities(found, places, states, numbers, times)
    names = (name for name, _ in found.places)
    return {
        name: np.broadcast_to(v, (1, len(times)))[0] for name, v in zip(names, values, strict=True)
    }
