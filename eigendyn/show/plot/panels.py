"""Lay out axes beside each other, one for each value of what tells them apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from eigendyn.errors import InvalidSetting
from eigendyn.show.plot.picture import SIZE, axes_to_draw_on
from eigendyn.show.plot.shown import Shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL = (2.7, 2.3)  # inches
MOST_PANELS = 24
ACROSS = 4
BESIDE = 1.1  # inches for a bar or legend


def panels(
    values: Sequence[Any], ax: Axes | None, figure: Figure | None, named: str
) -> dict[Any, Axes]:
    """Axes for each value, in order.

    Args:
        values: What tells the axes apart; one value needs no more than one.
        ax: Axes that were given.
        figure: Figure that is drawn on, if none were; None opens one of pyplot.
        named: What the values are of, for a refusal.

    Raises:
        InvalidSetting: There are several, and one was given; or there are too many.
    """
    if len(values) == 1:
        if ax is None and figure is not None:
            return {values[0]: figure.add_subplot()}
        return {values[0]: axes_to_draw_on(ax)}
    if ax is not None:
        message = (
            f"There are axes for each {named}, {len(values)} of them, and `ax` is one. Leave out "
            "`ax`, or hold the others at a value."
        )
        raise InvalidSetting(message)
    if len(values) > MOST_PANELS:
        message = (
            f"A figure has at most {MOST_PANELS} axes, and there are {len(values)} values of "
            f"{named}. Try `color` in the place of `facet`, or fewer."
        )
        raise InvalidSetting(message)
    across = len(values) if len(values) < ACROSS else min(ACROSS, math.ceil(math.sqrt(len(values))))
    down = math.ceil(len(values) / across)
    size = (BESIDE + PANEL[0] * across, 0.4 + PANEL[1] * down)
    if figure is None:
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=size, layout="constrained")
    figure.set_size_inches(size)
    every = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    flat = list(every.flat)
    for empty in flat[len(values) :]:
        empty.remove()
    for place in range(len(values) - across, len(values)):
        flat[max(place, 0)].xaxis.set_tick_params(labelbottom=True)
    return dict(zip(values, flat, strict=False))


def label_panels(axes: Sequence[Axes], xlabel: str, ylabel: str) -> None:
    """Write what the axes are at the edges of the figure alone."""
    columns = 1
    if len(axes) > 1:
        grid = axes[0].get_subplotspec()
        columns = grid.get_gridspec().ncols if grid else 1
    for place, ax in enumerate(axes):
        ax.set_xlabel(xlabel if place + columns >= len(axes) else "")
        ax.set_ylabel(ylabel if place % columns == 0 else "")


def one_or_all(axes: list[Axes], asked: Shown) -> Any:
    """The axes that were drawn on; all of them where there may be several."""
    return axes if asked.facet is not None or len(axes) > 1 else axes[0]


def new_figure() -> Figure:
    """A figure of the usual size that is no pyplot's."""
    return Figure(figsize=(SIZE[0] + BESIDE, SIZE[1]), layout="constrained")
