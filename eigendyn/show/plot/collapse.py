"""Draw a diagnosis: the spectrum over training time, and which change loses which mode."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from eigendyn.analysis.rates.diagnosis import Diagnosis
from eigendyn.results.files import check_output
from eigendyn.settings.checks import check_is
from eigendyn.settings.choices import PICTURE_SUFFIXES
from eigendyn.settings.keywords import takes
from eigendyn.show.plot.picture import axes_to_draw_on, save_figure
from eigendyn.show.plot.spectrum import plot_run

if TYPE_CHECKING:
    import xarray

COLOURS = {"kept": "#b7d3e6", "lost": "#c44e52", "not known": "#e8e8e8"}
WIDTH, SPECTRUM, ROW, AROUND = 6.4, 3.2, 0.24, 1.3  # inches


@takes()
def plot_diagnosis(diagnosis: Diagnosis, ax: Axes | None = None) -> Axes:
    """Draw which modes are lost as asked for, and under each changed setting.

    Args:
        diagnosis: A result of `diagnose`.
        ax: Axes to draw on; None opens a pyplot figure.

    Returns:
        The axes: an image with one row for each change, the run as asked first, and one column
        for each mode, in input order.

    Raises:
        InvalidSetting: It is no diagnosis.

    Examples:
        >>> found = eigendyn.diagnose("euclidean", [0.01, 0.3, 1.0], weight_decay=0.05)
        >>> found.reasons
        ['decay', '', '']
        >>> ax = eigendyn.plot.diagnosis(found)
        >>> ax.get_xlabel()
        'mode'
    """
    is_one = isinstance(diagnosis, Diagnosis)
    check_is("diagnosis", diagnosis, is_one, "what eigendyn.diagnose(loss) gives")
    ax = axes_to_draw_on(ax, (WIDTH, AROUND + ROW * (1 + len(diagnosis.changes))))
    draw_verdicts(diagnosis.to_xarray()["verdict"], ax)
    return ax


def draw_verdicts(verdicts: xarray.DataArray, ax: Axes) -> None:
    """Draw verdicts over (change, mode) as the image of `plot_diagnosis`."""
    words = list(COLOURS)
    codes = np.select([verdicts.values == word for word in words], range(len(words)))
    ax.imshow(
        codes,
        cmap=ListedColormap(list(COLOURS.values())),
        norm=BoundaryNorm(np.arange(len(words) + 1) - 0.5, len(words)),
        aspect="auto",
        interpolation="nearest",
    )
    ax.set_yticks(range(len(verdicts)), verdicts["change"].values.tolist(), fontsize="small")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("mode")
    shown = [word for place, word in enumerate(words) if (codes == place).any()]
    ax.legend(
        handles=[Patch(color=COLOURS[word], label=word) for word in shown],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(shown),
        frameon=False,
        fontsize="small",
    )


def save_verdicts(saved: xarray.Dataset, path: str | Path, force: bool = False) -> Path:
    """Draw the verdicts of a diagnosis that was saved; its spectrum over time was not."""
    check_output(path, PICTURE_SUFFIXES, force)
    below = AROUND + ROW * saved.sizes["change"]
    figure = Figure(figsize=(WIDTH, below), layout="constrained")
    draw_verdicts(saved["verdict"], figure.add_subplot())
    return save_figure(figure, path, force)


def save_diagnosis(diagnosis: Diagnosis, path: str | Path, force: bool = False) -> Path:
    """Draw the spectrum over time above the verdicts into a file, as `save_figure` writes it."""
    check_output(path, PICTURE_SUFFIXES, force)
    below = AROUND + ROW * (1 + len(diagnosis.changes))
    figure = Figure(figsize=(WIDTH, SPECTRUM + below), layout="constrained")
    upper, lower = figure.subplots(2, height_ratios=(SPECTRUM, below))
    plot_run(diagnosis.run, upper)
    plot_diagnosis(diagnosis, lower)
    return save_figure(figure, path, force)
