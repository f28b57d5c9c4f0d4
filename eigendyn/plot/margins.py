"""Axes with labels, and their colour bar, enter; both leave at their places in the figure.

matplotlib's constrained layout typesets all texts several times to the same end, which takes longer
than to draw a single pair of axes.
"""

from __future__ import annotations

import re

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.text import Text

INCH = 72  # points
EDGE = 4  # points from the edge of the figure to the outermost text
GAP = 20  # points from axes to colour bar: half of a step with six digits may stand there
DIGIT = 0.64  # width of a digit, in font sizes: the widest of the usual fonts
LINE = 1.2  # height of a line, likewise
BAR = 0.05  # width of the colour bar, in its heights
MARKUP = re.compile(r"\\[a-z]+|[${}^]")  # what a formula does not show


def place_beside(figure: Figure, ax: Axes, bar: Colorbar) -> None:
    """Place axes and their colour bar so that all labels fit into the figure.

    Args:
        figure: What they stand in alone.
        ax: Axes with labels below and left, a title, and perhaps a second x-axis above.
        bar: Their colour bar, labelled on its right.
    """
    width, height = (INCH * inches for inches in figure.get_size_inches())
    title = _lines(ax.title) + matplotlib.rcParams["axes.titlepad"]
    above = sum(_room(child.xaxis) for child in ax.child_axes)
    bottom, left = EDGE + _room(ax.xaxis), EDGE + _room(ax.yaxis)
    tall = height - bottom - above - title - EDGE
    thick = BAR * tall
    wide = width - left - GAP - thick - _room(bar.ax.yaxis) - EDGE
    ax.set_position((left / width, bottom / height, wide / width, tall / height))
    bar.ax.set_box_aspect(None)
    place = (left + wide + GAP) / width, bottom / height, thick / width, tall / height
    bar.ax.set_position(place)


def _room(axis: Axis) -> float:
    """Points that the ticks, their labels and the label of an axis take beside it."""
    (tick, *_) = axis.get_major_ticks(1)
    size = float(tick.label1.get_fontsize())
    labels = LINE * size if isinstance(axis, XAxis) else DIGIT * size * _longest(axis)
    return tick.get_tick_padding() + labels + axis.labelpad + _lines(axis.label)


def _longest(axis: Axis) -> int:
    """Letters in the longest label of a tick."""
    major = axis.get_major_formatter().format_ticks(list(axis.get_majorticklocs()))
    minor = axis.get_minor_formatter().format_ticks(list(axis.get_minorticklocs()))
    return max((len(MARKUP.sub("", text)) for text in [*major, *minor]), default=0)


def _lines(text: Text) -> float:
    """Height of a text in points."""
    return LINE * float(text.get_fontsize()) * len(text.get_text().split("\n"))
