"""Draw lines with what names them: axes, a legend for a few, a bar for many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.lines import Line2D

from eigendyn.show.plot.decades import label_decades
from eigendyn.show.plot.held import Held, label_of
from eigendyn.show.plot.lines import Line, Lines, Usual, find_lines
from eigendyn.show.plot.panels import label_panels, panels
from eigendyn.show.plot.run_names import shared_words
from eigendyn.show.plot.shades import DECADES, Shades, shades_of, spans_decades
from eigendyn.show.plot.shown import Shown
from eigendyn.show.plot.title import write_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

STYLES = ("solid", (0, (4, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))  # of several results
DOTS: dict[str, Any] = {"ls": "", "marker": "o", "ms": 2.6, "mew": 0}
MOST_DOTS = 24  # of measurements along one line: more would hide it
LEGEND: dict[str, Any] = {"fontsize": "small", "frameon": False}


def draw_lines(
    results: Sequence[Held],
    asked: Shown,
    usual: Usual,
    ax: Axes | None = None,
    figure: Figure | None = None,
) -> list[Axes]:
    """Draw what is asked for of one result or several.

    Args:
        results: What is drawn.
        asked: What of it.
        usual: What stands where nothing is asked for.
        ax: Axes to draw on; None takes a figure.
        figure: It; None opens one of pyplot.

    Returns:
        The axes, one for each facet.

    Raises:
        UnknownName, InvalidSetting: As `find_lines` and `panels`.
    """
    results = [one.shown(asked) for one in results]
    lines = find_lines(results, asked, usual)
    facets = list(dict.fromkeys(line.facet for line in lines.every))
    axes = panels(facets, ax, figure, lines.labels["facet"])
    shades = shades_of([line.color for line in lines.every])
    runs = list(dict.fromkeys(line.run for line in lines.every))
    by_run = shades.own.keys() <= set(runs) or set(facets) <= set(runs)
    for facet, one in axes.items():
        for line in (line for line in lines.every if line.facet == facet):
            style = "solid" if by_run else STYLES[runs.index(line.run) % len(STYLES)]
            _draw(one, line, shades(line.color), style)
        if len(axes) > 1:
            write_title(one, [_words(lines.labels["facet"], facet)])
    drawn = list(axes.values())
    _scale(drawn, lines)
    label_panels(drawn, lines.labels["x"], lines.labels["y"])
    _name(drawn, lines, shades, [] if by_run or len(runs) == 1 else runs)
    _write_title(drawn, results, lines, asked)
    return drawn


def _draw(ax: Axes, line: Line, color: Any, style: Any) -> None:
    if line.dots:
        some = np.unique(np.linspace(0, len(line.x) - 1, MOST_DOTS).round().astype(int))
        some = some if len(line.x) > 4 * MOST_DOTS else slice(None)
        ax.plot(line.x[some], line.y[some], color=color, **DOTS)
        return
    if line.band is not None:
        ax.fill_between(line.x, *line.band, color=color, alpha=0.2, lw=0)
    ax.plot(line.x, line.y, color=color, ls=style, lw=1.2)


def _scale(axes: Sequence[Axes], lines: Lines) -> None:
    """Logarithmic axes where values are positive and span decades, down to a few of these."""
    every = [line for line in lines.every if line.y.size]
    heights = np.concatenate([line.y for line in every])
    places = np.concatenate([line.x for line in every])
    for ax in axes:
        if (lines.is_size and (heights > 0).any()) or spans_decades(heights):
            positive = heights[np.isfinite(heights) & (heights > 0)]
            high, start = positive.max(), min(_first_of(every).min(), positive.max())
            low = max(positive.min(), min(start, high / 10**DECADES))
            ax.set_yscale("log")
            ax.set_ylim(low / 1.5, high * 1.5)
            label_decades(ax.yaxis)
        if spans_decades(places):
            ax.set_xscale("log")
            label_decades(ax.xaxis)
        elif places.size and places.max() > places.min() and not any(one.dots for one in every):
            ax.set_xlim(places.min(), places.max())


def _first_of(every: Sequence[Line]) -> NDArray:
    first = np.array([line.y[0] for line in every if line.y[0] > 0])
    return first if first.size else np.array([np.inf])


def _name(axes: Sequence[Axes], lines: Lines, shades: Shades, runs: Sequence[str]) -> None:
    """A legend of colours, or a bar, and of line styles where these tell results apart."""
    ax = axes[-1]
    handles, title = [], lines.labels["color"]
    is_told = all(line.color == line.facet for line in lines.every)  # by the axes themselves
    if len(shades.own) > 1 and not is_told:
        dotted = {line.color for line in lines.every if line.dots}
        for value, color in shades.own.items():
            look: dict[str, Any] = DOTS if value in dotted else {"lw": 1.6}
            handles.append(Line2D([], [], color=color, label=_short(value), **look))
    elif not shades.own:
        figure = ax.figure
        bar = ScalarMappable(shades.norm, shades.colormap)
        figure.colorbar(bar, ax=list(axes), label=title)
    dots = {line.run for line in lines.every if line.dots}
    for run, style in zip(runs, STYLES * len(runs), strict=False):
        look = DOTS if run in dots else {"ls": style}
        handles.append(Line2D([], [], color="0.3", label=run, **look))
    if not handles:
        return
    where: dict[str, Any] = {"loc": "best"}
    if len(handles) > 4 or len(axes) > 1:
        where = {"loc": "center left", "bbox_to_anchor": (1.02, 0.5)}
    ax.legend(handles=handles, title=title if title != "run" else None, **where, **LEGEND)


def _write_title(axes: Sequence[Axes], results: Sequence[Held], lines: Lines, asked: Shown) -> None:
    said = [shared_words([one.dataset for one in results])]
    if len(asked.modes) == 1:
        said.append(f"mode {asked.modes[0]}")
    said += held_words(results[0], asked)
    sentences = [", ".join(filter(None, said)), *lines.remarks]
    sentences = [one for one in sentences if one]
    if len(axes) == 1:
        write_title(axes[0], sentences)
    elif sentences:
        figure = axes[0].get_figure(root=True)
        assert figure is not None
        figure.suptitle("; ".join(sentences), fontsize="medium")


def held_words(held: Held, asked: Shown) -> list[str]:
    """At which values dimensions are cut, in words."""
    found = []
    for name in asked.held:
        value = held.dataset[name].values.item()
        found.append(_words(label_of(name), value))
    return found


def _words(label: str, value: Any) -> str:
    return str(value) if isinstance(value, str) else f"{label} {_short(value)}"


def _short(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
