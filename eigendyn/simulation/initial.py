"""Prepare a run: its first states, the numbers of its equations, the steps that it saves."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigendyn.program import Program
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.states import STATES

if TYPE_CHECKING:
    from eigendyn.program.in_jax import VectorField

# of a model, whose predictor is no setting
USUAL = {"predictor_start": PARAMETERS["predictor_start"].assumed["learned"]}


def starting_states(
    system: Program | VectorField,
    spectrum: NDArray,
    chosen: Settings,
    numbers: Mapping[str, float | NDArray] = MappingProxyType({}),
) -> NDArray:
    """States (states, …, modes) at the start, from the variances (…, modes), as their rows say.

    Args:
        system: Dynamics with states.
        spectrum: Variances.
        chosen: Settings that a start may depend on.
        numbers: By name, what stands in the place of a setting: one number, or one for each
            spectrum (…, 1).
    """

    def number(name: str) -> float | NDArray:
        found = numbers.get(name, getattr(chosen, name))
        return USUAL[name] if found is None else found

    return np.stack([STATES[name].start(spectrum, number) for name in system.states])


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
