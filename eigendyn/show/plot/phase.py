"""Draw the phase portrait of a plane, layer by layer.

Every layer draws on the axes that it is given, and returns the arrays that it drew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import Stroke
from numpy.typing import NDArray

from eigendyn.analysis.fixed_points.newton import check_parameters
from eigendyn.analysis.plane.motion import Motion, Parameters
from eigendyn.analysis.plane.portrait import Rests, basins, conserved_levels, rests, separatrices
from eigendyn.results.files import write_atomically
from eigendyn.settings.checks import check_is
from eigendyn.show.plot.picture import axes_to_draw_on
from eigendyn.show.plot.style import DESCENT, style
from eigendyn.show.plot.title import write_title

FIELD, FINE = 18, 120  # points on each side of the plane, for arrows and for lines
NULLCLINES = (("#0072B2", "-"), ("#E69F00", "--"))  # dashes leave the other one seen
TRAJECTORY = "#D55E00"
BORDER = "#CC79A7"  # of basins: a pale band, since it often runs along a nullcline
TRAJECTORIES = "trajectory"  # group of the lines that an animation lets run
SHADES = ("#e8e8e8", "#d6e8f3", "#fbe6c8", "#d9efe4", "#f3e0ea", "#fff7cf")
LEVELS = 8
OWN: Parameters = MappingProxyType({})  # the system's own numbers
PORTRAIT = (6.4, 5.2)  # inches
DURATION = 150.0
RESOLUTION = 60  # starts of basins along each axis
EDGE = 0.005  # of the plane, that is its border
FRAMES, RATE = 60, 20  # of an animation; frames a second
SLOWEST = 1e-3  # share of the largest speed below which arrows are no paler
CORES = {  # of lines of fixed points
    "unstable": "white",
    "saddle": "0.7",
    "half-stable": "0.7",
    "neutral": "0.7",
}
FILLS: Mapping[str, Any] = {
    "stable": "full",
    "unstable": "none",
    "saddle": "left",
    "half-stable": "top",
    "neutral": "bottom",
}


def draw_field(motion: Motion, ax: Axes, parameters: Parameters = OWN) -> Mapping[str, NDArray]:
    """Draw the direction of motion as arrows of equal length, paler where it is slow."""
    across, up = motion.grid(FIELD)
    rates = motion.rates(across, up, parameters)
    tops = np.array([axis.top for axis in motion.axes])[:, None, None]
    speed = np.hypot(*(rates / tops))
    unit = np.divide(rates / tops, speed, out=np.zeros_like(rates), where=speed > 0) * tops
    ax.quiver(
        *(across, up, *unit),
        -np.log10(np.maximum(speed / speed.max(), SLOWEST)),
        cmap="gray",
        clim=(-4.0, 4.0),
        angles="xy",
        scale_units="xy",
        scale=1.4 * FIELD,
        pivot="mid",
        width=0.003,
    )
    return {"across": across, "up": up, "rates": rates}


def draw_nullclines(motion: Motion, ax: Axes, parameters: Parameters = OWN) -> list[list[NDArray]]:
    """Draw where one of the axes does not move, one line for each branch.

    The legend leaves out those that lie on the border of the plane only, where they are not seen.
    """
    across, up = motion.grid(FINE)
    tops = np.array([axis.top for axis in motion.axes])
    found = motion.nullclines(across, up, motion.rates(across, up, parameters), parameters)
    for axis, branches, (colour, look) in zip(motion.axes, found, NULLCLINES, strict=True):
        lines = LineCollection(branches, colors=colour, linestyles=look, linewidths=1.2)
        shares = np.concatenate([np.empty((0, 2)), *branches]) / tops
        if ((shares > EDGE) & (shares < 1 - EDGE)).all(axis=1).any():
            lines.set_label(f"{axis.symbol} does not move")
        ax.add_collection(lines)
    return found


def draw_fixed_points(found: Rests, ax: Axes) -> Rests:
    """Draw fixed points: filled if stable, open if unstable, half filled if saddles.

    A continuum is a thick line, hollow where it does not attract.
    """
    kinds = dict.fromkeys(point.stability for point in found.points)
    for kind in kinds:
        alone = [
            shown
            for point, shown, lines in zip(found.points, found.shown, found.continua, strict=True)
            if point.stability == kind and len(lines) == 0
        ]
        if alone:
            ax.plot(
                *np.transpose(alone),
                ls="",
                marker="o",
                ms=7,
                color="black",
                markerfacecoloralt="white",
                zorder=5,
                clip_on=False,
                label=f"{kind} fixed point",
                fillstyle=FILLS[kind],
            )
    for kind in kinds:
        lines = [
            line
            for point, continuum in zip(found.points, found.continua, strict=True)
            if point.stability == kind
            for line in continuum
        ]
        if lines:
            label = f"{kind} fixed points, a line of them"
            wide = {"zorder": 4, "clip_on": False, "capstyle": "round"}
            ax.add_collection(LineCollection(lines, colors="black", linewidths=4, **wide))
            core = CORES.get(kind)
            if core is not None:
                ax.add_collection(LineCollection(lines, colors=core, linewidths=2, **wide))
            line = ax.plot([], [], color="black", lw=4, label=label)[0]
            if core is not None:
                line.set_path_effects([Stroke(linewidth=4), Stroke(linewidth=2, foreground=core)])
    return found


def draw_conserved(motion: Motion, ax: Axes) -> Mapping[str, NDArray]:
    """Draw level sets of what the dynamics conserve."""
    across, up = motion.grid(FINE)
    levels = conserved_levels(motion, across, up)
    for name, values in levels.items():
        ax.contour(across, up, values, LEVELS, colors="0.75", linewidths=0.7, linestyles="--")
        ax.plot([], [], color="0.75", lw=0.7, ls="--", label=f"{name} is conserved")
    return levels


def draw_trajectories(
    motion: Motion,
    ax: Axes,
    starts: Sequence[tuple[float, float]],
    duration: float = DURATION,
    parameters: Parameters = OWN,
) -> list[tuple[NDArray, NDArray]]:
    """Integrate from these starts and draw the trajectories; times and points are returned."""
    found = motion.trajectories(starts, parameters, duration)
    for index, (_, points) in enumerate(found):
        ax.plot(
            *points.T,
            color=TRAJECTORY,
            lw=1.3,
            marker="o",
            ms=3,
            markevery=[0],
            gid=TRAJECTORIES,
            label=None if index else "trajectory",
        )
    return found


def draw_separatrices(
    motion: Motion, ax: Axes, found: Rests, parameters: Parameters = OWN
) -> list[NDArray]:
    """Draw the stable manifolds of saddles, which part the basins."""
    branches = separatrices(motion, found.points, parameters)
    for index, branch in enumerate(branches):
        label = None if index else "border of basins"
        ax.plot(*branch.T, color=BORDER, lw=4, alpha=0.5, zorder=1, label=label)
    return branches


def draw_basins(
    motion: Motion,
    ax: Axes,
    found: Rests,
    duration: float = DURATION,
    parameters: Parameters = OWN,
) -> NDArray:
    """Shade the plane by the fixed point that is reached; white where none is in time."""
    _, _, labels = basins(motion, found.points, parameters, duration, RESOLUTION)
    names = [label for label in np.unique(labels) if label >= 0]
    shades = ListedColormap([SHADES[i % len(SHADES)] for i in range(len(found.points))])
    tops = [axis.top for axis in motion.axes]
    ax.imshow(
        np.ma.masked_less(labels, 0),
        cmap=shades,
        vmin=-0.5,
        vmax=len(found.points) - 0.5,
        origin="lower",
        extent=(0, tops[0], 0, tops[1]),
        aspect="auto",
        zorder=0,
        interpolation="nearest",
    )
    for label in names:
        place = ", ".join(f"{x:.3g}" for x in found.shown[label])
        ax.plot([], [], ls="", marker="s", color=shades(label), label=f"ends at ({place})")
    return labels


def draw_descents(paths: Sequence[NDArray], ax: Axes) -> Sequence[NDArray]:
    """Draw trained networks (points, 2) over the theory."""
    for index, path in enumerate(paths):
        ax.plot(*path.T, ms=4, label=None if index else "gradient descent", **DESCENT)
    return paths


@dataclass(frozen=True, eq=False)
class Portrait:
    """What a phase portrait shows, layer by layer.

    Args:
        ax: Axes that it is drawn on.
        rests: Fixed points.
        field: "across", "up" and "rates" of the arrows.
        nullclines: Branches (points, 2) on which the first, and the second, axis does not move.
        separatrices: Stable manifolds of saddles (points, 2).
        levels: By name, values of what is conserved, on a grid.
        trajectories: Times (times,) and points (times, 2).
        basins: Index of the fixed point at which a start ends, or −1; None if not asked for.
    """

    ax: Axes
    rests: Rests
    field: Mapping[str, NDArray]
    nullclines: list[list[NDArray]]
    separatrices: list[NDArray]
    levels: Mapping[str, NDArray]
    trajectories: list[tuple[NDArray, NDArray]]
    basins: NDArray | None


def phase_portrait(
    motion: Motion,
    ax: Axes | None = None,
    *,
    starts: Sequence[tuple[float, float]] = (),
    with_basins: bool = False,
    duration: float = DURATION,
    **parameters: float,
) -> Portrait:
    """Draw a phase portrait of all layers.

    Args:
        motion: Motion on a plane (see `phase_plane`).
        ax: Axes to draw on; None opens a pyplot figure, with a legend below the plane.
        starts: Points of the plane at which trajectories start.
        with_basins: Whether to shade basins, which integrates 3,600 trajectories.
        duration: Time that trajectories take [learning rate × step].
        parameters: Numbers by name, in the place of the system's own.

    Returns:
        What was drawn.

    Raises:
        UnknownName: A parameter that the system does not have.

    Examples:
        >>> plane = eigendyn.phase_plane("euclidean", weight_decay=0.16, sigma1=0)
        >>> portrait = eigendyn.plot.phase_portrait(plane, starts=[(0.3, 0.6)])
        >>> sorted({point.stability for point in portrait.rests.points})
        ['saddle', 'stable', 'unstable']
    """
    check_is("motion", motion, isinstance(motion, Motion), "what eigendyn.phase_plane(loss) gives")
    check_parameters(motion.system, parameters, phase_portrait)
    has_own_figure = ax is None
    ax = axes_to_draw_on(ax, PORTRAIT)
    found = rests(motion, parameters)
    shaded = draw_basins(motion, ax, found, duration, parameters) if with_basins else None
    portrait = Portrait(
        ax=ax,
        rests=found,
        field=draw_field(motion, ax, parameters),
        levels=draw_conserved(motion, ax),
        nullclines=draw_nullclines(motion, ax, parameters),
        separatrices=draw_separatrices(motion, ax, found, parameters),
        trajectories=draw_trajectories(motion, ax, starts, duration, parameters),
        basins=shaded,
    )
    draw_fixed_points(found, ax)
    across, up = motion.axes
    ax.set(xlim=(0, across.top), ylim=(0, up.top), xlabel=across.label, ylabel=up.label)
    write_title(ax, [motion.system.title(parameters)])
    if has_own_figure:
        add_legend(cast("Figure", ax.figure))
    return portrait


def portrait_figure() -> tuple[Figure, Axes]:
    """An empty figure for a phase portrait, in the project's style."""
    with style():
        figure = Figure(figsize=PORTRAIT, layout="constrained")
        return figure, figure.subplots()


def add_legend(figure: Figure) -> None:
    """Put the legend below the plane, in as many columns as the figure has room for."""
    if figure.legends:
        return
    for columns in (3, 2, 1):
        legend = figure.legend(loc="outside lower center", ncols=columns, fontsize="small")
        if legend.get_window_extent().width <= figure.bbox.width:
            return
        if columns > 1:
            legend.remove()


def save_animation(figure: Figure, ax: Axes, path: Path, force: bool = False) -> Path:
    """Let the trajectories run, and save that as .gif or .mp4.

    Raises:
        OutputExists: The file exists and `force` is not set, or it cannot be written.
    """
    lines = [line for line in ax.lines if line.get_gid() == TRAJECTORIES]
    paths = [np.asarray(line.get_data()) for line in lines]
    figure.draw_without_rendering()
    figure.set_layout_engine("none")

    def show(frame: int) -> list:
        for line, path_of_line in zip(lines, paths, strict=True):
            line.set_data(*path_of_line[:, : max(1, round(frame / FRAMES * path_of_line.shape[1]))])
        return lines

    moving = FuncAnimation(figure, show, frames=FRAMES + 1, interval=1000 / RATE)
    writer = PillowWriter(RATE) if path.suffix.lower() == ".gif" else FFMpegWriter(RATE)
    return write_atomically(path, force, lambda part: moving.save(part, writer=writer, dpi=100))
