"""Draw a map or lines of a result, by what is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eigendyn.show.plot.draw_lines import draw_lines
from eigendyn.show.plot.held import Held
from eigendyn.show.plot.lines import Usual
from eigendyn.show.plot.maps import draw_map, is_map
from eigendyn.show.plot.shown import Shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_held(
    results: Sequence[Held],
    asked: Shown,
    usual: Usual,
    ax: Axes | None = None,
    figure: Figure | None = None,
) -> list[Axes]:
    """Draw a map where both axes of one result are dimensions, else lines.

    Arguments, axes and errors are those of `draw_lines` and `draw_map`.
    """
    if len(results) == 1 and is_map(results[0], asked):
        return draw_map(results[0], asked, usual.quantity, ax, figure)
    return draw_lines(results, asked, usual, ax, figure)
