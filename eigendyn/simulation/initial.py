"""Prepare a run: its first states, the numbers of its equations, the steps that it saves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.program import Program, Quantities
from eigendyn.settings.parameters import PARAMETERS, PER_MODE, component
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.spectrum import check_modes
from eigendyn.settings.states import STATES

if TYPE_CHECKING:
    import xarray

    from eigendyn.program.in_jax import VectorField
    from eigendyn.results.labelled import Labelled

# of a model, whose predictor is no setting
USUAL = {"predictor_start": PARAMETERS["predictor_start"].assumed["learned"]}


def starting_states(
    system: Program | VectorField,
    spectrum: NDArray,
    chosen: Settings,
    numbers: Mapping[str, float | NDArray] = MappingProxyType({}),
) -> NDArray:
    """States (states, …, modes) at the start, from the variances (…, modes), as their rows say.

    They are those of whitened components: s√d of an encoder's singular value s.

    Args:
        system: Dynamics with states.
        spectrum: Variances.
        chosen: Settings that a start may depend on.
        numbers: By name, what stands in the place of a setting: one number, or one for each
            spectrum (…, 1).

    Raises:
        InvalidSetting: Signal or noises of another number of modes.
    """
    for name in PER_MODE:
        if isinstance(getattr(chosen, name), tuple):
            check_modes(name, getattr(chosen, name), spectrum.shape[-1])

    def number(name: str) -> Any:
        found = numbers.get(name, getattr(chosen, name))
        found = USUAL.get(name) if found is None else found
        return np.asarray(found) if isinstance(found, tuple) else found

    return np.stack([STATES[name].start(spectrum, number) for name in system.states])


def field_parameters(
    system: Program | Quantities | VectorField, chosen: Settings, numbers: Mapping[str, float]
) -> dict[str, Any]:
    """Take the numbers that dynamics need: the loss's own, and settings of the same names.

    Of a parameter per mode, a table (1, modes), or (1, 1).
    """

    def of(name: str) -> Any:
        if name in numbers:
            return float(numbers[name])
        if name in PER_MODE:
            return np.atleast_2d(np.asarray(component(name, partial(getattr, chosen)), float))
        return float(getattr(chosen, name))

    return {name: of(name) for name in system.parameters}


def signals(chosen: Settings) -> Any:
    """Signal d of every mode (modes,), or one number for all of them."""
    return np.asarray(component("signal", partial(getattr, chosen)), float)


def data_of_modes(chosen: Settings, modes: int) -> dict[str, NDArray]:
    """Signal and noises of every mode (modes,), where they are not those of white inputs."""
    if not chosen.is_anisotropic:
        return {}
    own = {name: component(name, partial(getattr, chosen)) for name in PER_MODE}
    return {name: np.broadcast_to(np.asarray(one, float), modes) for name, one in own.items()}


def states_of(run: xarray.Dataset | Labelled, names: tuple[str, ...], chosen: Settings) -> NDArray:
    """States (states, modes, times) as the dynamics have them, from a result."""
    roots = np.atleast_1d(np.sqrt(signals(chosen)))[:, None]
    return np.stack([run[n].values * (roots if STATES[n].odd else 1.0) for n in names])


def saved_steps(chosen: Settings, first: int = 0) -> NDArray:
    """Numbers of the steps to save (times,), from a first one on."""
    return np.unique(np.linspace(first, chosen.steps, chosen.saves).round().astype(int))
