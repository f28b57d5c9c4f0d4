"""Say how wrong each number of a theory could be before a cross-check would notice."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial

import numpy as np
import xarray
from numpy.typing import NDArray
from scipy import stats

from eigendyn.program.in_jax import VectorField
from eigendyn.settings.device import on_device
from eigendyn.settings.parameters import PER_MODE, component
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.engines.in_jax.sensitivity import RATE, step_sensitivities
from eigendyn.simulation.equations import compiled_field, equations, symbolic
from eigendyn.simulation.initial import field_parameters, signals, starting_states, states_of
from eigendyn.simulation.nodes import fit_nodes
from eigendyn.simulation.samples import draw_samples
from eigendyn.theory import symbols as sym
from eigendyn.theory.losses import SymbolicLoss, named_loss

ACCURACY = 1e-5  # of nodes: no digit of a sensitivity beyond it is looked at
SAMPLES = 1_000  # of a sampled closure, likewise
LOOKED_AT = 6  # states along the trajectory that nodes serve
# What states begin with depends on these …
STARTS = ("sigma1", "predictor_start", "signal", "noise1")
NUDGE = 1e-3  # … and is at most quadratic in them, so that any relative step serves


def sensitivities(
    chosen: Settings, own: SymbolicLoss | None, theory: xarray.Dataset
) -> dict[str, NDArray]:
    r"""Differentiate the expected steps of a theory by each of its numbers.

    α and β, which are exact fractions in the theory's equations, are symbols here.

    Args:
        chosen: Settings of the theory.
        own: Its loss, if that has no name.
        theory: What it says, as `simulate` returns it.

    Returns:
        By name, for every number that is not zero and that the modes depend on, θ ∂s/∂θ of every
        singular value (modes, times); NaN where it does not exist.
    """
    settings = asdict(chosen)
    name = settings.pop("loss")
    system = equations(name if own is None else own, settings)
    program, field = system.program, _field(chosen, own)
    visited = states_of(theory, program.states, chosen)
    picked = np.linspace(0, visited.shape[-1] - 1, LOOKED_AT).round().astype(int)
    states = np.moveaxis(visited[..., picked], -1, 0).astype(float)
    if program.closure == "sampled":
        nodes = draw_samples(program, states.shape[-1], SAMPLES, chosen.seed)
    else:
        numbers = field_parameters(program, chosen, system.numbers)
        nodes = fit_nodes(program, states, numbers, ACCURACY).nodes
    field = replace(field, nodes=nodes.in_precision("float64"))
    numbers = field_parameters(field, chosen, system.numbers) | {RATE: chosen.learning_rate}
    if "predictor_value" in field.states:
        numbers["predictor_start"] = float(chosen.predictor_start or 0.0)
    variances = states[0, 0] ** 2 / signals(chosen)  # of the weights, whatever their inputs have
    with on_device(chosen.device):
        return step_sensitivities(
            field,
            starting_states(field, signals(chosen) * variances, chosen),
            {name: _slope(field, variances, chosen, name) for name in STARTS if name in numbers},
            theory["step"].values.astype(int),
            numbers,
            chosen.correlation_order,
        )


def smallest_change(compared: xarray.Dataset, sensitivity: NDArray) -> float:
    """The smallest relative change of a number, in either direction, that is called wrong.

    With the networks as they are, a theory that is off by ρ θ ∂s/∂θ deviates by d − ρ θ ∂s/∂θ in
    the place of d. Disagreement is a deviation beyond what is allowed, of any mode at any time.

    Args:
        compared: A result of `agreement`.
        sensitivity: θ ∂s/∂θ (modes, times).

    Returns:
        ρ, to first order; infinite if no change would be noticed.
    """
    tail = stats.norm.sf(compared.attrs["allowed_deviation"])
    allowed = stats.t.isf(tail, compared.attrs["pairs"] - 1) * compared["standard_error"].values
    slope = np.abs(sensitivity[:, : allowed.shape[1]])
    difference = compared["difference"].values * np.sign(sensitivity[:, : allowed.shape[1]])
    with np.errstate(divide="ignore"):
        up, down = ((allowed + way * difference) / slope for way in (1, -1))
    return max(float(np.fmin.reduce(way[:, 1:], axis=None, initial=np.inf)) for way in (up, down))


def with_smallest_changes(
    compared: xarray.Dataset,
    theory: xarray.Dataset,
    chosen: Settings,
    own: SymbolicLoss | None,
) -> xarray.Dataset:
    """Add to an agreement the smallest relative change of each number that it would have caught.

    Args:
        compared: A result of `agreement`, whose verdict is "agrees".
        theory: What the theory says.
        chosen: Its settings.
        own: Its loss, if that has no name.

    Returns:
        The same with smallest_change over parameter.
    """
    found = sensitivities(chosen, own, theory)
    changes = [smallest_change(compared, one) for one in found.values()]
    label = {"long_name": "smallest relative change that is called wrong", "units": "1"}
    return compared.assign(
        smallest_change=("parameter", np.array(changes, float), label)
    ).assign_coords(parameter=("parameter", np.array(list(found), dtype=object)))


def _field(chosen: Settings, own: SymbolicLoss | None) -> VectorField:
    """The closed mode dynamics with α and β as parameters, without nodes."""
    loss = symbolic(own or chosen.loss, chosen)
    assert isinstance(loss, SymbolicLoss)  # networks descend no model
    if own is None and chosen.beta is not None:
        loss = named_loss(chosen.loss, beta=sym.beta)
    return compiled_field(loss, chosen, sym.alpha)


def _slope(field: VectorField, variances: NDArray, chosen: Settings, name: str) -> NDArray:
    """θ times the derivative of the starting states by a number (states, modes)."""

    def start(share: float) -> NDArray:
        number = partial(getattr, chosen)
        value = np.asarray(component(name, number) if name in PER_MODE else number(name), float)
        other = replace(chosen, **{name: (share * value).tolist()})
        return starting_states(field, signals(other) * variances, other)

    return (start(1 + NUDGE) - start(1 - NUDGE)) / (2 * NUDGE)
