"""Draw the spectrum of a result over training time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from matplotlib.collections import Collection, LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine, TightLayoutEngine
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from eigendyn.results.dataset import named
from eigendyn.results.files import check_output
from eigendyn.results.labelled import Labelled, check_run
from eigendyn.settings.choices import PICTURE_SUFFIXES
from eigendyn.settings.keywords import takes
from eigendyn.settings.wording import told
from eigendyn.show.plot.decades import label_decades
from eigendyn.show.plot.draw_lines import STYLES
from eigendyn.show.plot.drawn import draw_held
from eigendyn.show.plot.held import Held
from eigendyn.show.plot.lines import Usual
from eigendyn.show.plot.panels import one_or_all
from eigendyn.show.plot.picture import SIZE, axes_to_draw_on, save_figure
from eigendyn.show.plot.shades import DECADES, colours
from eigendyn.show.plot.shown import GivenShown, shown
from eigendyn.show.plot.title import write_title

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

MOST_LINES = 200
MARGINS = {"left": 0.15, "right": 0.81, "bottom": 0.145}  # shares of the figure
ABOVE, LINE = 0.16, 0.055  # margin above the axes, and a line of the title
USUAL_LINES = 2  # of a title: the loss, and how it was followed
BAR = (1.03, 0.0, 0.045, 1.0)  # left, bottom, width and height in shares of the axes
USUAL_OF_RUN = Usual("time", "variance", "initial_variance")
RUN = "run"  # names the lines of one


@takes(shown)
def plot_run(
    dataset: xarray.Dataset | Labelled, ax: Axes | None = None, **show: Unpack[GivenShown]
) -> Any:
    """Draw the variance of every mode over training time, coloured by where it started.

    Modes at zero variance cannot stand on a logarithmic axis; of more than 200 modes, 200 are drawn
    whose ranks by initial variance are evenly spaced. The title says so in either case, and which
    settings are not the usual ones. In a figure without a layout engine the subplots are moved
    (`tight_layout`), so that axes in a row leave room for each other's labels. A second run on the
    same axes is drawn in another line style, in the first one's colours, and a legend takes the
    title's place.

    Args:
        dataset: A result of `simulate`.
        ax: Axes to draw on; None opens a pyplot figure.
        show: What else is drawn, as `eigendyn.plot.runs` takes it.

    Returns:
        The axes: one collection of lines, time below, training step above, a colour bar beside.
        Where something else is drawn, what `eigendyn.plot.runs` returns.

    Raises:
        UnknownName, InvalidSetting: As `eigendyn.plot.runs`.

    Examples:
        >>> run = eigendyn.simulate("euclidean", [0.01, 0.3, 1.0], weight_decay=0.05)
        >>> ax = eigendyn.plot.run(run)
        >>> ax.get_ylabel()
        'variance of the mode'
    """
    check_run(dataset)
    asked = shown(**show)
    if not asked.is_usual:
        whole = dataset.to_xarray() if isinstance(dataset, Labelled) else dataset
        return one_or_all(draw_held([Held("", whole)], asked, USUAL_OF_RUN, ax), asked)
    ax = axes_to_draw_on(ax)
    _draw(dataset, ax)
    figure = ax.get_figure(root=True)
    assert figure is not None
    laid_out = isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine | TightLayoutEngine)
    if not laid_out and all(one.get_subplotspec() for one in figure.axes):
        figure.tight_layout()
    return ax


def _draw(dataset: xarray.Dataset | Labelled, ax: Axes) -> int:
    """Draw the lines and everything that names them; the number of the title's lines returns."""
    initial = dataset["variance"].values[:, 0]
    drawn = _choose(initial)
    times, variance = dataset["time"].values, dataset["variance"].values[drawn]  # (lines, times)
    before = [one for one in ax.collections if one.get_gid() == RUN]
    lines = LineCollection(
        [np.column_stack([times, line]) for line in variance],
        array=initial[drawn],
        cmap=colours(),
        norm=before[0].norm if before else colour_scale(initial[drawn]),
        linewidths=1.2,
        linestyles=STYLES[len(before) % len(STYLES)],
        rasterized=len(initial) > MOST_LINES,
        label="\n".join(_title(dataset, initial, len(drawn))),
        gid=RUN,
    )
    ax.set_yscale("log")
    ax.add_collection(lines)
    _widen(ax, times, variance, beside=bool(before))
    label_decades(ax.yaxis)
    learning_rate = json.loads(dataset.attrs["settings"])["learning_rate"]
    if before:
        _name_all(ax, [*before, lines], learning_rate)
        return 0
    ax.set_xlabel("time (learning rate × step)")
    ax.set_ylabel("variance of the mode")
    steps = ax.secondary_xaxis(
        "top", functions=(lambda time: time / learning_rate, lambda step: step * learning_rate)
    )
    steps.set_xlabel("step")
    steps.set_gid(f"{learning_rate}")
    count = write_title(ax, _title(dataset, initial, len(drawn)))
    # Part of the axes, so that every layout keeps room for it.
    bar = ax.figure.colorbar(lines, cax=ax.inset_axes(BAR), label="initial variance")
    label_decades(bar.ax.yaxis)
    return count


def _widen(ax: Axes, times: NDArray, variance: NDArray, beside: bool) -> None:
    """Make the axes hold a run, beside what they hold already."""
    low, high = _range(variance)
    begin, end = times[0], times[-1]
    if beside:
        (least, most), (first, last) = ax.get_ylim(), ax.get_xlim()
        low, high, begin, end = min(low, least), max(high, most), min(begin, first), max(end, last)
    ax.set_ylim(low, high)
    if end > begin:
        ax.set_xlim(begin, end)


def _name_all(ax: Axes, runs: list[Collection], learning_rate: float) -> None:
    """Tell several runs apart by a legend; steps are counted only if all count them alike."""
    for steps in [one for one in ax.child_axes if one.get_gid() not in (None, f"{learning_rate}")]:
        steps.remove()
    ax.set_title("")
    ax.legend(
        [Line2D([], [], color="0.3", linestyle=STYLES[i % len(STYLES)]) for i in range(len(runs))],
        [str(run.get_label()) for run in runs],
        fontsize="x-small",
        loc="lower right",
    )


def save_picture(dataset: xarray.Dataset | Labelled, path: str | Path, force: bool = False) -> Path:
    """Draw the spectrum over time into a file, as `save_figure` writes it."""
    check_run(dataset)
    check_output(path, PICTURE_SUFFIXES, force)
    figure = Figure(figsize=SIZE)  # without a layout engine, which draws all text four times
    ax = figure.add_subplot()
    figure.subplots_adjust(**MARGINS)  # a title is as wide as its axes
    lines = _draw(dataset, ax)
    taller = 1 + LINE * max(0, lines - USUAL_LINES)  # so that a long title leaves the lines room
    figure.set_figheight(taller * SIZE[1])
    figure.subplots_adjust(
        bottom=MARGINS["bottom"] / taller, top=1 - (ABOVE + LINE * lines) / taller
    )
    return save_figure(figure, path, force)


def _choose(initial: NDArray) -> NDArray:
    """Modes to draw, smallest initial variance first."""
    order = np.argsort(initial, kind="stable")
    order = order[initial[order] > 0]
    if len(order) <= MOST_LINES:
        return order
    return order[np.linspace(0, len(order) - 1, MOST_LINES).round().astype(int)]


def _title(dataset: xarray.Dataset | Labelled, initial: NDArray, drawn: int) -> list[str]:
    attrs = dataset.attrs
    how = [attrs[part] for part in ("closure", "method") if attrs[part] != "none"]
    lines = [told(named(attrs)[1], json.loads(attrs["settings"])), " · ".join(how)]
    if attrs["status"] != "completed":
        lines.append(f"{attrs['status']} at time {dataset['time'].values[-1]:g}")
    silent = int((initial <= 0).sum())
    if silent:
        lines.append(f"{silent} at zero variance not drawn")
    if len(initial) - silent > drawn:
        lines.append(f"{drawn} of {len(initial) - silent} modes, evenly spaced by initial rank")
    return lines


def colour_scale(initial: NDArray) -> LogNorm:
    """Logarithmic, with room around a single value."""
    low, high = initial.min(), initial.max()
    return LogNorm(low, high) if high > low else LogNorm(low / 2, low * 2)


def _range(variance: NDArray) -> tuple[float, float]:
    """Limits that hold every start, and what stays within some decades of the largest variance."""
    positive = variance[(variance > 0) & np.isfinite(variance)]
    high = positive.max()
    low = max(positive.min(), min(variance[:, 0].min(), high / 10**DECADES))
    return low / 1.5, high * 1.5
