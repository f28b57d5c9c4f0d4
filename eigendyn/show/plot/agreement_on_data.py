"""Draw the eigenvalues of networks on real data over time, with what the theories say of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from eigendyn.results.files import check_output
from eigendyn.settings.choices import PICTURE_SUFFIXES
from eigendyn.settings.keywords import takes
from eigendyn.show.plot.picture import SIZE, axes_to_draw_on, save_figure
from eigendyn.show.plot.shades import colours
from eigendyn.show.plot.spectrum import colour_scale
from eigendyn.show.plot.title import write_title
from eigendyn.show.report.agreement_on_data import check_tree

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

STYLES = {"aligned": ":", "matrix": "-"}
NETWORKS = {"fmt": "o", "ms": 3, "elinewidth": 1.0, "zorder": 3}
WORDS = {"aligned": "aligned modes", "matrix": "matrix"}


@takes()
def plot_on_data(tree: xarray.DataTree, ax: Axes | None = None) -> Axes:
    """Draw eigenvalues of W Σ₁₂ Wᵀ: networks as dots with bars, theories as lines.

    A dot is the mean over the networks with the larger batch; its bar goes from the smallest to
    the largest of them.

    Args:
        tree: A result of `crosscheck_data`.
        ax: Axes to draw on; None opens a pyplot figure.

    Returns:
        The axes: for each mode dots with bars, and one line for each theory.
    """
    check_tree(tree)
    ax = axes_to_draw_on(ax)
    compared, descent = (tree[name].to_dataset() for name in ("agreement", "descent"))
    large = descent["eigenvalue"].values[descent["batch"].values == descent["batch"].values.max()]
    first = descent["eigenvalue"].values[0, :, 0]
    scale = colour_scale(first)
    names = [name for name in STYLES if name in tree.children]
    for mode in range(len(first)):
        colour = colours()(scale(first[mode]))
        drawn = large[:, mode]
        mean = drawn.mean(axis=0)
        around = mean - drawn.min(axis=0), drawn.max(axis=0) - mean
        reach = [each.clip(0) for each in around]  # round-off where all agree
        ax.errorbar(descent["time"], mean, reach, color=colour, **NETWORKS)
        for name in names:
            side = tree[name].to_dataset()
            ax.plot(side["time"], side["eigenvalue"][mode], STYLES[name], color=colour, lw=1.1)
    ax.errorbar([], [], [], color="0.3", label="networks", **NETWORKS)
    for name in names:
        ax.plot([], [], STYLES[name], color="0.3", lw=1.1, label=WORDS[name])
    ax.set_yscale("log")
    ax.set_xlabel("time (learning rate × step)")
    ax.set_ylabel("eigenvalue of W Σ₁₂ Wᵀ")
    verdicts = [
        f"{WORDS[name]}: {compared['verdict'].sel(theory=name).item()}"
        for name in ("aligned", "matrix")
        if name in compared["theory"].values
    ]
    write_title(ax, [tree["aligned"].attrs["loss"], *verdicts])
    ax.legend(fontsize="small", frameon=False)
    return ax


def save_data_picture(tree: xarray.DataTree, path: str | Path, force: bool = False) -> Path:
    """Draw them into a file, as `save_figure` writes it."""
    check_output(path, PICTURE_SUFFIXES, force)
    figure = Figure(figsize=SIZE, layout="constrained")
    plot_on_data(tree, figure.add_subplot())
    return save_figure(figure, path, force)
