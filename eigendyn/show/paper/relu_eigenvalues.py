"""Draw Figure 6b: eigenvalues of W Wᵀ of a ReLU network over training; networks only.

Source: Halvagal et al. 2023, Figure 6b.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from eigendyn.settings.spectrum import published_weights
from eigendyn.show.paper.relu import networks_note, train_panels
from eigendyn.show.paper.variants import panels
from eigendyn.show.paper.work import Numbers, Work

LIMITS = (1e-2, 10.0)


def numbers(work: Work) -> Numbers:
    """Train the networks of every panel; nothing if there are to be none."""
    return train_panels(
        work,
        "6b",
        published_weights(),
        None,
        "encoder_eigenvalue",
        lambda panel: panel.published["learning_rate"],
    )


def draw(numbers: Numbers) -> Figure:
    """Two rows of four panels, as in the paper."""
    figure = Figure(figsize=(6.0, 3.2))
    axes = figure.subplots(2, 4, sharey=True)
    for panel in panels():
        ax, found = axes[panel.row, panel.column], numbers[f"{panel.name}/networks"]
        values = found["encoder_eigenvalue"].mean("seed")
        ax.plot(found["step"], values.T, color=panel.colour, lw=0.9)
        ax.set_title(panel.symbol)
        ax.set_yscale("log")
        ax.set_ylim(*LIMITS)
        ax.set_xlim(0, found["step"].values[-1])
        ax.set_xticks([0, found["step"].values[-1] if not panel.predictor else 1_000])
        if panel.row == 1:
            ax.set_xlabel("iteration")
        if panel.column == 0:
            ax.set_ylabel("eigenvalue λ")
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    return (
        "Eigenvalues of W Wᵀ in a ReLU network (ten dimensions), from the published start and in "
        "the published settings, in the layout of the paper's Figure 6b. " + networks_note(numbers)
    )
