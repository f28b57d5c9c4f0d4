"""Draw how far a deep network's predictor and correlation share their eigenvectors, over epochs.

Source: Halvagal et al. 2023, Figure 4, which has other images and networks; Tian et al. 2021.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from eigendyn.settings.choices import LOSS_NAMES
from eigendyn.show.paper.deep.runs import deep_runs, size_sentence
from eigendyn.show.paper.work import Numbers, Work
from eigendyn.show.plot.shades import colours
from eigendyn.show.plot.style import loss_symbol
from eigendyn.show.plot.training import draw_over_seeds, of_epochs
from eigendyn.show.report.mean import Mean

KEPT = ("alignment",)
TARGET = "ema"


def numbers(work: Work) -> Numbers:
    """Train networks under every loss, with an EMA target."""
    return deep_runs([f"{loss}-{TARGET}" for loss in LOSS_NAMES], KEPT, work)


def draw(numbers: Numbers) -> Figure:
    """Draw a panel for each loss: every mode's line, the largest darkest, and their mean black."""
    figure = Figure(figsize=(7.2, 2.6))
    axes = figure.subplots(1, len(LOSS_NAMES), sharey=True)
    for ax, loss in zip(axes, LOSS_NAMES, strict=True):
        run = numbers[f"{loss}-{TARGET}/training"]
        shades = colours()(np.linspace(0, 1, run.sizes["mode"]))
        for mode in reversed(range(run.sizes["mode"])):
            middle = run["alignment"].isel(mode=mode).median("seed")
            ax.plot(run["epoch"], middle, color=shades[mode], lw=0.7)
        draw_over_seeds(ax, run["alignment"].mean("mode"), color="0.1", lw=1.6, zorder=3)
        of_epochs(ax, run)
        ax.set_title(loss_symbol(loss))
    axes[0].set_ylabel("alignment with the predictor")
    axes[0].plot([], [], color="0.1", lw=1.6, label="mean over modes")
    axes[0].plot([], [], color=colours()(0.0), lw=0.7, label="largest mode")
    axes[0].plot([], [], color=colours()(1.0), lw=0.7, label="smallest mode")
    axes[0].set_ylim(top=1.0)
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    told = []
    for loss in LOSS_NAMES:
        over_modes = numbers[f"{loss}-{TARGET}/training"]["alignment"].mean("mode").values
        first, last = (Mean.of(over_modes[:, place]).told() for place in (0, -1))
        told.append(f"{loss} {first} → {last}")
    return " ".join(
        [
            size_sentence(numbers),
            "Alignment of a mode is the cosine of the angle between its eigenvector u of what both "
            "views share and W_P u, which is 1 where the predictor has that eigenvector too; the "
            "mode theory assumes it to be 1. From start to end, mean over modes ± standard error "
            f"over seeds: {'; '.join(told)}.",
        ]
    )
