"""Draw what scale-invariant losses conserve, along expected steps and networks.

Source: Halvagal et al. 2023 for the cosine loss; derivations/conservation.py.
"""

from __future__ import annotations

import numpy as np
import xarray
from matplotlib.figure import Figure
from numpy.typing import NDArray

from eigendyn.results.dataset import kept_quantities
from eigendyn.settings.spectrum import published_weights, variances_from_weights
from eigendyn.show.paper.variants import NOISE, Panel
from eigendyn.show.paper.work import CLOSURE_ACCURACY, Numbers, Work
from eigendyn.show.plot.style import DESCENT
from eigendyn.simulation.simulate import conserved_values, simulate

PANELS = (
    Panel(0, 0, "cosine", stop_gradient=False),
    Panel(0, 1, "cosine", predictor=False),
    Panel(0, 2, "cosine"),
    Panel(0, 3, "iso-cosine"),
)
RATES = (0.1, 0.01, 0.001)  # learning rates of the expected steps; networks take the first
LOOKS = ("-", "--", ":")
TIME = 15.0
SAVES = 101


def numbers(work: Work) -> Numbers:
    """Relative drift of the conserved quantity, in every panel."""
    weights = published_weights()
    variances = variances_from_weights(weights)

    def make(panel: Panel) -> Numbers:
        exact = {"closure_accuracy": CLOSURE_ACCURACY, "saves": SAVES, **panel.variant, **NOISE}
        runs = {
            f"steps-{rate:g}": simulate(
                panel.loss,
                variances,
                method="steps",
                learning_rate=rate,
                steps=round(TIME / rate),
                **exact,
            )
            for rate in RATES
        }
        trained = work.networks(
            f"conservation-{panel.name}",
            weights,
            measures=("encoder_eigenvalue",),
            loss=panel.loss,
            **panel.variant,
            learning_rate=RATES[0],
            steps=round(TIME / RATES[0]),
            saves=SAVES,
            **NOISE,
        )
        conserved = next(iter(kept_quantities(runs[f"steps-{RATES[0]:g}"])))
        groups = {
            name: _drift(run["time"].values, run["conserved_1"].values, conserved)
            for name, run in runs.items()
        }
        if trained is not None:
            spectra = np.maximum(trained["encoder_eigenvalue"].mean("seed").values.T, 0)
            values = conserved_values(panel.loss, spectra, **panel.variant)[conserved]
            groups["networks"] = _drift(trained["time"].values, values, conserved)
        return groups

    return work.each(make, {panel.name: panel for panel in PANELS})


def _drift(times: NDArray, values: NDArray, conserved: str) -> xarray.Dataset:
    drift = np.abs(values / values[0] - 1)
    return xarray.Dataset(
        {"drift": ("time", drift, {"long_name": "relative drift", "units": "1"})},
        coords={"time": ("time", times, {"units": "learning rate × step"})},
        attrs={"conserved": conserved},
    )


def draw(numbers: Numbers) -> Figure:
    """Draw the drift over time, one panel for each loss."""
    figure = Figure(figsize=(6.8, 2.3))
    axes = figure.subplots(1, len(PANELS), sharey=True)
    for ax, panel in zip(axes, PANELS, strict=True):
        for rate, look in zip(RATES, LOOKS, strict=True):
            drift = numbers[f"{panel.name}/steps-{rate:g}"]["drift"][1:]
            ax.plot(drift["time"], drift, look, color=panel.colour)
        if f"{panel.name}/networks" in numbers:
            drift = numbers[f"{panel.name}/networks"]["drift"][1::16]
            ax.plot(drift["time"], drift, **DESCENT)
        conserved = numbers[f"{panel.name}/steps-{RATES[0]:g}"].attrs["conserved"]
        ax.set_title(f"{panel.symbol}\n{conserved.replace('^2', '²')}", fontsize=7.5)
        ax.set_yscale("log")
        ax.set_xlim(0, TIME)
    axes[0].set_ylabel("relative drift")
    figure.supxlabel("time (learning rate × step)", fontsize="medium")
    for rate, look in zip(RATES, LOOKS, strict=True):
        axes[-1].plot([], [], look, color="0.3", label=f"steps, η = {rate:g}")
    if any(path.endswith("/networks") for path in numbers):
        axes[-1].plot([], [], **DESCENT, label="networks, η = 0.1")
    axes[-1].legend(loc="lower center")
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    largest = {
        rate: max(numbers[f"{panel.name}/steps-{rate:g}"]["drift"].values.max() for panel in PANELS)
        for rate in RATES
    }
    told_drift = ", ".join(f"{drift:.1e} at η = {rate:g}" for rate, drift in largest.items())
    told = (
        "Relative drift of what the cosine losses conserve along gradient flow: the sum of "
        "variances, for scale invariance, and the sum of their squares under the isotropic form "
        "(published start). Gradient steps add η²‖∇‖² each, a drift in proportion to the learning "
        f"rate η, which vanishes in the flow: at most {told_drift}."
    )
    if f"{PANELS[0].name}/networks" in numbers:
        told += " Networks on finite batches drift more, by the noise of their gradients."
    return told
