"""Draw recruitment time against initial eigenvalue over six decades.

Source: Halvagal et al. 2023 for the rates that the time is a quadrature of.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray
from matplotlib.figure import Figure
from numpy.typing import NDArray

from eigendyn.analysis.rates.recruitment import orbit, recruitment_curve
from eigendyn.results.arrivals import recruitment_times
from eigendyn.settings.choices import LOSS_NAMES, LOSS_ROWS
from eigendyn.show.paper.words import deviation_sentence
from eigendyn.show.paper.work import CLOSURE_ACCURACY, Numbers, Work
from eigendyn.show.plot.style import DESCENT, loss_symbol

MODES = 10
EIGENVALUES = np.geomspace(1e-6, 0.5, 58)
MEASURED = (0.1, 0.2, 0.4)
NOISELESS: dict[str, Any] = {"sigma1": 0.0, "sigma2": 0.0}
LONGER = 2.5  # networks are trained so much longer than recruitment should take
SMALL = 1e-4  # eigenvalues below it show the slope


def numbers(work: Work) -> Numbers:
    """Recruitment times of one mode among nine equal ones that end at λ = 1."""

    def make(loss: str) -> Numbers:
        exact = {"closure_accuracy": CLOSURE_ACCURACY, **NOISELESS}
        times = recruitment_curve(loss, EIGENVALUES, MODES, **exact)
        theory = xarray.Dataset(
            {"recruitment_time": ("eigenvalue", times, {"units": "learning rate × step"})},
            coords={"eigenvalue": ("eigenvalue", EIGENVALUES, {"units": "variance"})},
            attrs={"loss": loss, "slope": _slope(times), **exact},
        )
        if work.descents is None:
            return {"theory": theory}
        return {"theory": theory, "networks": _measure(work, loss)}

    return work.each(make, {loss: loss for loss in LOSS_NAMES})


def _slope(times: NDArray) -> float:
    """Slope of log time over log eigenvalue where eigenvalues are small."""
    small = EIGENVALUES < SMALL
    return float(np.polyfit(np.log(EIGENVALUES[small]), np.log(times[small]), 1)[0])


def _measure(work: Work, loss: str) -> xarray.Dataset:
    """Recruitment times of networks, one per seed."""
    expected = recruitment_curve(loss, MEASURED, MODES, **NOISELESS)
    rate = LOSS_ROWS[loss].learning_rate
    found = []
    for number, spectrum in enumerate(orbit(loss, MEASURED, MODES, **NOISELESS)):
        values, times = work.singular_values(
            f"recruitment-{loss}-{number}",
            spectrum,
            loss=loss,
            learning_rate=rate,
            steps=int(LONGER * expected[number] / rate),
            saves=401,
            **NOISELESS,
        )
        variance = values[:, int(values[0, :, 0].argmin())] ** 2
        found.append(recruitment_times(times, variance))
    return xarray.Dataset(
        {"recruitment_time": (("eigenvalue", "seed"), np.array(found), {"units": "time"})},
        coords={"eigenvalue": ("eigenvalue", np.array(MEASURED), {"units": "variance"})},
    )


def draw(numbers: Numbers) -> Figure:
    """Draw time over eigenvalue, slopes beside the lines."""
    figure = Figure(figsize=(4.4, 3.2))
    ax = figure.subplots()
    for loss in LOSS_NAMES:
        theory = numbers[f"{loss}/theory"]
        time = theory["recruitment_time"]
        slope = f"{theory.attrs['slope']:.2f}".replace("-", "−")
        label = f"{loss_symbol(loss)}, slope {slope}"
        ax.plot(time["eigenvalue"], time, color=LOSS_ROWS[loss].colour, label=label)
        if f"{loss}/networks" in numbers:
            found = numbers[f"{loss}/networks"]["recruitment_time"].mean("seed")
            ax.plot(found["eigenvalue"], found, **DESCENT)
    if any(path.endswith("/networks") for path in numbers):
        ax.plot([], [], **DESCENT, label="networks")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("initial eigenvalue λ₀")
    ax.set_ylabel("recruitment time (learning rate × step)")
    ax.legend()
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    slopes = ", ".join(
        f"{loss} {numbers[f'{loss}/theory'].attrs['slope']:.3f}" for loss in LOSS_NAMES
    )
    told = (
        "Time until one mode among nine equal ones is within 5 % of its end value λ = 1, over its "
        "initial eigenvalue (no noise; time is learning rate × step). Under the plain losses it is "
        "inversely proportional, t ≈ 1/(2λ₀) for the Euclidean and t ≈ (n − 2)λ*v*/(2λ₀) for the "
        "cosine loss, with n equal modes at v*; under the isotropic ones it grows with ln(1/λ₀). "
        f"Slopes of log t over log λ₀ below λ₀ = 1e-4: {slopes}. Lines: quadrature of the exact "
        "growth rate along the orbit, on which the other modes keep what the loss conserves."
    )
    return told + deviation_sentence("networks", numbers, "recruitment_time")
