"""Prepare a run: its first states, the numbers of its equations, the steps that it saves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigendyn.program import Program
from eigendyn.settings.run_settings import Settings

if TYPE_CHECKING:
    from eigendyn.program.in_jax import VectorField


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
