"""Draw Figure 8's theory counterpart: weight decay at three strengths, two losses.

Source: Halvagal et al. 2023, Figure 8, which has deep networks.
"""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from eigendyn.settings.choices import LOSS_ROWS
from eigendyn.settings.spectrum import published_weights
from eigendyn.show.paper.extent import until_still
from eigendyn.show.paper.variants import NOISE
from eigendyn.show.paper.words import theory_sentence
from eigendyn.show.paper.work import Numbers, Work
from eigendyn.show.plot.style import loss_symbol

LOSSES = ("euclidean", "iso-euclidean")
STRENGTHS = (0.03, 0.1, 0.2)
RUN = {"learning_rate": 0.01, "steps": 6_000, "saves": 301}
LIMITS = (1e-3, 4.0)


def numbers(work: Work) -> Numbers:
    """Follow ten modes under both losses at every strength."""
    weights = published_weights()
    wanted = {f"{loss}/{strength}": (loss, strength) for loss in LOSSES for strength in STRENGTHS}

    def make(one: tuple[str, float]) -> Numbers:
        loss, strength = one
        run = work.expected_steps(loss, weights, weight_decay=strength, **RUN, **NOISE)
        return {"theory": run}

    return work.each(make, wanted)


def draw(numbers: Numbers) -> Figure:
    """Plain loss above, isotropic one below; weight decay grows to the right."""
    figure = Figure(figsize=(6.0, 3.4))
    axes = figure.subplots(len(LOSSES), len(STRENGTHS), sharey=True)
    for row, loss in enumerate(LOSSES):
        for ax, strength in zip(axes[row], STRENGTHS, strict=True):
            run = numbers[f"{loss}/{strength}/theory"]
            lost = run["outcome"].values == "collapsed"
            for mode, is_lost in enumerate(lost):
                alive = {"color": LOSS_ROWS[loss].colour}
                look = {"color": "0.55", "ls": "--"} if is_lost else alive
                ax.plot(run["step"], run["variance"][mode], **look)
            ax.set_yscale("log")
            ax.set_ylim(*LIMITS)
            extent = until_still(run["step"].values, run["variance"].values, above=LIMITS[0])
            ax.set_xlim(0, extent)
            ax.xaxis.set_major_locator(MaxNLocator(3))
            ax.set_title(f"{loss_symbol(loss)}, ω = {strength}")
        axes[row, 0].set_ylabel("eigenvalue λ")
    for ax in axes[-1]:
        ax.set_xlabel("iteration")
    axes[-1, -1].plot([], [], color=LOSS_ROWS[LOSSES[0]].colour, label="lives")
    axes[-1, -1].plot([], [], "--", color="0.55", label="dies")
    axes[-1, -1].legend(loc="lower right")
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    died = {
        loss: ", ".join(
            str(int((numbers[f"{loss}/{strength}/theory"]["outcome"] == "collapsed").sum()))
            for strength in STRENGTHS
        )
        for loss in LOSSES
    }
    return " ".join(
        [
            "Theory counterpart of the paper's Figure 8, not a reproduction: the paper trains deep "
            "networks, here ten modes follow the exact mode dynamics from the published start, "
            f"with weight decay ω = {', '.join(map(str, STRENGTHS))} (learning rate 0.01). Modes "
            f"that die under the Euclidean loss: {died['euclidean']}; under its isotropic form: "
            f"{died['iso-euclidean']}. A plain loss multiplies what a small mode learns by its own "
            "small eigenvalue, so that decay wins.",
            theory_sentence(numbers.values()),
        ]
    )
