"""Draw an ensemble: over what range the variance of every mode runs, trajectory by trajectory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from matplotlib.figure import Figure

from eigendyn.errors import InvalidSetting
from eigendyn.results.dataset import named
from eigendyn.results.files import check_output
from eigendyn.settings.checks import check_is
from eigendyn.settings.choices import PICTURE_SUFFIXES
from eigendyn.settings.keywords import takes
from eigendyn.settings.wording import short
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

QUANTILES = (0.1, 0.5, 0.9)  # of trajectories: edges of the bands, and the line between
MOST_MODES = 20  # more bands hide each other
USUAL_OF_ENSEMBLE = Usual("time", "variance", "mode")
OF_TRAJECTORIES = ("trajectory", "mode", "time")


@takes(shown)
def plot_ensemble(
    dataset: xarray.Dataset, ax: Axes | None = None, **show: Unpack[GivenShown]
) -> Any:
    """Draw the median variance of every mode over trajectories, and a band from 10 % to 90 %.

    Args:
        dataset: A result of `ensemble` with whole trajectories.
        ax: Axes to draw on; None opens a pyplot figure.
        show: What else is drawn, as `eigendyn.plot.runs` takes it: final states over a number that
            was swept, `x="weight_decay", y="final_variance"`.

    Returns:
        The axes: for each mode, of the first 20, a line and a band. Where something else is drawn,
        what `eigendyn.plot.runs` returns.

    Raises:
        UnknownName: There is no such dimension or quantity.
        InvalidSetting: It is something else, or an ensemble of final states alone over time.

    Examples:
        >>> starts = np.random.default_rng(0).uniform(0.1, 1, size=(100, 3))
        >>> runs = eigendyn.ensemble("euclidean", starts, weight_decay=0.16, sigma1=0)
        >>> ax = eigendyn.plot.ensemble(runs)
        >>> len(ax.lines)
        3
    """
    held = getattr(dataset, "variables", None)
    column = held.get("singular_value") if isinstance(held, Mapping) else None
    is_right = getattr(column, "dims", None) == OF_TRAJECTORIES
    check_is("dataset", dataset, is_right, "what eigendyn.ensemble(loss, variances) gives")
    asked = shown(**show)
    if not asked.is_usual:
        return one_or_all(draw_held([Held("", dataset)], asked, USUAL_OF_ENSEMBLE, ax), asked)
    if dataset.sizes["time"] < 2:
        message = (
            "An ensemble is drawn over time, and this one has a single time. Try "
            "keep='trajectory', and more `times`, or another `x`."
        )
        raise InvalidSetting(message)
    ax = axes_to_draw_on(ax)
    modes = min(dataset.sizes["mode"], MOST_MODES)
    shades = colours()(np.linspace(0, 1, max(modes, 2)))
    variance = dataset["singular_value"] ** 2
    low, middle, high = variance.quantile(QUANTILES, "trajectory").values  # (modes, times)
    for mode in range(modes):
        ax.fill_between(dataset["time"], low[mode], high[mode], color=shades[mode], alpha=0.2, lw=0)
        ax.plot(dataset["time"], middle[mode], color=shades[mode], lw=1.2, label=str(mode))
    drawn = low[:modes][low[:modes] > 0]
    highest = np.nanmax(high[:modes], initial=0)
    ax.set_yscale("log")
    if drawn.size:
        ax.set_ylim(max(drawn.min(), highest / 10**DECADES) / 1.5, highest * 1.5)
    ax.set_xlabel("time (learning rate × step)")
    ax.set_ylabel("variance of the mode")
    count = dataset.sizes["trajectory"]
    failed = int((dataset["status"] != "completed").sum())
    lines = [short(named(dataset.attrs)[1]), f"{count} trajectories: median, 10 % to 90 %"]
    if dataset.sizes["mode"] > modes:
        lines.append(f"the first {modes} of {dataset.sizes['mode']} modes")
    write_title(ax, [*lines, *([f"{failed} did not complete"] if failed else [])])
    ax.legend(title="mode", fontsize="small", frameon=False, ncols=-(-modes // 10))
    return ax


def save_ensemble_picture(dataset: xarray.Dataset, path: str | Path, force: bool = False) -> Path:
    """Draw it into a file, as `save_figure` writes it."""
    check_output(path, PICTURE_SUFFIXES, force)
    figure = Figure(figsize=SIZE, layout="constrained")
    plot_ensemble(dataset, figure.add_subplot())
    return save_figure(figure, path, force)
