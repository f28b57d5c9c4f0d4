"""Draw a recorded training: its spectrum, the losses, rank and signal, and verdicts over steps."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.recording.record import KIND
from eigendyn.recording.verdict import verdicts
from eigendyn.results.files import check_output
from eigendyn.settings.checks import check_is
from eigendyn.settings.choices import PICTURE_SUFFIXES
from eigendyn.settings.keywords import takes
from eigendyn.show.plot.picture import axes_to_draw_on, save_figure
from eigendyn.show.plot.shades import DECADES, colours
from eigendyn.show.plot.style import style
from eigendyn.show.plot.title import write_title

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

SIZE = (7.2, 4.6)  # inches
MOST_MODES = 64  # lines; the largest are drawn
STRIP = 0.035  # height of the verdicts, above all lines [axes]
SHADES = {  # blue where all is right, red to yellow where it is not, grey where nobody knows
    "recruitment": "#2f79b5",
    "learning": "#7fb6dc",
    "settled": "#bcd9ee",
    "stopped": "#dce9f4",
    "diverged": "#5b0f14",
    "constant output": "#8c1d22",
    "collapse": "#c44e52",
    "losing modes": "#e38b6f",
    "oscillating": "#e6a73c",
    "noise-free views": "#d3c04a",
    "frozen": "#ece08f",
    "not judged": "#e0e0e0",
}
LOSSES = {"implied_loss": ("implied by the spectrum", "#0072B2"), "loss": ("measured", "#D55E00")}


@takes()
def plot_record(record: xarray.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the spectrum of a record over training steps, and its verdicts above.

    Args:
        record: A record of your own training, or what `monitor` makes of one, `to_xarray()`.
        ax: Axes to draw on; None opens a pyplot figure.

    Returns:
        The axes: for each mode, the largest at the end first, one line; above them a strip in the
        colour of each verdict.

    Raises:
        InvalidSetting: It is no record.

    Examples:
        >>> run = eigendyn.simulate("euclidean", [0.01, 0.3, 1.0], weight_decay=0.05)
        >>> ax = eigendyn.plot.record(eigendyn.recording.as_record(run))
        >>> ax.get_xlabel()
        'training step'
    """
    _check(record)
    ax = axes_to_draw_on(ax)
    _draw_spectrum(record, ax)
    write_title(ax, [str(record.attrs.get("title", "spectrum"))])
    return ax


def save_record_picture(record: xarray.Dataset, path: str | Path, force: bool = False) -> Path:
    """Draw spectrum and verdicts, the losses, and rank and signal, as `save_figure` writes it."""
    _check(record)
    check_output(path, PICTURE_SUFFIXES, force)
    if "implied_loss" not in record:
        record = _read(record)
    has_loss = any(name in record and _is_known(record[name].values) for name in LOSSES)
    with style():
        figure = Figure(figsize=SIZE, layout="constrained")
        left, right = figure.add_gridspec(1, 2, width_ratios=(1.25, 1.0))
        plot_record(record, figure.add_subplot(left))
        below = right.subgridspec(1 + has_loss, 1)
        if has_loss:
            draw_losses(record, figure.add_subplot(below[0]))
        draw_ranks(record, figure.add_subplot(below[-1]))
        return save_figure(figure, path, force)


def draw_losses(record: xarray.Dataset, ax: Axes) -> None:
    """Draw the loss that the spectrum implies and the one that was measured."""
    for name, (words, colour) in LOSSES.items():
        if name in record and _is_known(record[name].values):
            ax.plot(record["step"], record[name], color=colour, lw=1.2, label=words)
    _of_steps(ax, record)
    ax.set_ylabel("loss")
    ax.legend(loc="best")


def draw_ranks(record: xarray.Dataset, ax: Axes) -> None:
    """Draw the effective rank, and on an axis of its own the share of variance that is signal."""
    variance = np.maximum(record["variance"].values, 0.0)
    total = variance.sum(axis=0)
    shares = variance / np.where(total > 0, total, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        rank = np.exp(-np.where(shares > 0, shares * np.log(shares), 0.0).sum(axis=0))
    ax.plot(record["step"], rank, color="0.15", lw=1.2)
    ax.set_ylabel("effective rank")
    _of_steps(ax, record)
    noises = [record[name].values for name in ("noise1", "noise2") if name in record]
    if len(noises) < 2:
        return
    noise = np.maximum(sum(noises), 0.0).sum(axis=0) / 2
    beside = ax.twinx()
    with np.errstate(divide="ignore", invalid="ignore"):
        beside.plot(record["step"], total / (total + noise), color="#009E73", lw=1.2)
    beside.set_ylim(0, 1.02)
    beside.set_ylabel("signal over signal and noise", color="#009E73")


def _draw_spectrum(record: xarray.Dataset, ax: Axes) -> None:
    variance, steps = record["variance"].values, record["step"].values
    last = np.nan_to_num(variance[:, -1])
    drawn = np.argsort(-last, kind="stable")[:MOST_MODES]
    shades = colours()(np.linspace(0, 1, max(len(drawn), 2)))
    positive = np.where(variance > 0, variance, np.nan)
    for place, mode in enumerate(drawn):
        ax.plot(steps, positive[mode], color=shades[place], lw=1.2)
    ax.set_yscale("log")
    seen = positive[drawn][np.isfinite(positive[drawn])]
    if len(seen):
        highest = float(seen.max())
        bottom = max(float(seen.min()), highest / 10**DECADES) / 1.5
        ax.set_ylim(bottom, bottom * (highest * 1.2 / bottom) ** (1 / (1 - STRIP)))
    _of_steps(ax, record)
    ax.set_ylabel("variance of the mode")
    _draw_verdicts(record, ax)


def _draw_verdicts(record: xarray.Dataset, ax: Axes) -> None:
    """A strip along the top in the colours of the verdicts, named in a legend beside it."""
    told = record["verdict"].values.tolist() if "verdict" in record else verdicts(record)
    steps = record["step"].values
    edges = np.concatenate([steps[:1], (steps[1:] + steps[:-1]) / 2, steps[-1:]])
    names: dict[str, str] = {}
    for name, group in groupby(range(len(told)), lambda place: told[place]):
        places = list(group)
        if name:
            colour = SHADES[name]
            ax.axvspan(
                edges[places[0]], edges[places[-1] + 1], 1 - STRIP, 1, color=colour, lw=0, zorder=3
            )
            ax.axvline(edges[places[0]], 1 - STRIP, 1, color="white", lw=1.0, zorder=4)
            names[name] = colour
    if names:
        handles = [Patch(color=colour, label=name) for name, colour in names.items()]
        beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
        ax.legend(handles=handles, title="verdict", title_fontsize="small", **beside)


def _read(record: xarray.Dataset) -> xarray.Dataset:
    """The record with the loss that it implies, where that can be told."""
    from eigendyn.fitting.monitor import monitor

    try:
        return monitor(record).to_xarray()
    except InvalidSetting:
        return record


def _of_steps(ax: Axes, record: xarray.Dataset) -> None:
    steps = record["step"].values
    if steps[-1] > steps[0]:
        ax.set_xlim(steps[0], steps[-1])
    ax.set_xlabel("training step")


def _is_known(values: NDArray) -> bool:
    return bool(np.isfinite(values).any())


def _check(record: xarray.Dataset) -> None:
    is_record = getattr(record, "attrs", {}).get("kind") == KIND
    check_is("record", record, is_record, "a record, as eigendyn.monitor(record).to_xarray()")
