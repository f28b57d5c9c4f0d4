"""Write a label beside the point that it names, where there is most room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = 7  # points
WIDTH, HEIGHT = 0.56, 1.25  # of a letter and a line, in sizes
GAPS = (7, 14, 24)  # points, from the point to its text
SIDES = ((1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (0, -1))
SAMPLES = 40  # points of every line between two of its own


def place_label(ax: Axes, text: str, point: NDArray, taken: Sequence[NDArray]) -> NDArray:
    """Write a text beside a point, off the lines that the axes hold, and off other texts.

    Args:
        ax: Axes, with their limits.
        text: What to write.
        point: What it names, in data.
        taken: Rectangles of other texts.

    Returns:
        The text's rectangle, lower left and upper right corner (2, 2) in shares of the axes.
    """
    figure = ax.figure.get_figure(root=True)
    box = ax.get_position()
    inches = np.array([box.width, box.height]) * (figure.get_size_inches() if figure else 1)
    unit = 1 / (72 * inches)  # a point, in shares of the axes
    lines = text.split("\n")
    size = np.array([WIDTH * max(map(len, lines)), HEIGHT * len(lines)]) * SIZE * unit
    to_axes = ax.transData + ax.transAxes.inverted()
    at = to_axes.transform(point)
    around = [to_axes.transform(_dense(np.asarray(line.get_xydata()))) for line in ax.lines]
    places = np.concatenate(around or [np.empty((0, 2))])

    def rectangle(side: tuple[int, int], gap: int) -> NDArray:
        centre = at + np.array(side) * (size / 2 + gap * unit)
        return np.stack([centre - size / 2, centre + size / 2])

    def cost(corners: NDArray) -> float:
        inside = ((places >= corners[0]) & (places <= corners[1])).all(axis=1).sum()
        overlaps = sum((corners[0] < t[1]).all() and (t[0] < corners[1]).all() for t in taken)
        beyond = np.maximum(0, -corners[0]).sum() + np.maximum(0, corners[1] - 1).sum()
        return float(inside + 1e4 * overlaps + 1e4 * beyond)

    candidates = [(side, gap) for gap in GAPS for side in SIDES]
    side, gap = min(candidates, key=lambda candidate: cost(rectangle(*candidate)))
    ax.annotate(
        text,
        (float(point[0]), float(point[1])),
        (side[0] * gap, side[1] * gap),
        textcoords="offset points",
        fontsize=SIZE,
        ha={1: "left", 0: "center", -1: "right"}[side[0]],
        va={1: "bottom", 0: "center", -1: "top"}[side[1]],
        annotation_clip=False,
        bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 0.5},
        zorder=5,
    )
    return rectangle(side, gap)


def _dense(points: NDArray) -> NDArray:
    """Points (points, 2) of a line, close enough that none of its stretches passes a text."""
    points = np.asarray(points, float).reshape(-1, 2)
    if len(points) < 2:
        return points
    places = np.linspace(0, len(points) - 1, max(len(points), SAMPLES * min(len(points), 10)))
    columns = [np.interp(places, np.arange(len(points)), column) for column in points.T]
    return np.column_stack(columns)
