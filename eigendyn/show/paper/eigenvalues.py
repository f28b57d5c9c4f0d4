"""Draw Figure 2b: eigenvalues of ten modes over training, for every loss and variant.

Source: Halvagal et al. 2023, Figure 2b.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eigendyn.crosschecks.verdict import FALSE_ALARM
from eigendyn.settings.spectrum import published_weights
from eigendyn.show.paper.variants import (
    AS_PUBLISHED,
    NOISE,
    NOT_THE_GRADIENT,
    Panel,
    panels,
    published_update,
)
from eigendyn.show.paper.words import agreement_sentence, theory_sentence
from eigendyn.show.paper.work import Numbers, Work
from eigendyn.show.plot.style import DESCENT

SAVES = 101
DOTS = 11  # a line
LIMITS = (1e-2, 10.0)


def numbers(work: Work) -> Numbers:
    """Follow the eigenvalues in every panel."""
    weights = published_weights()

    def make(panel: Panel) -> Numbers:
        loss = published_update() if panel.as_published else panel.loss
        return work.panel(
            f"2b-{panel.name}",
            loss,
            weights,
            false_alarm=FALSE_ALARM / len(panels()),
            saves=SAVES,
            **NOISE,
            **({} if panel.as_published else panel.variant),
            **panel.published,
        )

    return work.each(make, {panel.name: panel for panel in (AS_PUBLISHED, *panels())})


def draw(numbers: Numbers) -> Figure:
    """Two rows as in the paper, and the published update to the left of the true gradient."""
    figure = Figure(figsize=(6.8, 3.2))
    axes = figure.subplots(2, 5, sharey=True)
    for panel in (AS_PUBLISHED, *panels()):
        ax = axes[panel.row, panel.column + 1]
        _draw_panel(ax, numbers, panel)
        ax.set_title(panel.symbol, fontsize=8 if panel.as_published else 9)
        ax.set_yscale("log")
        ax.set_ylim(*LIMITS)
        ax.set_xlim(left=0)
        ax.set_xticks([0, 100_000] if not panel.predictor else [0, 1_000])
        if panel.row == 1:
            ax.set_xlabel("iteration")
    for ax in (axes[0, 1], axes[1, 0]):
        ax.set_ylabel("eigenvalue λ")
        ax.tick_params(labelleft=True)
    key = axes[0, 0]
    key.set_axis_off()
    handles = key.plot([], [], color="0.3", label="theory")
    if any(path.endswith("/agreement") for path in numbers):
        handles += key.plot([], [], **DESCENT, label="networks")
    key.legend(handles=handles, loc="center")
    key.set_title(NOT_THE_GRADIENT, y=0.0, fontsize=6.5)
    return figure


def _draw_panel(ax: Axes, numbers: Numbers, panel: Panel) -> None:
    theory = numbers[f"{panel.name}/theory"]
    ax.plot(theory["step"], theory["variance"].T, color=panel.colour, lw=0.9)
    compared = numbers.get(f"{panel.name}/agreement")
    if compared is not None:
        step = compared["step"].values
        count = max(1, round(DOTS * step[-1] / theory["step"].values[-1]))  # keep their distance
        dots = np.linspace(len(step) - 1, 0, count, endpoint=False).round().astype(int)
        ax.plot(step[dots], compared["networks"].values[:, dots].T ** 2, **DESCENT)


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    return " ".join(
        [
            "Eigenvalues of ten modes over training, from the published start and in the published "
            "settings (σ₂ = 0.1), in the layout of the paper's Figure 2b. Without stop-gradient "
            "modes collapse, without predictor almost nothing moves in 1,500 steps, so 100,000 are "
            "shown; under the plain losses small modes lag behind, as their eigenvalue multiplies "
            "their learning rate, and under the isotropic ones all modes keep pace. The panel 'as "
            "published' follows the published update for the cosine loss without stop-gradient, "
            "which is not the gradient of that loss (its target branch is divided by ‖λz1‖³‖z2‖ "
            "instead of ‖λz1‖‖z2‖³, and multiplies the first view): its eigenvalues diverge. The "
            "panel right of it is the true gradient, which conserves their sum while the spectrum "
            "collapses in dimension.",
            theory_sentence(one for path, one in numbers.items() if path.endswith("/theory")),
            agreement_sentence(numbers),
        ]
    )
