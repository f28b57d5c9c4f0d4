"""Draw spectra of deep networks over epochs, and what can be read out of them, loss by loss.

Source: Halvagal et al. 2023, Figure 3, which has other images and networks.
"""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from eigendyn.settings.choices import LOSS_NAMES, LOSS_ROWS
from eigendyn.show.paper.deep.runs import (
    deep_runs,
    recruited_sentence,
    size_sentence,
    spectrum_sentence,
)
from eigendyn.show.paper.work import Numbers, Work
from eigendyn.show.plot.style import loss_symbol
from eigendyn.show.plot.training import draw_over_seeds, draw_spectrum, name_forecast, of_epochs
from eigendyn.show.report.mean import Mean
from eigendyn.show.report.training import shortfall

KEPT = ("variance", "forecast", "linear_accuracy")
TARGET = "ema"


def numbers(work: Work) -> Numbers:
    """Train networks under every loss, with an EMA target."""
    return deep_runs([f"{loss}-{TARGET}" for loss in LOSS_NAMES], KEPT, work)


def draw(numbers: Numbers) -> Figure:
    """Spectra above, one panel for each loss, the forecast dashed; below, the linear readouts."""
    figure = Figure(figsize=(7.2, 4.6))
    rows = figure.add_gridspec(2, 1, height_ratios=(1.4, 1.0))
    above: Any = rows[0].subgridspec(1, len(LOSS_NAMES)).subplots(sharey=True)
    below = figure.add_subplot(rows[1])
    levels = []
    for ax, loss in zip(above, LOSS_NAMES, strict=True):
        run = numbers[f"{loss}-{TARGET}/training"]
        draw_spectrum(run, ax)
        ax.set_title(loss_symbol(loss))
        ax.label_outer()
        levels.append(ax.get_ylim())
        draw_over_seeds(
            below, run["linear_accuracy"], color=LOSS_ROWS[loss].colour, label=loss_symbol(loss)
        )
    name_forecast(above[0])
    above[0].set_ylim(min(low for low, _ in levels), max(high for _, high in levels))
    run = next(iter(numbers.values()))
    below.axhline(
        run.attrs["raw_linear_accuracy"], color="0.3", lw=0.8, ls="--", label="raw pixels"
    )
    untrained = float(run["linear_accuracy"][:, 0].mean())
    below.axhline(untrained, color="0.3", lw=0.8, ls=":", label="untrained encoder")
    of_epochs(below, run)
    below.set_ylabel("linear readout")
    below.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see, and what it has to stand beside."""
    told = []
    for loss in LOSS_NAMES:
        run = numbers[f"{loss}-{TARGET}/training"]
        end, below = Mean.of(run["linear_accuracy"].values[:, -1]), shortfall(run, "linear")
        verdict = f"not above {' nor '.join(below)}" if below else "above both"
        told.append(f"{loss} {end.told(0.01)} % ({verdict})")
    raw = next(iter(numbers.values())).attrs["raw_linear_accuracy"]
    return " ".join(
        [
            size_sentence(numbers),
            spectrum_sentence(numbers),
            "Below: accuracy of a linear readout of "
            f"the features on test images, beside raw pixels ({raw:.1%}) and "
            "the untrained encoder; a claim of learning counts only above both, beyond "
            f"chance (t test over seeds). At the end: {'; '.join(told)}.",
            recruited_sentence(numbers),
        ]
    )
