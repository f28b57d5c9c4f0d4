"""Draw Figure 7's theory counterpart: recruitment with and without an EMA target.

Source: Halvagal et al. 2023, Figure 7, which has deep networks.
"""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from eigendyn.settings.choices import LOSS_NAMES, LOSS_ROWS
from eigendyn.settings.spectrum import published_weights
from eigendyn.show.paper.extent import until_still
from eigendyn.show.paper.variants import NOISE
from eigendyn.show.paper.words import theory_sentence
from eigendyn.show.paper.work import Numbers, Work
from eigendyn.show.plot.style import loss_symbol

EMA = 0.99
RUN = {"learning_rate": 0.1, "steps": 3_000, "saves": 301}
TARGETS = {"shared": {}, "ema": {"target": "ema", "ema": EMA}}
LIMITS = (1e-2, 4.0)
COLUMNS = 2
LOOKS: dict[str, dict[str, Any]] = {  # where both run together, both are seen
    "shared": {"lw": 2.8, "alpha": 0.5, "solid_capstyle": "butt"},
    "ema": {"lw": 0.7, "color": "0.15"},
}


def numbers(work: Work) -> Numbers:
    """Follow ten modes under every loss, with both targets."""
    weights = published_weights()
    wanted = {f"{loss}/{target}": (loss, target) for loss in LOSS_NAMES for target in TARGETS}

    def make(one: tuple[str, str]) -> Numbers:
        loss, target = one
        return {"theory": work.expected_steps(loss, weights, **RUN, **NOISE, **TARGETS[target])}

    return work.each(make, wanted)


def draw(numbers: Numbers) -> Figure:
    """Draw a panel for each loss, two in a row; thin lines with an EMA target, over pale ones."""
    rows = -(-len(LOSS_NAMES) // COLUMNS)
    figure = Figure(figsize=(5.2, 1.8 * rows))
    axes = figure.subplots(rows, COLUMNS, sharey=True)
    for ax in axes.flat[len(LOSS_NAMES) :]:
        ax.remove()
    for place, loss in enumerate(LOSS_NAMES):
        ax = axes.flat[place]
        runs = {target: numbers[f"{loss}/{target}/theory"] for target in TARGETS}
        for target, run in runs.items():
            look = LOOKS[target] | ({"color": LOSS_ROWS[loss].colour} if target == "shared" else {})
            ax.plot(run["step"], run["variance"].T, **look)
        ax.set_title(loss_symbol(loss))
        ax.set_yscale("log")
        ax.set_ylim(*LIMITS)
        variances = [run["variance"].values for run in runs.values()]
        ax.set_xlim(0, until_still(runs["ema"]["step"].values, *variances))
        if place % COLUMNS == 0:
            ax.set_ylabel("eigenvalue λ")
        if place + COLUMNS >= len(LOSS_NAMES):
            ax.set_xlabel("iteration")
    first = next(iter(LOSS_ROWS.values()))
    axes[0, 0].plot([], [], **LOOKS["shared"], color=first.colour, label="shared target")
    axes[0, 0].plot([], [], **LOOKS["ema"], label=f"EMA target, momentum {EMA}")
    axes[0, 0].legend(loc="lower right")
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    last = {
        (loss, target): float(numbers[f"{loss}/{target}/theory"]["recruitment_time"].max())
        for loss in LOSS_NAMES
        for target in TARGETS
    }
    told = "; ".join(
        f"{loss} {last[loss, 'shared']:.3g} with a shared target, {last[loss, 'ema']:.3g} with EMA"
        for loss in LOSS_NAMES
    )
    return " ".join(
        [
            "Theory counterpart of the paper's Figure 7, not a reproduction: the paper trains deep "
            "networks, here ten modes follow the exact mode dynamics with the state of the target "
            f"beside that of the encoder (EMA momentum {EMA}, learning rate 0.1). A target that "
            "lags delays modes that grow and modes that shrink alike; the order of recruitment "
            "stays, and the isotropic losses recruit all modes with and without it. "
            f"Time until the last mode is within 5 % of its end value: {told}.",
            theory_sentence(numbers.values()),
        ]
    )
