"""Draw the paths of samples in a plane, one panel for each loss and variant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eigendyn.show.paper.variants import NOT_THE_GRADIENT, Panel
from eigendyn.show.paper.work import Numbers
from eigendyn.show.plot.style import DESCENT, without_ticks

DOTS = (0.25, 0.5, 1.0)  # of the steps, where networks are drawn
MARGIN = 0.06  # around the lines


def draw_planes(numbers: Numbers, panels: Sequence[Panel], variable: str, lines: str) -> Figure:
    """Draw one plane for every panel, as the paper lays them out.

    Args:
        numbers: For every panel a group of lines, and perhaps one of "networks".
        panels: What to draw; one as published makes room for a column on the left.
        variable: What to draw, (dimension, sample, time), or (seed, …) for networks.
        lines: Name of the group that lines are drawn from.
    """
    offset = int(any(panel.as_published for panel in panels))
    figure = Figure(figsize=(6.8, 3.0))
    axes = figure.subplots(2, 4 + offset)
    for ax in axes.flat:
        without_ticks(ax)
    for panel in panels:
        ax = axes[panel.row, panel.column + offset]
        _draw_plane(ax, numbers, panel, variable, lines)
        ax.set_title(panel.symbol, fontsize=8 if panel.as_published else 9)
    if offset:
        key = axes[0, 0]
        key.set_aspect("auto")
        key.set_title(NOT_THE_GRADIENT, y=0.0, fontsize=6.5)
        key.plot([], [], color="0.3", label="theory")
        key.plot([], [], "o", color="0.3", ms=3, label="its end")
        if any(path.endswith("/networks") for path in numbers):
            key.plot([], [], **DESCENT, label="networks")
        key.legend(loc="upper center")
    return figure


def _draw_plane(ax: Axes, numbers: Numbers, panel: Panel, variable: str, lines: str) -> None:
    paths = numbers[f"{panel.name}/{lines}"][variable]
    x, y = (paths.isel(seed=0) if "seed" in paths.dims else paths).values
    ax.plot(x.T, y.T, color=panel.colour, lw=0.8, zorder=1)
    ax.plot(x[:, -1], y[:, -1], "o", color=panel.colour, ms=3, zorder=2)
    for values, limit in ((x, ax.set_xlim), (y, ax.set_ylim)):
        room = MARGIN * (values.max() - values.min())
        limit(values.min() - room, values.max() + room)
    networks = numbers.get(f"{panel.name}/networks")
    if lines != "networks" and networks is not None:
        mean = networks[variable].mean("seed").values
        times = np.round(np.array(DOTS) * (mean.shape[-1] - 1)).astype(int)
        (dots,) = ax.plot(*mean[..., times].reshape(2, -1), **DESCENT)
        dots.set(markersize=1.8, markeredgewidth=0.4)
