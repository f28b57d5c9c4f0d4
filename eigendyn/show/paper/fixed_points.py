"""Draw Figure 5: where two modes end from three starts, under two losses.

Source: Halvagal et al. 2023, Figure 5.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from eigendyn.crosschecks.verdict import FALSE_ALARM
from eigendyn.settings.spectrum import published_weights
from eigendyn.show.paper.variants import FAMILIES, NOISE
from eigendyn.show.paper.words import agreement_sentence, theory_sentence
from eigendyn.show.paper.work import Numbers, Work
from eigendyn.show.plot.style import DESCENT, loss_symbol

RUN = {"learning_rate": 0.01, "steps": 1_500, "saves": 101}
MODES = (("λ₂", "#CC79A7"), ("λ₁", "#009E73"))
DOTS = 9


def numbers(work: Work) -> Numbers:
    """Follow two modes from three starts, under both losses."""
    starts = published_weights("fixed_points")
    wanted = {f"{loss}-{n}": (loss, n) for loss in FAMILIES for n in range(len(starts))}

    def make(one: tuple[str, int]) -> Numbers:
        loss, number = one
        rate = FALSE_ALARM / len(wanted)
        return work.panel(f"5-{loss}-{number}", loss, starts[number], rate, **RUN, **NOISE)

    return work.each(make, wanted)


def draw(numbers: Numbers) -> Figure:
    """Draw both modes of every start, one panel for each loss."""
    figure = Figure(figsize=(4.8, 2.4))
    axes = figure.subplots(1, 2, sharey=True)
    for path, data in numbers.items():
        ax = axes[FAMILIES.index(path.split("-")[0])]
        for mode, (_, colour) in enumerate(MODES):
            if path.endswith("/theory"):
                ax.plot(data["step"], data["variance"][mode], color=colour, lw=1.6, alpha=0.8)
            else:
                dots = np.linspace(0, data.sizes["time"] - 1, DOTS).round().astype(int)
                values = data["networks"].values[mode, dots] ** 2
                ax.plot(data["step"].values[dots], values, **DESCENT, clip_on=False)
    for loss, ax in zip(FAMILIES, axes, strict=True):
        ax.set_title(loss_symbol(loss))
        ax.set_xlabel("iteration")
        ax.set_xlim(0, RUN["steps"])
        ax.set_ylim(0, 2)
        ax.set_yticks([0, 1, 2])
    first = axes[0]
    first.set_ylabel("eigenvalue λ")
    for label, colour in MODES:
        first.plot([], [], color=colour, lw=1.6, label=label)
    if any(path.endswith("/agreement") for path in numbers):
        first.plot([], [], **DESCENT, label="networks")
    first.legend(loc="upper right")
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    theory = {path: one for path, one in numbers.items() if path.endswith("/theory")}
    kept = ", ".join(
        f"{one['variance'].values[:, -1].mean():.3g}"
        for path, one in theory.items()
        if path.startswith("cosine")
    )
    return " ".join(
        [
            "Two modes from the three published starts (learning rate 0.01). Under the Euclidean "
            "loss every start ends at λ = 1; the cosine loss keeps the sum of eigenvalues, so "
            f"that both modes end at the mean of their start, here {kept}. In the layout of the "
            "paper's Figure 5.",
            theory_sentence(theory.values()),
            agreement_sentence(numbers),
        ]
    )
