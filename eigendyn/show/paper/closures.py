"""Draw how wrong the closures are: exact, mean field and sampled, against networks.

Source: the closures of this package; Halvagal et al. 2023 for the cosine loss.
"""

from __future__ import annotations

import numpy as np
import xarray
from matplotlib.figure import Figure
from numpy.typing import NDArray

from eigendyn.analysis.rates.growth_rates import variance_rates
from eigendyn.settings.choices import LOSS_ROWS
from eigendyn.show.paper.work import CLOSURE_ACCURACY, Numbers, Work
from eigendyn.show.plot.style import DESCENT

MODES = (2, 3, 5, 10, 20, 50, 100)
SPREAD = (1.0, 0.1)  # largest and smallest variance; the others lie geometrically between
DRAWS = 8  # of the sampled closure
SAMPLES = 10_000
LOSS = "cosine"
LEARNING_RATE = 0.01  # of the one step that networks are measured by


def numbers(work: Work) -> Numbers:
    """Relative error of dv/dt under every closure, and in the first step of networks."""
    largest, smallest = SPREAD
    spectra = np.zeros((len(MODES), max(MODES)))  # modes at zero variance take no part
    for spectrum, modes in zip(spectra, MODES, strict=True):
        spectrum[:modes] = np.geomspace(largest, smallest, modes)
    exact = variance_rates(LOSS, spectra, closure_accuracy=CLOSURE_ACCURACY)
    errors = {
        "mean_field": _error(variance_rates(LOSS, spectra, closure="mean-field"), exact),
        "sampled": np.sqrt(
            np.mean(
                [
                    _error(
                        variance_rates(
                            LOSS, spectra, closure="sampled", samples=SAMPLES, seed=seed
                        ),
                        exact,
                    )
                    ** 2
                    for seed in range(DRAWS)
                ],
                axis=0,
            )
        ),
    }
    if work.descents is not None:
        wanted = {str(modes): (modes, one) for modes, one in zip(MODES, spectra, strict=True)}
        measured = work.each(lambda one: {"networks": _measure(work, *one)}, wanted).values()
        mean, error = (np.array([one[name] for one in measured]) for name in ("mean", "error"))
        errors["networks"] = _error(mean, exact)
        errors["networks_standard_error"] = _error(exact + error, exact)
    table = xarray.Dataset(
        {name: ("modes", values, {"units": "1"}) for name, values in errors.items()},
        coords={"modes": ("modes", np.array(MODES), {"units": "modes"})},
        attrs={"loss": LOSS, "samples": SAMPLES, "draws": DRAWS},
    )
    return {"errors": table}


def _measure(work: Work, modes: int, spectrum: NDArray) -> xarray.Dataset:
    """dv/dt in the first step of networks: mean and standard error, zero where there is no mode."""
    values, _ = work.singular_values(
        f"closures-{modes}",
        spectrum[:modes],
        loss=LOSS,
        learning_rate=LEARNING_RATE,
        steps=1,
        saves=2,
    )
    rates = np.zeros((len(values), len(spectrum)))
    rates[:, :modes] = 2 * values[..., 0] * np.diff(values)[..., 0] / LEARNING_RATE
    error = rates.std(0, ddof=1) / np.sqrt(len(rates))
    return xarray.Dataset({"mean": ("mode", rates.mean(0)), "error": ("mode", error)})


def _error(rates: NDArray, exact: NDArray) -> NDArray:
    """Relative deviation of each spectrum's rates."""
    return np.linalg.norm(rates - exact, axis=1) / np.linalg.norm(exact, axis=1)


def draw(numbers: Numbers) -> Figure:
    """Draw errors over the number of modes."""
    figure = Figure(figsize=(4.4, 3.0))
    ax = figure.subplots()
    errors = numbers["errors"]
    modes = errors["modes"]
    ax.plot(modes, errors["mean_field"], "-s", color="#009E73", ms=3, label="mean field")
    ax.plot(modes, errors["sampled"], "--", color="#CC79A7", label=f"sampled, {SAMPLES:,} samples")
    if "networks" in errors:
        ax.plot(modes, errors["networks"], **DESCENT, label="networks (one step)")
        ax.plot(
            modes, errors["networks_standard_error"], ":", color="0.3", label="their standard error"
        )
    ax.axhline(CLOSURE_ACCURACY, color=LOSS_ROWS[LOSS].colour, label="exact, accuracy asked for")
    ax.set_xscale("log")
    ax.set_xticks(MODES, [str(number) for number in MODES])
    ax.minorticks_off()
    ax.set_yscale("log")
    ax.set_xlabel("number of modes")
    ax.set_ylabel("relative deviation of dv/dt\nfrom the exact closure")
    ax.set_ylim(CLOSURE_ACCURACY / 3, 3)
    ax.legend(loc="center left", bbox_to_anchor=(0, 0.35))
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    errors = numbers["errors"]
    mean_field = errors["mean_field"]
    told = (
        "Deviation of the vector field of the cosine loss from the exact closure (‖dv/dt − "
        "exact‖/‖exact‖, variances between 0.1 and 1, σ₂ = 0.1), over the number of modes. The "
        f"mean field is wrong by {float(mean_field[0]):.0%} for 2 modes and "
        f"{float(mean_field[-1]):.1%} for 100, falling as 1/modes; {SAMPLES:,} samples err by "
        "their standard error."
    )
    if "networks" in errors:
        ratio = float((errors["networks"] / errors["networks_standard_error"]).max())
        told += (
            " Dots: the first step of networks trained by gradient descent, which agrees with the "
            f"exact closure to at most {ratio:.1f} times its own standard error and decides "
            "between the closures where the mean field's error is larger."
        )
    return told
