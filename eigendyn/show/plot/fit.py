"""Draw a fit: the recorded spectrum, what was foretold of it, and the band."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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

SIZE = (6.4, 4.0)  # inches
MOST_MODES = 30
OF_REST = ("loss", "mode", "ahead")


@takes()
def plot_fit(fit: xarray.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the recorded variances as points, and the best theory's forecast as lines with bands.

    Args:
        fit: A result of `fit`.
        ax: Axes to draw on; None opens a pyplot figure.

    Returns:
        The axes: for each mode, of the first 30, points, a line and a band; a vertical line where
        the fitted part ends.

    Raises:
        InvalidSetting: It is no fit.

    Examples:
        >>> run = eigendyn.simulate("euclidean", [0.1, 0.3], sigma1=0.5, steps=100, saves=21)
        >>> fitted = eigendyn.fit(run, "euclidean", alpha=1, weight_decay=0, sigma2=0)
        >>> fitted.value.sel(number=["time_scale", "noise1"]).values.round(3).tolist()
        [[1.0, 1.25]]
        >>> ax = eigendyn.plot.fit(fitted)
        >>> ax.get_xlabel()
        'time (learning rate × step)'
    """
    forecast = getattr(fit, "variables", {}).get("forecast")
    check_is("fit", fit, getattr(forecast, "dims", None) == OF_REST, "what eigendyn.fit gives")
    ax = axes_to_draw_on(ax, SIZE)
    best = fit.isel(loss=0)
    modes = min(fit.sizes["mode"], MOST_MODES)
    shades = colours()(np.linspace(0, 1, max(modes, 2)))
    until = float(fit.attrs["fitted_until"])
    for mode, shade in zip(range(modes), shades, strict=False):
        one = best.isel(mode=mode)
        ax.plot(fit["time"], one["variance"], ".", color=shade, ms=3, alpha=0.7)
        band = (one["forecast_lower"], one["forecast_upper"])
        ax.fill_between(fit["ahead"], *band, color=shade, alpha=0.2, lw=0)
        ax.plot(fit["ahead"], one["forecast"], color=shade, lw=1.4)
    ax.axvline(until, color="0.5", lw=0.8, ls=":")
    seen = fit["variance"].values[:modes]
    seen = seen[np.isfinite(seen) & (seen > 0)]
    ax.set_yscale("log")
    ax.set_ylim(max(seen.min(), seen.max() / 10**DECADES) / 1.5, seen.max() * 2)
    ax.set_xlabel("time (learning rate × step)")
    ax.set_ylabel("variance of the mode")
    said = f"points: recorded, fitted until {until:.4g}; lines: foretold, with 95 % bands"
    write_title(ax, [str(fit.attrs["verdict"]), said])
    return ax


def save_fit_picture(fit: xarray.Dataset, path: str | Path, force: bool = False) -> Path:
    """Draw a fit into a file, as `save_figure` writes it."""
    check_output(path, PICTURE_SUFFIXES, force)
    with style():
        figure = Figure(figsize=SIZE, layout="constrained")
        plot_fit(fit, figure.add_subplot())
        return save_figure(figure, path, force)
