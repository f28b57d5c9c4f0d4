"""Write a figure to a picture file, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eigendyn.results.files import check_output, write_atomically
from eigendyn.settings.checks import check_is
from eigendyn.settings.choices import PICTURE_SUFFIXES

SIZE = (4.8, 3.4)  # inches: fonts stay readable when scaled to a column
RESOLUTION = 200  # dots per inch of rasters


def axes_to_draw_on(ax: Axes | None, size: tuple[float, float] = SIZE) -> Axes:
    """The axes that were given, or those of a new pyplot figure.

    Args:
        ax: Axes; None opens a figure.
        size: Of the figure [inches].

    Raises:
        InvalidSetting: Something else was given, such as an array of axes.
    """
    if ax is None:
        from matplotlib import pyplot

        return pyplot.figure(figsize=size, layout="constrained").add_subplot()
    check_is("ax", ax, isinstance(ax, Axes), "axes of matplotlib, as pyplot.gca()")
    return ax


def save_figure(figure: Figure, path: str | Path, force: bool = False) -> Path:
    """Write a figure, in the format that the suffix names.

    Args:
        figure: What to write.
        path: File to write, one of `choices.PICTURE_SUFFIXES`.
        force: Overwrite an existing file.

    Returns:
        The path written.

    Raises:
        OutputExists: The file exists and `force` is not set, or it cannot be written.
    """
    path = check_output(path, PICTURE_SUFFIXES, force)
    kind = path.suffix.lower().removeprefix(".")
    layout = figure.get_layout_engine()
    if layout is not None:  # once; savefig would draw everything a second time for it
        layout.execute(figure)
    with matplotlib.rc_context({"figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)
        return write_atomically(
            path, force, lambda temporary: figure.savefig(temporary, format=kind, dpi=RESOLUTION)
        )
