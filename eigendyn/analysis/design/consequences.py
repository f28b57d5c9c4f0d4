"""Report what a loss conserves, where its modes are at rest and what they depend on.

All is read off the rates that the exact closure gives on spectra between `LOWEST` and `HIGHEST`,
with α = 1, so that it holds for rates with spectrum sums and for averages alike.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from eigendyn.analysis.design.rate import HIGHEST, LOWEST, random_spectra
from eigendyn.analysis.rates.growth_rates import growth_rates
from eigendyn.theory import symbols as sym
from eigendyn.theory.conservation import conserved_quantities
from eigendyn.theory.derive import descent_directions
from eigendyn.theory.formula import in_variances, text
from eigendyn.theory.losses import SymbolicLoss
from eigendyn.theory.symbols import z1, z2

FEW = 5  # modes of the spectra that are looked at
GRID = np.geomspace(LOWEST, HIGHEST, 180)  # even, so that 1 is not on it
NOTHING = 1e-10  # relative size of what is round-off
MORE_NOISE = 0.3  # than stated, at which the change is told
SMALL = np.array([1e-4, 1e-3])
SUMS = {0: "Σ ln λ", 1: "Σ λ", 2: "Σ λ²"}


def gives_up(loss: SymbolicLoss, sigma1: float) -> Iterator[str]:
    """Say what comes with a loss: conserved quantities, fixed points, scale, noise, views.

    Args:
        loss: Per-sample loss in the predictor's eigenbasis.
        sigma1: Noise of the first view that it was designed for.

    Yields:
        Plain sentences, each as soon as it is found.
    """
    yield _conserved(loss, sigma1)
    yield _fixed_points(loss, sigma1)
    yield _small_modes(loss, sigma1)
    yield _scale(loss, sigma1)
    yield _noise(loss, sigma1)
    yield from _views(loss)


def rates(loss: SymbolicLoss, spectra: NDArray, sigma1: float) -> NDArray:
    """(1/s) ds/dt (spectra, modes) by the exact closure, at λ = v."""
    return growth_rates(loss, spectra, closure="exact", sigma1=sigma1) / 2


def _conserved(loss: SymbolicLoss, sigma1: float) -> str:
    found = [text(in_variances(one.expression)) for one in conserved_quantities(loss, sym.alpha)]
    if found:
        return f"Every sample conserves {' and '.join(found)}."
    spectra = random_spectra(FEW)
    of_modes = rates(loss, spectra, sigma1)
    for power, name in SUMS.items():
        changes = spectra**power * of_modes
        if (np.abs(changes.sum(axis=1)) <= NOTHING * np.abs(changes).sum(axis=1)).all():
            return f"No sum over modes is conserved by every sample; {name} is on average (α = 1)."
    return "No sum over modes is conserved: neither Σ v, nor Σ λ², nor Σ ln λ."


def _fixed_points(loss: SymbolicLoss, sigma1: float) -> str:
    """Fixed points of equal eigenvalues, and whether their common value returns there."""

    def common(eigenvalues: NDArray) -> NDArray:
        return rates(loss, np.repeat(eigenvalues[:, None], FEW, axis=1), sigma1)[:, 0]

    values, apart = common(GRID), rates(loss, random_spectra(FEW), sigma1)
    if np.abs(values).max() <= NOTHING * np.abs(apart).max():
        return "Equal eigenvalues rest at any common value."
    rests = []
    for i in np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0):
        low, high = np.log(GRID[i : i + 2])
        root = np.exp(brentq(lambda x: common(np.exp([x]))[0], low, high, xtol=1e-9))
        rests.append(f"{root:.6g} ({'stable' if values[i] > 0 else 'unstable'})")
    fate = "grow without bound" if values[-1] > 0 else "shrink"
    if rests:
        return f"Equal eigenvalues rest at λ = {', '.join(rests)}; beyond, they {fate}."
    return f"Equal eigenvalues rest nowhere between {LOWEST:g} and {HIGHEST:g}: they {fate}."


def _small_modes(loss: SymbolicLoss, sigma1: float) -> str:
    """How the rate of a small mode beside modes of λ = 1 depends on its own λ."""
    spectra = np.ones((len(SMALL), FEW))
    spectra[:, 0] = SMALL
    low, high = rates(loss, spectra, sigma1)[:, 0]
    if low < 0 or high < 0:
        return "Small modes beside modes of λ = 1 collapse."
    if low == 0:
        return "Small modes beside modes of λ = 1 stay."
    exponent = np.log10(high / low)
    if abs(exponent) < 0.02:
        return "Small modes are recruited exponentially: their rate tends to a constant as λ → 0."
    how = "slowly" if exponent > 0 else "explosively"
    return f"Small modes are recruited {how}: their rate goes about as λ^{exponent:.2g} as λ → 0."


def _scale(loss: SymbolicLoss, sigma1: float) -> str:
    spectra = random_spectra(FEW)
    before, after = rates(loss, spectra, sigma1), rates(loss, 2 * spectra, sigma1)
    heaviest = np.unravel_index(np.argmax(np.abs(before)), before.shape)
    ratio = after[heaviest] / before[heaviest]
    if ratio > 0 and np.abs(after - ratio * before).max() <= 1e-8 * np.abs(after).max():
        power = np.log2(ratio)
        if abs(power) < NOTHING:
            return "The rates stay the same if all eigenvalues are scaled together."
        return f"If all eigenvalues are scaled together, the rates scale with power {power:.3g}."
    return "The rates set a scale: they change if all eigenvalues are scaled together."


def _noise(loss: SymbolicLoss, sigma1: float) -> str:
    spectra = random_spectra(FEW)
    stated, more = rates(loss, spectra, sigma1), rates(loss, spectra, sigma1 + MORE_NOISE)
    change = np.abs(more - stated).max() / np.abs(stated).max()
    if change <= NOTHING:
        return "The noise of the views does not change the rates."
    return (
        f"The rates hold for σ1 = {sigma1:g}; at σ1 = {sigma1 + MORE_NOISE:g} they differ by up to "
        f"{change:.2g} of the largest."
    )


def _views(loss: SymbolicLoss) -> Iterator[str]:
    direction = descent_directions(loss)[0]
    if not direction.has(z2):
        yield "No term has z2, so that the two views are never compared."
    elif not direction.has(z1):
        yield "No term has z1, so that nothing holds the two views together."
