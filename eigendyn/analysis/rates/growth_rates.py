"""Evaluate the growth rate of every mode on given spectra."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidSpectrum
from eigendyn.settings.choices import given_name
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.spectrum import check_variances
from eigendyn.simulation.initial import starting_states
from eigendyn.simulation.simulate import vector_field
from eigendyn.theory.losses import SymbolicLoss

SERVED = 9  # spectra, evenly spaced, that the closure's nodes are chosen for


@takes(Settings)
def variance_rates(
    loss: str | SymbolicLoss, variances: ArrayLike, **settings: Unpack[GivenSettings]
) -> NDArray:
    r"""Rate of change of every mode's variance, dv_m/dt = 2 s_m ds_m/dt.

    The nodes of an exact closure are chosen for 9 of the spectra, the first and last among them,
    so the spectra should be ordered along a line.

    Args:
        loss: Name of a loss, or a loss of your own.
        variances: Spectra (spectra, modes).
        settings: Fields of `Settings`: noises, weight decay, exponents, closure.

    Returns:
        Rates (spectra, modes) [variance/time, where time is learning rate × step].

    Raises:
        InvalidSpectrum: No spectra of non-negative variances.
        The errors of `simulate` otherwise.
    """
    spectra = np.asarray(variances, float)
    if spectra.ndim != 2 or spectra.size == 0:
        message = (
            f"Rates need spectra × modes, not an array of the shape {spectra.shape}. "
            "Try [[0.1, 1.0], [0.2, 1.0]]."
        )
        raise InvalidSpectrum(message)
    chosen = np.unique(np.linspace(0, len(spectra) - 1, SERVED).round().astype(int))
    field, _, parameters = vector_field(loss, spectra[chosen], **settings)
    start = Settings(loss=given_name(loss), **dict[str, Any](settings))
    states = np.stack([starting_states(field, check_variances(one), start) for one in spectra])
    return np.asarray(_variance_rates(field, states, parameters), float)


@takes(Settings)
def growth_rates(
    loss: str | SymbolicLoss, variances: ArrayLike, **settings: Unpack[GivenSettings]
) -> NDArray:
    r"""Growth rate of every mode, (1/v_m) dv_m/dt.

    Args:
        loss: Name of a loss, or a loss of your own.
        variances: Spectra (spectra, modes), all above zero; see `variance_rates`.
        settings: Fields of `Settings`: noises, weight decay, exponents, closure.

    Returns:
        Growth rates (spectra, modes) [1/time, where time is learning rate × step].

    Raises:
        InvalidSpectrum: Variances that are not all above zero.
        The errors of `simulate` otherwise.

    Source: Halvagal et al. 2023, effective learning rates.
    """
    spectra = np.asarray(variances, float)
    if not (spectra > 0).all():
        message = "A growth rate needs variances above zero. Leave out modes at zero."
        raise InvalidSpectrum(message)
    return variance_rates(loss, spectra, **settings) / spectra


@jax.jit
def _variance_rates(field, states, parameters):
    def of(state):
        return 2 * state[0] * field(0.0, state, parameters)[0]

    return jax.lax.map(of, states)
