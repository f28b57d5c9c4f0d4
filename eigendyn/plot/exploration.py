"""The motion on a plane enters; one figure leaves, whose artists are updated and never replaced."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from eigendyn.explorer.axes import Axis
from eigendyn.plot.style import style

POINTS = 36  # of the field on each side of the plane
EVERY = slice(None, None, 2), slice(None, None, 2)  # of these an arrow
NULLCLINES = ("#0072B2", "#E69F00")
CYCLE = ("#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000", "#F0E442")

Trajectory = tuple[NDArray, NDArray]  # times (times,), points (times, 2)


class Exploration:
    """A plane with its field, nullclines and trajectories, and their time course beside it.

    Args:
        figure: An empty figure.
        axes: Horizontal and vertical axis.
        points: Where the field is known, across and up (points, points) each.
        title: What is seen.
    """

    def __init__(
        self, figure: Figure, axes: tuple[Axis, Axis], points: Sequence[NDArray], title: str
    ) -> None:
        self.tops = np.array([axis.top for axis in axes])[:, None, None]
        self.paths: list[Line2D] = []
        self.courses: list[list[Line2D]] = []
        across, up = axes
        with style():
            figure.clear()
            self.plane, self.course = figure.subplots(1, 2, width_ratios=(1.1, 1))
            still = np.zeros_like(points[0][EVERY])
            self.arrows = self.plane.quiver(
                *(side[EVERY] for side in points),
                still,
                still,
                angles="xy",
                scale_units="xy",
                scale=0.7 * POINTS,
                pivot="mid",
                color="0.6",
                width=0.003,
            )
            self.nullclines = [LineCollection([], colors=c, linewidths=1.4) for c in NULLCLINES]
            for collection, axis in zip(self.nullclines, axes, strict=True):
                collection.set_label(f"{axis.symbol} does not move")
                self.plane.add_collection(collection)
            self.plane.set(xlim=(0, across.top), ylim=(0, up.top), title=title)
            self.plane.set(xlabel=across.label, ylabel=up.label)
            self.plane.legend(loc="upper right", fontsize="small", framealpha=0.9, frameon=True)
            self.course.set(xlabel="learning rate × step", title="time course")
            self.course.set(ylabel=f"{across.symbol} (solid), {up.symbol} (dashed)")

    def move(self, rates: NDArray, nullclines: Sequence[Sequence[NDArray]]) -> None:
        """Show the directions of a field (2, points, points), and its nullclines."""
        shares = rates / self.tops
        size = np.hypot(*shares)
        directions = np.divide(shares, size, out=np.zeros_like(shares), where=size > 0)
        self.arrows.set_UVC(*(side[EVERY] for side in directions * self.tops))
        for collection, branches in zip(self.nullclines, nullclines, strict=True):
            collection.set_segments(list(branches))

    def follow(self, trajectories: Sequence[Trajectory]) -> None:
        """Show these trajectories in the place of those shown."""
        while len(self.paths) > len(trajectories):
            for artist in (self.paths.pop(), *self.courses.pop()):
                artist.remove()
        while len(self.paths) < len(trajectories):
            colour = CYCLE[len(self.paths) % len(CYCLE)]
            self.paths += self.plane.plot([], [], color=colour, marker="o", markevery=[0], ms=4)
            kinds = ("-", "--")
            self.courses.append([self.course.plot([], [], ls, color=colour)[0] for ls in kinds])
        shown = zip(self.paths, self.courses, trajectories, strict=True)
        for path, courses, (times, points) in shown:
            path.set_data(*points.T)
            for line, values in zip(courses, points.T, strict=True):
                line.set_data(times, values)
        self.course.relim()
        self.course.autoscale_view()


def new_figure() -> Figure:
    """An empty figure for an exploration."""
    figure = Figure(figsize=(9.5, 4.2))
    figure.subplots_adjust(0.08, 0.14, 0.98, 0.92, wspace=0.25)
    return figure


def as_png(figure: Figure) -> bytes:
    """The figure as a picture."""
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=120)
    return stream.getvalue()
