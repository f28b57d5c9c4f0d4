"""Draw eigenvalues as learning-rate multipliers: how a mode grows among equal ones.

Source: Halvagal et al. 2023, effective learning rates; the asymptotes, derivations/rates.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray
from matplotlib.figure import Figure
from numpy.typing import NDArray

from eigendyn.analysis.rates.growth_rates import growth_rates
from eigendyn.settings.choices import LOSS_ROWS, isotropic
from eigendyn.show.paper.variants import FAMILIES
from eigendyn.show.paper.words import deviation_sentence
from eigendyn.show.paper.work import CLOSURE_ACCURACY, Numbers, Work
from eigendyn.show.plot.style import DESCENT, loss_symbol

MODES = 10
EIGENVALUES = np.geomspace(1e-4, 0.98, 60)
MEASURED = (1e-3, 1e-2, 0.1, 0.5)  # eigenvalues at which networks take a step
BETAS = (0.0, 0.5, 1.0)
NOISELESS: dict[str, Any] = {"sigma1": 0.0, "sigma2": 0.0}
LEARNING_RATE = 0.01  # of that step
LOOKS = {0.0: "-", 0.5: "--", 1.0: ":"}


def one_among_equal(eigenvalues: NDArray) -> NDArray:
    """Spectra with one mode at each eigenvalue, and nine at v* = λ* = 1."""
    spectra = np.ones((len(eigenvalues), MODES))
    spectra[:, 0] = eigenvalues
    return spectra


def numbers(work: Work) -> Numbers:
    """Growth rates in both families, from plain to isotropic, in theory and in networks."""

    def make(one: tuple[str, float]) -> Numbers:
        loss, beta = one
        settings: dict[str, Any] = NOISELESS | {"beta": beta}
        rates = growth_rates(
            loss, one_among_equal(EIGENVALUES), closure_accuracy=CLOSURE_ACCURACY, **settings
        )
        theory = xarray.Dataset(
            {"growth_rate": ("eigenvalue", rates[:, 0], {"units": "1/time"})},
            coords={"eigenvalue": ("eigenvalue", EIGENVALUES, {"units": "variance"})},
            attrs={"loss": loss, "closure_accuracy": CLOSURE_ACCURACY, **settings},
        )
        if work.descents is None or beta == 0.5:
            return {"theory": theory}
        return {"theory": theory, "networks": _measure(work, loss, settings)}

    return work.each(
        make, {f"{loss}-beta-{beta:g}": (loss, beta) for loss in FAMILIES for beta in BETAS}
    )


def _measure(work: Work, loss: str, settings: dict[str, Any]) -> xarray.Dataset:
    """Growth rate of the one mode in the first step of networks."""
    rates = []
    for number, spectrum in enumerate(one_among_equal(np.array(MEASURED))):
        values, _ = work.singular_values(
            f"multiplier-{loss}-{settings['beta']:g}-{number}",
            spectrum,
            loss=loss,
            learning_rate=LEARNING_RATE,
            steps=1,
            saves=2,
            **settings,
        )
        first, then = np.moveaxis(values, -1, 0)  # (seeds, modes) each
        small = int(first[0].argmin())
        rates.append(2 * (then[:, small] / first[:, small] - 1) / LEARNING_RATE)
    return xarray.Dataset(
        {"growth_rate": (("eigenvalue", "seed"), np.array(rates), {"units": "1/time"})},
        coords={"eigenvalue": ("eigenvalue", np.array(MEASURED), {"units": "variance"})},
    )


def asymptote(loss: str, beta: float, eigenvalues: NDArray) -> NDArray:
    """Growth rate of a vanishing mode: 2λ^(1−β), over n − 2 for cosine and n equal other modes."""
    return 2 * eigenvalues ** (1 - beta) / (MODES - 3 if loss == "cosine" else 1)


def draw(numbers: Numbers) -> Figure:
    """Growth rates with their asymptotes left, what β leaves of the multiplier right."""
    figure = Figure(figsize=(6.0, 2.7))
    left, right = figure.subplots(1, 2)
    for loss in FAMILIES:
        for beta in (0.0, 1.0):
            panel = f"{loss}-beta-{beta:g}"
            name = isotropic(loss) if beta else loss
            rate = numbers[f"{panel}/theory"]["growth_rate"]
            look = {"color": LOSS_ROWS[name].colour, "lw": 1.6, "label": loss_symbol(name)}
            left.plot(rate["eigenvalue"], rate, **look)
            left.plot(EIGENVALUES, asymptote(loss, beta, EIGENVALUES), "k:", lw=0.7)
            if f"{panel}/networks" in numbers:
                found = numbers[f"{panel}/networks"]["growth_rate"].mean("seed")
                left.plot(found["eigenvalue"], found, **DESCENT, label="_")
        equal = numbers[f"{loss}-beta-1/theory"]["growth_rate"]
        for beta in BETAS:
            ratio = numbers[f"{loss}-beta-{beta:g}/theory"]["growth_rate"] / equal
            wide = {"lw": 3.0, "alpha": 0.35} if loss == "euclidean" else {}
            right.plot(
                ratio["eigenvalue"],
                ratio,
                LOOKS[beta],
                color=LOSS_ROWS[loss].colour,
                label=f"β = {beta:g}" if loss == "cosine" else "_",
                **wide,
            )
    left.plot([], [], "k:", lw=0.7, label="asymptote")
    if any(path.endswith("/networks") for path in numbers):
        left.plot([], [], **DESCENT, label="networks")
    for ax in (left, right):
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlabel("eigenvalue λ of the mode")
        ax.legend()
    left.set_ylim(bottom=1e-5)
    left.set_ylabel("growth rate (1/v) dv/dt")
    right.set_ylabel("learning-rate multiplier")
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    told = (
        "Growth rate of one mode with eigenvalue λ among nine equal ones (v* = λ* = 1, no noise). "
        "Plain losses slow a small mode down in proportion to its own eigenvalue, isotropic ones "
        "do not; dotted, the asymptotes 2λ (Euclidean) and 2λ/(n − 2) (cosine, n equal modes), "
        "without the factor λ for the isotropic losses. Right: the effective learning-rate "
        "multiplier, that is the growth rate over that of the isotropic loss in the same "
        "spectrum: λ^(1−β) in the family δ/λ^β, in the Euclidean (wide, pale) and the cosine "
        "family alike. Lines: the vector field of the mode dynamics, exact closure."
    )
    return told + deviation_sentence("one step of networks", numbers, "growth_rate")
