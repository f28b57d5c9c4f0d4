"""Evaluate the growth rate of every mode on given spectra."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidSpectrum
from eigendyn.program.in_numpy import rates
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.spectrum import check_variances
from eigendyn.simulation.initial import starting_states
from eigendyn.simulation.node_errors import NOTHING
from eigendyn.simulation.simulate import served
from eigendyn.theory.losses import SymbolicLoss

VANISHED = (1e-30, 1e-33)  # shares of the largest variance at which limits are looked for
ALIKE = 1e-8  # relative difference of rates there that have a limit
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
    return _rates(loss, variances, settings)[0]


def _rates(
    loss: str | SymbolicLoss, variances: ArrayLike, settings: Mapping[str, Any]
) -> tuple[NDArray, bool]:
    """Rates of `variance_rates`, and whether those of small modes are as accurate as asked for."""
    spectra = np.asarray(variances, float)
    if spectra.ndim != 2 or spectra.size == 0:
        message = (
            f"Rates need spectra × modes, not an array of the shape {spectra.shape}. "
            "Try [[0.1, 1.0], [0.2, 1.0]]."
        )
        raise InvalidSpectrum(message)
    chosen = np.unique(np.linspace(0, len(spectra) - 1, SERVED).round().astype(int))
    system, _, parameters, fit = served(loss, spectra[chosen], **settings)
    program = system.program
    starts = [starting_states(program, check_variances(one), system.chosen) for one in spectra]
    states = np.stack(starts, axis=-1)  # (states, modes, spectra)
    moved = rates(program, states, parameters, fit.nodes)[0]
    return (2 * states[0] * moved).T, fit.reached


@takes(Settings)
def growth_rates(
    loss: str | SymbolicLoss, variances: ArrayLike, **settings: Unpack[GivenSettings]
) -> NDArray:
    r"""Growth rate of every mode (spectra, modes), (1/v_m) dv_m/dt [1/time: learning rate × step].

    Where variances are so far apart that powers of them leave the range of numbers, or the closure
    cannot serve them, modes that have all but vanished are taken by their limit v_m → 0; a rate
    that has none is NaN: it is not known. Arguments are those of `variance_rates`.

    Raises:
        InvalidSpectrum: Variances that are not all above zero.
        The errors of `simulate` otherwise.

    Source: Halvagal et al. 2023, effective learning rates.
    """
    spectra = np.asarray(variances, float)
    if not (spectra > 0).all():
        message = "A growth rate needs variances above zero. Leave out modes at zero."
        raise InvalidSpectrum(message)
    found, reached = _rates(loss, spectra, settings)
    if not reached and len(spectra) > 1:
        return np.concatenate([growth_rates(loss, one[None], **settings) for one in spectra])
    growth = found / spectra
    vanished = (np.abs(found) <= NOTHING) & _has_vanished(spectra)
    for row in np.flatnonzero(vanished.any(axis=1) | (not reached)):
        growth[row] = _limits(loss, spectra[row], settings)
    return growth


def _has_vanished(spectra: NDArray) -> NDArray:
    return spectra < VANISHED[0] * spectra.max(axis=-1, keepdims=True)


def _limits(loss: str | SymbolicLoss, spectrum: NDArray, settings: Mapping[str, Any]) -> NDArray:
    """Growth rates (modes,) for v → 0 of the modes that have all but vanished; NaN if unknown."""
    found = []
    for share in VANISHED:
        beside = np.where(_has_vanished(spectrum), share * spectrum.max(), spectrum)
        moved, reached = _rates(loss, beside[None], settings)
        found.append(moved[0] / beside if reached else np.full(len(spectrum), np.nan))
    near, nearer = found
    nothing = ALIKE * np.abs(nearer).max()
    alike = np.isclose(near, nearer, rtol=ALIKE, atol=nothing)
    is_zero = _has_vanished(spectrum) & (np.abs(nearer) <= nothing)
    return np.where(is_zero, 0.0, np.where(alike, nearer, np.nan))
