"""Draw the plane of an explorer in one figure whose artists are updated, not replaced.

What moves is animated in matplotlib's sense: left out of the background, drawn over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from eigendyn.analysis.plane.axes import Axis
from eigendyn.analysis.plane.portrait import Rests
from eigendyn.show.plot.phase import NULLCLINES, draw_fixed_points
from eigendyn.show.plot.style import style
from eigendyn.show.plot.title import write_title

SIZE = (8.6, 4.6)  # inches
MARGINS = {"left": 0.07, "right": 0.98, "bottom": 0.25, "top": 0.93, "wspace": 0.2}
POINTS = 36  # of the field on each side of the plane
EVERY = slice(None, None, 2), slice(None, None, 2)  # of these an arrow
ROOMY = 0.6  # share of the time course's height that trajectories fill at least
STILL, AFTER = 0.005, 1.4  # share of its height that is no motion; width, in times of the motion
CYCLE = ("#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000", "#F0E442")

Trajectory = tuple[NDArray, NDArray]  # times (times,), points (times, 2)


class Exploration:
    """A plane with its field, nullclines and trajectories, and their time course beside it.

    Args:
        figure: An empty figure.
        axes: Horizontal and vertical axis.
        points: Where the field is known, across and up (points, points) each.
        duration: Time that trajectories take [learning rate × step].
        title: What is seen.
    """

    def __init__(
        self,
        figure: Figure,
        axes: tuple[Axis, Axis],
        points: Sequence[NDArray],
        duration: float,
        title: str,
    ) -> None:
        self.tops = np.array([axis.top for axis in axes])[:, None, None]
        self.paths: list[Line2D] = []
        self.duration = duration
        self.courses: list[list[Line2D]] = []
        self.rests: list[Artist] = []
        across, up = axes
        with style():
            figure.clear()
            figure.subplots_adjust(**MARGINS)
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
                animated=True,
            )
            self.nullclines = [
                LineCollection([], colors=c, linestyles=look, linewidths=1.4, animated=True)
                for c, look in NULLCLINES
            ]
            for collection, axis in zip(self.nullclines, axes, strict=True):
                collection.set_label(f"{axis.symbol} does not move")
                self.plane.add_collection(collection)
            self.plane.set(xlim=(0, across.top), ylim=(0, up.top))
            self.plane.set(xlabel=across.label, ylabel=up.label)
            write_title(self.plane, [title])
            self.rest(None)
            write_title(self.course, ["time course"])
            self.course.set(xlabel="learning rate × step")
            self.course.set(xlim=(0, duration))
            self.course.set(ylabel=f"{across.symbol} (solid), {up.symbol} (dashed)")

    def move(self, rates: NDArray, nullclines: Sequence[Sequence[NDArray]]) -> None:
        """Show the directions of a field (2, points, points), and its nullclines."""
        shares = rates / self.tops
        size = np.hypot(*shares)
        directions = np.divide(shares, size, out=np.zeros_like(shares), where=size > 0)
        self.arrows.set_UVC(*(side[EVERY] for side in directions * self.tops))
        for collection, branches in zip(self.nullclines, nullclines, strict=True):
            collection.set_segments(list(branches))

    def rest(self, found: Rests | None) -> None:
        """Show these fixed points, or none while they are not known."""
        for artist in self.rests:
            artist.remove()
        others = self.plane.get_children()
        if found is not None:
            draw_fixed_points(found, self.plane)
        self.rests = [artist for artist in self.plane.get_children() if artist not in others]
        self.legend = self.plane.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.12),
            ncols=2,
            fontsize="small",
            frameon=False,
        )
        for artist in (*self.rests, self.legend):
            artist.set_animated(True)

    def follow(self, trajectories: Sequence[Trajectory]) -> None:
        """Show these trajectories in the place of those shown."""
        while len(self.paths) > len(trajectories):
            for artist in (self.paths.pop(), *self.courses.pop()):
                artist.remove()
        while len(self.paths) < len(trajectories):
            moving = {"color": CYCLE[len(self.paths) % len(CYCLE)], "animated": True}
            self.paths += self.plane.plot([], [], marker="o", markevery=[0], ms=4, **moving)
            self.courses.append([self.course.plot([], [], ls, **moving)[0] for ls in ("-", "--")])
        shown = zip(self.paths, self.courses, trajectories, strict=True)
        for path, courses, (times, points) in shown:
            path.set_data(*points.T)
            for line, values in zip(courses, points.T, strict=True):
                line.set_data(times, values)
        self._make_room(np.concatenate([points for _, points in trajectories]))

    def fit(self, trajectories: Sequence[Trajectory]) -> None:
        """End the time course where nothing moves any more; all is drawn anew, so not in a move."""
        last = max(_until_still(*one) for one in trajectories)
        self.course.set_xlim(0, min(AFTER * last, self.duration) or self.duration)

    def _make_room(self, points: NDArray) -> None:
        """Change the height of the time course only if trajectories leave it, or hardly fill it."""
        low, high = points.min(), points.max()
        bottom, top = self.course.get_ylim()
        if low < bottom or high > top or high - low < ROOMY * (top - bottom):
            margin = 0.05 * (high - low) or 0.5
            self.course.set_ylim(low - margin, high + margin)

    @property
    def moving(self) -> list[Artist]:
        """What every move changes, in the order in which it is drawn."""
        courses = [line for lines in self.courses for line in lines]
        lines = [self.arrows, *self.nullclines, *self.paths, *courses]
        return [*lines, *sorted(self.rests, key=Artist.get_zorder), self.legend]

    @property
    def background(self) -> tuple:
        """What tells one background from another, at one size of the figure."""
        return self, self.course.get_xlim(), self.course.get_ylim()


def _until_still(times: NDArray, points: NDArray) -> float:
    """Time until which a trajectory moves; 0 if it does not."""
    away = np.abs(points - points[-1]).max(axis=1)
    return float(times[away > STILL * np.abs(points).max()].max(initial=0))


def new_figure() -> Figure:
    """An empty figure for an exploration."""
    return Figure(figsize=SIZE)


def as_png(figure: Figure) -> bytes:
    """The figure as a picture."""
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=120)
    return stream.getvalue()
