"""Draw the theory over the networks of a cross-check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from eigendyn.results.files import check_output
from eigendyn.results.labelled import check_pair
from eigendyn.settings.choices import PICTURE_SUFFIXES
from eigendyn.settings.keywords import takes
from eigendyn.settings.wording import told
from eigendyn.show.plot.picture import SIZE, axes_to_draw_on, save_figure
from eigendyn.show.plot.shades import DECADES, colours
from eigendyn.show.plot.spectrum import colour_scale
from eigendyn.show.plot.title import write_title

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

MOST_DOTS = 24  # a mode: more would hide the line
TALLER = 1.5  # height of a figure with the deviations below


@takes()
def plot_agreement(tree: xarray.DataTree, ax: Axes | None = None) -> Axes:
    """Draw the theory's variances as lines and the networks' as dots over them.

    A dot is the variance of the mean network; its standard error is far smaller than the dot.

    Args:
        tree: A result of `crosscheck`.
        ax: Axes to draw on; None opens a pyplot figure.

    Returns:
        The axes: one line and one series of dots for each mode.

    Raises:
        InvalidSetting: It is no cross-check.

    Examples:
        >>> tree = eigendyn.crosscheck("euclidean", steps=100, batch=1000)
        >>> tree["agreement"].attrs["verdict"]
        'agrees'
        >>> ax = eigendyn.plot.agreement(tree)
        >>> len(ax.lines)
        22
    """
    check_pair(tree)
    ax = axes_to_draw_on(ax)
    theory, compared = (tree[name].to_dataset() for name in ("theory", "agreement"))
    initial = theory["variance"].values[:, 0]
    alive = np.flatnonzero(initial > 0)
    scale = colour_scale(initial[alive])
    times = compared["time"].values
    dots = np.unique(np.linspace(0, len(times) - 1, MOST_DOTS).round().astype(int))
    sampled = compared["variance"].values
    for mode in alive:
        colour = colours()(scale(initial[mode]))
        ax.plot(theory["time"], theory["variance"][mode], color=colour, lw=1.2, zorder=1)
        ax.plot(times[dots], sampled[mode][dots], ".", color=colour, ms=4.5, zorder=2)
    ax.plot([], [], color="0.3", lw=1.2, label="theory")
    ax.plot([], [], ".", color="0.3", ms=4.5, label="networks")
    ax.set_yscale("log")
    drawn = theory["variance"].values[alive]
    highest = drawn.max()
    lowest = max(drawn[drawn > 0].min(), min(initial[alive].min(), highest / 10**DECADES))
    ax.set_ylim(lowest / 1.5, highest * 1.5)
    ax.set_xlabel("time (learning rate × step)")
    ax.set_ylabel("variance of the mode")
    run = told(theory.attrs["loss"], json.loads(theory.attrs["settings"]))
    write_title(ax, [f"{run}: {compared.attrs['verdict']}"])
    ax.legend(fontsize="small", frameon=False)
    return ax


def plot_deviation(tree: xarray.DataTree, ax: Axes | None = None) -> Axes:
    """Draw the deviation of every mode in standard errors, and how much is allowed.

    Args:
        tree: A result of `crosscheck`.
        ax: Axes to draw on; None opens a pyplot figure.

    Returns:
        The axes: one line for each mode, two for what is allowed.
    """
    check_pair(tree)
    ax = axes_to_draw_on(ax)
    theory, compared = (tree[name].to_dataset() for name in ("theory", "agreement"))
    initial = theory["variance"].values[:, 0]
    alive = np.flatnonzero(initial > 0)
    scale = colour_scale(initial[alive])
    for mode in alive:
        colour = colours()(scale(initial[mode]))
        ax.plot(compared["time"], compared["deviation"][mode], color=colour, lw=0.9)
    allowed = compared.attrs["allowed_deviation"]
    for edge in (-allowed, allowed):
        ax.axhline(edge, color="0.3", lw=0.8, ls="--")
    ax.margins(y=0.15)
    ax.annotate(
        "allowed",
        (1, allowed),
        (-3, 1),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        fontsize="small",
        color="0.3",
    )
    ax.set_xlabel("time (learning rate × step)")
    ax.set_ylabel("deviation\n(standard errors)")
    return ax


def save_agreement_picture(tree: xarray.DataTree, path: str | Path, force: bool = False) -> Path:
    """Draw theory over networks, and deviations below, into a file, as `save_figure` writes it."""
    check_output(path, PICTURE_SUFFIXES, force)
    figure = Figure(figsize=(SIZE[0], TALLER * SIZE[1]), layout="constrained")
    above, below = figure.subplots(2, sharex=True, height_ratios=(2.2, 1))
    plot_agreement(tree, above)
    plot_deviation(tree, below)
    above.set_xlabel("")
    return save_figure(figure, path, force)
