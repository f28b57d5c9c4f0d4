"""Draw the signal and noise of every component of measured data, and components as images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from eigendyn.results.files import check_output
from eigendyn.results.labelled import check_data
from eigendyn.settings.choices import PICTURE_SUFFIXES
from eigendyn.settings.keywords import takes
from eigendyn.show.plot.picture import SIZE, axes_to_draw_on, save_figure
from eigendyn.show.plot.style import style, without_ticks
from eigendyn.show.plot.title import write_title

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

MODES = 10
MOST_IMAGES = 12  # in the row below
ROW = 0.7  # inches: of images
SERIES = {"signal": ("#0072B2", "o"), "noise1": ("#D55E00", "^"), "noise2": ("#E69F00", "v")}
WORDS = {"signal": "signal d", "noise1": "noise a1, first view", "noise2": "noise a2, second view"}


@takes()
def plot_components(data: xarray.Dataset, ax: Axes | None = None, *, modes: int = MODES) -> Axes:
    """Draw signal and noise of the leading components, with their standard errors.

    Args:
        data: A result of `eigendyn.data.from_inputs`, `from_views` or `digits`.
        ax: Axes to draw on; None opens a pyplot figure.
        modes: How many components.

    Returns:
        The axes: one series for the signal, and for the noise of each view; of one where both
        views are augmented alike. On the logarithmic axis what is not positive has no place.

    Raises:
        InvalidSetting: They are no such data.

    Examples:
        >>> x = np.random.default_rng(0).normal(size=(500, 3)) * [2.0, 1.0, 0.5]
        >>> ax = eigendyn.plot.components(eigendyn.data.from_inputs(x, "noise:0.5"))
        >>> ax.get_ylabel()
        'signal and noise (input²)'
    """
    check_data(data)
    ax = axes_to_draw_on(ax)
    alike = data.attrs.get("augment2", "") == data.attrs.get("augment")
    drawn = []
    for name in [one for one in SERIES if not (alike and one == "noise2")]:
        colour, marker = SERIES[name]
        values, errors = (data[one].values[:modes] for one in (name, f"{name}_error"))
        place = np.flatnonzero(values > 0)
        drawn.append(values[place])
        ax.errorbar(
            place,
            values[place],
            yerr=errors[place],
            color=colour,
            marker=marker,
            ms=3.5,
            lw=0.8,
            elinewidth=0.8,
            capsize=1.5,
            label="noise a, both views" if alike and name == "noise1" else WORDS[name],
        )
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(lambda x, _: f"{x:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    every = np.concatenate(drawn)
    ax.set_ylim(every.min() / 2, every.max() * 2)  # an error as large as its value leaves them
    ax.set_xlim(-0.6, min(modes, data.sizes["component"]) - 0.4)
    ax.set_xlabel("component")
    ax.set_ylabel("signal and noise (input²)")
    ax.legend(loc="best", fontsize="small", frameon=False)
    lost = len(drawn) * min(modes, data.sizes["component"]) - len(every)
    write_title(ax, [*_title(data), *([f"{lost} not positive, not drawn"] if lost else [])])
    return ax


def _title(data: xarray.Dataset) -> list[str]:
    attrs = data.attrs
    made = f"under {attrs['augment']}" if "augment" in attrs else "in pairs of views"
    other = attrs.get("augment2")
    if other != attrs.get("augment"):
        made += f" and {other}"
    share = data["off_diagonal"].item()
    return [f"{attrs['samples']} samples, {made}", f"{share:.0%} of the noise off the diagonal"]


def save_components(
    data: xarray.Dataset, path: str | Path, force: bool = False, modes: int = MODES
) -> Path:
    """Draw signal and noise above the components, where these are images, into a file."""
    check_output(path, PICTURE_SUFFIXES, force)
    images = data.attrs.get("image_shape")
    with style():
        if images is None:
            figure = Figure(figsize=SIZE, layout="constrained")
            plot_components(data, figure.add_subplot(), modes=modes)
            return save_figure(figure, path, force)
        figure = Figure(figsize=(SIZE[0], SIZE[1] + ROW), layout="constrained")
        count = min(modes, MOST_IMAGES, data.sizes["component"])
        upper, *row = _one_above_many(figure, count)
        plot_components(data, upper, modes=modes)
        for place, ax in enumerate(row):
            image = data["components"].values[place].reshape(tuple(images))
            largest = np.abs(image).max()
            ax.imshow(image, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest")
            ax.set_title(str(place), fontsize="small")
            without_ticks(ax)
        return save_figure(figure, path, force)


def _one_above_many(figure: Figure, count: int) -> list[Axes]:
    grid = figure.add_gridspec(2, count, height_ratios=(SIZE[1], ROW))
    return [figure.add_subplot(grid[0, :]), *(figure.add_subplot(grid[1, i]) for i in range(count))]
