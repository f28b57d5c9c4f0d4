"""Draw deep networks with and without an EMA target: effective rank and readout over epochs.

Source: Halvagal et al. 2023, Figure 7, which has other images and networks.
"""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from eigendyn.settings.choices import LOSS_NAMES, LOSS_ROWS
from eigendyn.show.paper.deep.runs import EMA, TARGETS, deep_runs, recruited_sentence, size_sentence
from eigendyn.show.paper.work import Numbers, Work
from eigendyn.show.plot.style import loss_symbol
from eigendyn.show.plot.training import draw_over_seeds, of_epochs
from eigendyn.show.report.mean import Mean

KEPT = ("variance", "linear_accuracy", "rankme")
LOOKS: dict[str, dict[str, Any]] = {"shared": {"ls": "-"}, "ema": {"ls": "--", "color": "0.15"}}
ROWS = {"linear_accuracy": "linear readout", "rankme": "effective rank"}


def numbers(work: Work) -> Numbers:
    """Train networks under every loss, with both targets."""
    names = [f"{loss}-{target}" for loss in LOSS_NAMES for target in TARGETS]
    return deep_runs(names, KEPT, work)


def draw(numbers: Numbers) -> Figure:
    """Draw a column for each loss: readout above, effective rank below; dashed with EMA target."""
    figure = Figure(figsize=(7.2, 4.0))
    axes = figure.subplots(len(ROWS), len(LOSS_NAMES), sharey="row", sharex=True)
    for column, loss in enumerate(LOSS_NAMES):
        for row, name in enumerate(ROWS):
            ax = axes[row, column]
            for target, look in LOOKS.items():
                run = numbers[f"{loss}-{target}/training"]
                draw_over_seeds(ax, run[name], **{"color": LOSS_ROWS[loss].colour, **look})
                of_epochs(ax, run)
            ax.label_outer()
        raw = numbers[f"{loss}-shared/training"].attrs["raw_linear_accuracy"]
        axes[0, column].axhline(raw, color="0.3", lw=0.8, ls=":")
        axes[0, column].set_title(loss_symbol(loss))
    for ax, words in zip(axes[:, 0], ROWS.values(), strict=True):
        ax.set_ylabel(words)
    first = next(iter(LOSS_ROWS.values()))
    axes[0, 0].plot([], [], **LOOKS["shared"], color=first.colour, label="shared target")
    axes[0, 0].plot([], [], **LOOKS["ema"], label=f"EMA target, {EMA['ema']:g}")
    axes[0, 0].plot([], [], ":", color="0.3", lw=0.8, label="raw pixels")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see: by how much the EMA target changes the readout, seed by seed."""
    told = []
    for loss in LOSS_NAMES:
        shared, ema = (
            numbers[f"{loss}-{target}/training"]["linear_accuracy"].values[:, -1]
            for target in ("shared", "ema")
        )
        change = Mean.of(ema - shared)
        chance = "" if change.sign else " (not told from chance)"
        told.append(
            f"{loss} {Mean.of(shared).told(0.01)} % without, {Mean.of(ema).told(0.01)} % with, "
            f"paired difference {change.told(0.01)}{chance}"
        )
    return " ".join(
        [
            size_sentence(numbers),
            f"Dashed: with an EMA target (momentum {EMA['ema']:g}); solid: the target shares the "
            "encoder's weights. Accuracy of the linear readout on test images at the end: "
            f"{'; '.join(told)}.",
            recruited_sentence(numbers),
        ]
    )
