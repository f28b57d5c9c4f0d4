"""Draw what weight decay leaves of the spectra of deep networks, plain and isotropic.

Source: Halvagal et al. 2023, Figure 8, which has other images and networks.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from eigendyn.show.paper.deep.runs import (
    DECAYING,
    DECAYS,
    decayed,
    deep_runs,
    recruited_sentence,
    size_sentence,
    spectrum_sentence,
)
from eigendyn.show.paper.work import Numbers, Work
from eigendyn.show.plot.style import loss_symbol
from eigendyn.show.plot.training import draw_spectrum, name_forecast
from eigendyn.show.report.mean import Mean

KEPT = ("variance", "forecast", "linear_accuracy", "rankme")


def numbers(work: Work) -> Numbers:
    """Train networks under both losses at every weight decay, with an EMA target."""
    return deep_runs([decayed(loss, decay) for loss in DECAYING for decay in DECAYS], KEPT, work)


def draw(numbers: Numbers) -> Figure:
    """Plain loss above, isotropic one below; weight decay grows to the right."""
    figure = Figure(figsize=(7.2, 4.2))
    axes = figure.subplots(len(DECAYING), len(DECAYS), sharey=True)
    levels = []
    for row, loss in enumerate(DECAYING):
        for ax, decay in zip(axes[row], DECAYS, strict=True):
            draw_spectrum(numbers[f"{decayed(loss, decay)}/training"], ax)
            levels.append(ax.get_ylim())
            ax.set_title(f"{loss_symbol(loss)}, ω = {decay:g}")
            ax.label_outer()
    name_forecast(axes[0, 0])
    axes[0, 0].set_ylim(min(low for low, _ in levels), max(high for _, high in levels))
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    told = []
    for loss in DECAYING:
        for decay in DECAYS:
            run = numbers[f"{decayed(loss, decay)}/training"]
            rank, accuracy = (
                Mean.of(run[name].values[:, -1]).told(unit)
                for name, unit in (("rankme", 1.0), ("linear_accuracy", 0.01))
            )
            told.append(f"{loss} at ω = {decay:g}: rank {rank}, readout {accuracy} %")
    return " ".join(
        [
            size_sentence(numbers),
            spectrum_sentence(numbers),
            "Weight decay ω of all weights grows to the right. Effective rank and linear readout "
            f"at the end: {'; '.join(told)}.",
            recruited_sentence(numbers),
        ]
    )
