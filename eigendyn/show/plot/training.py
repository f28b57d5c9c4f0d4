"""Draw what networks have learned of images over epochs: their spectrum, readouts and measures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from eigendyn.results.files import check_output
from eigendyn.results.labelled import check_training
from eigendyn.settings.choices import PICTURE_SUFFIXES
from eigendyn.settings.keywords import takes
from eigendyn.settings.training import OF_VIEWS, Training
from eigendyn.settings.wording import short, told
from eigendyn.show.plot.picture import axes_to_draw_on, save_figure
from eigendyn.show.plot.shades import DECADES, colours
from eigendyn.show.plot.style import style
from eigendyn.show.plot.title import write_title
from eigendyn.show.report.training import READOUTS, fate, per_network

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

SIZE = (7.2, 5.0)  # inches
MOST_MODES = 32  # more lines with bands would hide each other; the largest are drawn
LINEAR = 1.0  # epoch up to which the axis is linear; it is logarithmic from there on
MEASURES = {"loss": "loss", "rankme": "effective rank", "alignment": "alignment"}  # in a row below
COLOURS = {"linear": "#0072B2", "knn": "#D55E00"}
FORECAST: dict[str, Any] = {"color": "0.1", "ls": (0, (4, 1.5)), "lw": 0.7, "zorder": 3}


@takes()
def plot_training(dataset: xarray.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the spectrum of what both views share over epochs, and the theory's forecast of it.

    Of several seeds a line is the median, and a band goes from the smallest to the largest. Where
    an eigenvalue is not above zero, a logarithmic axis has no place for it.

    Args:
        dataset: A result of `train`.
        ax: Axes to draw on; None opens a pyplot figure.

    Returns:
        The axes: for each mode, the largest first, one line, one dashed line of the forecast and,
        if there are several seeds, one band.

    Raises:
        InvalidSetting: It is no training.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> images = rng.normal(size=(128, 3)) @ rng.normal(size=(3, 16)) / 3
        >>> small = {"network": "mlp", "embedding": 3, "batch": 32, "augment": "noise:0.1"}
        >>> result = eigendyn.train("euclidean", images, **small, epochs=2)
        >>> result.status.values.tolist()
        ['completed']
        >>> ax = eigendyn.plot.training(result)
        >>> ax.get_xlabel()
        'epoch'
    """
    check_training(dataset)
    ax = axes_to_draw_on(ax)
    draw_spectrum(dataset, ax)
    name_forecast(ax)
    write_title(ax, _title(dataset))
    return ax


def draw_spectrum(dataset: xarray.Dataset, ax: Axes) -> None:
    """Draw the lines of `plot_training` without a title; without a forecast where there is none."""
    modes = min(dataset.sizes["mode"], MOST_MODES)
    shades = colours()(np.linspace(0, 1, max(modes, 2)))
    variance = dataset["variance"].where(dataset["variance"] > 0)
    for mode in range(modes):
        draw_over_seeds(ax, variance.isel(mode=mode), color=shades[mode], lw=1.2)
    if "forecast" in dataset:
        expected = dataset["forecast"].where(dataset["forecast"] > 0).median("seed")
        ax.plot(dataset["epoch"], expected[:modes].values.T, **FORECAST)
        ax.plot([], [], **FORECAST, label="theory’s forecast")
    highest = float(variance.max())
    ax.set_yscale("log")
    if highest > 0:
        lowest = max(float(variance[:, :modes].min()), highest / 10**DECADES)
        ax.set_ylim(lowest / 1.5, highest * 1.5)
    of_epochs(ax, dataset)
    ax.set_ylabel("variance of the mode")


def name_forecast(ax: Axes) -> None:
    """Say on axes of `draw_spectrum` what is dashed, if anything is."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="lower right", frameon=True, facecolor="white", edgecolor="none")


def draw_readouts(dataset: xarray.Dataset, ax: Axes) -> None:
    """Draw the accuracy of both readouts, beside that of raw pixels and of the untrained encoder.

    Args:
        dataset: A result of `train`, with labels.
        ax: Axes to draw on.
    """
    lowest = 1.0
    for name, words in READOUTS.items():
        accuracy = dataset[f"{name}_accuracy"]
        draw_over_seeds(ax, accuracy, color=COLOURS[name], label=words)
        raw, untrained = dataset.attrs[f"raw_{name}_accuracy"], float(accuracy[:, 0].mean())
        ax.axhline(raw, color=COLOURS[name], lw=0.8, ls="--")
        ax.axhline(untrained, color=COLOURS[name], lw=0.8, ls=":")
        lowest = min(lowest, raw, untrained, float(accuracy.min()))
    for words, line in {"raw pixels": "--", "untrained encoder": ":"}.items():
        ax.plot([], [], line, color="0.3", lw=0.8, label=words)
    ax.set_ylim(lowest - 0.05 * (1 - lowest) - 0.005, 1.0)
    of_epochs(ax, dataset)
    ax.set_ylabel("readout: accuracy on test images")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)  # its lines fill the axes


def draw_measure(dataset: xarray.Dataset, name: str, ax: Axes, **look: Any) -> None:
    """Draw one of `MEASURES` over epochs."""
    draw_over_seeds(ax, per_network(dataset[name]), **{"color": "0.2", **look})
    of_epochs(ax, dataset)
    ax.set_ylabel(MEASURES[name])


def draw_over_seeds(ax: Axes, values: xarray.DataArray, **look: Any) -> None:
    """Draw the median over seeds as a line, and all of them as a band if there are several.

    Args:
        ax: Axes to draw on.
        values: Over (seed, time), with the coordinate `epoch`; NaN where nothing was measured.
        look: Of the line; the band has its colour.
    """
    epochs = values["epoch"].values
    (line,) = ax.plot(epochs, values.median("seed").values, **look)
    if values.sizes["seed"] > 1:
        edges = (values.min("seed").values, values.max("seed").values)
        ax.fill_between(epochs, *edges, color=line.get_color(), alpha=0.25, lw=0)


def of_epochs(ax: Axes, dataset: xarray.Dataset) -> None:
    """Let an axis of epochs show the early ones, in which most happens."""
    last = float(dataset["epoch"].values[-1])
    if last > 10 * LINEAR:
        ax.set_xscale("symlog", linthresh=LINEAR, linscale=0.4)
        decades = 10.0 ** np.arange(np.floor(np.log10(last)) + 1)
        ax.set_xticks([0, *decades], [f"{tick:g}" for tick in (0, *decades)])
        ax.set_xticks(_between(decades, last), minor=True)
    ax.set_xlim(0, max(last, np.finfo(float).tiny))
    ax.set_xlabel("epoch")


def _between(decades: NDArray, last: float) -> NDArray:
    ticks = np.outer(decades, np.arange(2, 10)).ravel()
    return ticks[ticks <= last]


def _title(dataset: xarray.Dataset) -> list[str]:
    attrs, seeds, modes = dataset.attrs, dataset.sizes["seed"], dataset.sizes["mode"]
    settings = json.loads(attrs["settings"])
    of = f"{seeds} seeds" if seeds > 1 else "1 seed"
    lines = [
        told(short(attrs["loss"]), settings, [*OF_VIEWS, *_usual(settings)]),
        f"{attrs['network']} network on {attrs['data']}, {of}",
    ]
    if modes > MOST_MODES:
        lines.append(f"the {MOST_MODES} largest of {modes} modes")
    ended = fate(dataset)
    return lines if ended == "completed" else [*lines, ended]


def _usual(settings: Mapping[str, Any]) -> list[str]:
    """Names of settings that are those of any training with such a predictor and target."""
    parts = {name: settings[name] for name in ("predictor", "target")}
    usual = asdict(Training(**parts))
    return [name for name, value in usual.items() if settings.get(name) == value]


def save_training_picture(dataset: xarray.Dataset, path: str | Path, force: bool = False) -> Path:
    """Draw spectrum and readouts above loss, rank and alignment, as `save_figure` writes it."""
    check_training(dataset)
    check_output(path, PICTURE_SUFFIXES, force)
    has_labels = "linear_accuracy" in dataset
    with style():
        figure = Figure(figsize=SIZE, layout="constrained")
        rows = figure.add_gridspec(2, 1, height_ratios=(2.0, 1.0))
        widths = (7, 5) if has_labels else (1,)
        above = rows[0].subgridspec(1, len(widths), width_ratios=widths)
        below = rows[1].subgridspec(1, len(MEASURES))
        plot_training(dataset, figure.add_subplot(above[0]))
        if has_labels:
            draw_readouts(dataset, figure.add_subplot(above[1]))
        for place, name in enumerate(MEASURES):
            draw_measure(dataset, name, figure.add_subplot(below[place]))
        return save_figure(figure, path, force)
