"""Draw a bifurcation diagram from branches of fixed points.

Every layer draws on the axes that it is given, and returns the arrays that it drew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from eigendyn.analysis.bifurcations.branches import between, runs
from eigendyn.analysis.bifurcations.continuation import Diagram
from eigendyn.settings.checks import check_is
from eigendyn.settings.keywords import takes
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.states import STATES
from eigendyn.show.plot.labels import place_label
from eigendyn.show.plot.picture import axes_to_draw_on
from eigendyn.show.plot.style import style
from eigendyn.show.plot.title import write_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from eigendyn.analysis.bifurcations.folds import FoldCurve

COLOUR, FOLDS = "#0072B2", "#CC79A7"
ROOM = 0.04  # beside what is drawn, as a share of it
MOST_COLUMNS = 4  # of the legend, below each panel
LOOKS: Mapping[str, Any] = {"stable": "-", "unstable": "--", "neutral": ":"}
MARKERS: Mapping[str, tuple[str, str]] = {  # and their colours
    "saddle-node": ("D", "#D55E00"),
    "transcritical": ("o", "#009E73"),
    "pitchfork": ("^", "#009E73"),
    "branch point": ("v", "0.3"),
    "Hopf": ("s", "#CC79A7"),
}


def shown(x: NDArray, names: Sequence[str], coordinate: str) -> NDArray:
    """What is drawn of coordinates (points, coordinates): of a singular value, the variance."""
    values = np.asarray(x)[..., list(names).index(coordinate)]
    state = STATES.get(coordinate.rpartition("_")[0])
    return values**2 if state is not None and state.squared else values


def draw_branches(diagram: Diagram, ax: Axes, coordinate: str) -> list[tuple[str, NDArray]]:
    """Draw branches: solid where stable, dashed where unstable, dotted where neutral.

    Returns:
        Stretches of one kind, "stable", "unstable" (saddles too) or "neutral", and their points
        (points, 2).
    """
    drawn: list[tuple[str, NDArray]] = []
    for branch in diagram.branches:
        points = np.column_stack([branch.parameter, shown(branch.x, diagram.names, coordinate)])
        stability = np.where(branch.stability == "saddle", "unstable", branch.stability)
        kinds = between(stability)
        drawn += [(str(kinds[a]), points[a : b + 1]) for a, b in runs(kinds)]
    for kind, points in drawn:
        ax.plot(*points.T, LOOKS[kind], color=COLOUR, lw=1.6, zorder=2, clip_on=False)
    for kind in LOOKS:
        if any(kind == other for other, _ in drawn):
            ax.plot([], [], LOOKS[kind], color=COLOUR, lw=1.6, label=kind)
    return drawn


def draw_special_points(diagram: Diagram, ax: Axes, coordinate: str) -> dict[str, NDArray]:
    """Mark special points, each place once.

    Returns:
        By kind, the places (points, 2).
    """
    places: dict[str, list[tuple[float, float]]] = {}
    for one in diagram.special_points:
        place = (one.parameter, float(shown(one.x, diagram.names, coordinate)))
        of_kind = places.setdefault(one.kind, [])
        if not any(np.allclose(place, other, rtol=1e-3, atol=1e-6) for other in of_kind):
            of_kind.append(place)
    found = {kind: np.array(of_kind) for kind, of_kind in places.items()}
    for kind, points in found.items():
        marker, colour = MARKERS[kind]
        ax.plot(
            *points.T, ls="", marker=marker, color=colour, ms=5, zorder=4, clip_on=False, label=kind
        )
    return found


def draw_labels(diagram: Diagram, ax: Axes, places: Mapping[str, NDArray]) -> list[str]:
    """Write beside special points what they are, and where; off the lines and off each other.

    The axes must have their limits; the texts are returned.
    """
    sign = _sign(diagram.driven)
    taken: list[NDArray] = []
    texts = []
    for kind, points in places.items():
        for point in points:
            texts.append(f"{kind}\n{sign} {point[0]:.4g}")
            taken.append(place_label(ax, texts[-1], point, taken))
    return texts


@takes()
def plot_bifurcation(diagram: Diagram, ax: Axes | None = None, coordinate: str = "") -> Axes:
    """Draw a bifurcation diagram: branches over a parameter, special points marked and labelled.

    Args:
        diagram: Branches, as `continue_fixed_points` finds them.
        ax: Axes to draw on; None opens a pyplot figure.
        coordinate: What to draw, one of the diagram's names; of singular values the variance is
            drawn. Empty takes the first.

    Returns:
        The axes.

    Raises:
        InvalidSetting: It is no such diagram.

    Examples:
        >>> system = eigendyn.dynamical_system("euclidean", 1, sigma1=0)
        >>> diagram = eigendyn.continue_fixed_points(system, "weight_decay", (0.05, 0.4))
        >>> [(point.kind, round(point.parameter, 6)) for point in diagram.special_points]
        [('saddle-node', 0.25)]
        >>> ax = eigendyn.plot.bifurcation(diagram)
        >>> ax.get_xlabel()
        'weight decay ω'
    """
    maker = "what eigendyn.continue_fixed_points(system, …) gives"
    check_is("diagram", diagram, isinstance(diagram, Diagram), maker)
    ax = axes_to_draw_on(ax)
    coordinate = coordinate or diagram.names[0]
    drawn = draw_branches(diagram, ax, coordinate)
    places = draw_special_points(diagram, ax, coordinate)
    heights = np.concatenate([points[:, 1] for _, points in drawn])
    low, high = min(0.0, float(heights.min())), float(heights.max())
    room = 2 * ROOM * (high - low if high > low else 1.0)
    ax.set(
        xlim=diagram.between,
        ylim=(low - room / 2, high + room),
        xlabel=_parameter(diagram.driven),
        ylabel=_coordinate(coordinate, diagram.names),
    )
    write_title(ax, [diagram.title])
    draw_labels(diagram, ax, places)
    return ax


def draw_fold_curves(curves: Sequence[FoldCurve], ax: Axes) -> list[NDArray]:
    """Draw where saddle-nodes are in the plane of two parameters; points (points, 2) return."""
    drawn = [np.column_stack([curve.first, curve.second]) for curve in curves]
    for index, points in enumerate(drawn):
        label = None if index else "saddle-nodes"
        ax.plot(*points.T, color=FOLDS, lw=1.8, clip_on=False, label=label)
    if curves:
        first, second = curves[0].driven
        ax.set(xlabel=_parameter(first), ylabel=_parameter(second))
    return drawn


def bifurcation_figure(
    diagram: Diagram,
    curves: Sequence[FoldCurve] = (),
    second_between: Sequence[float] | None = None,
    second_value: float | None = None,
) -> Figure:
    """Draw a bifurcation diagram, and beside it the curves of saddle-nodes if there are any.

    Args:
        diagram: Branches.
        curves: Curves of saddle-nodes.
        second_between: Range of the second parameter.
        second_value: Its value in the diagram, which is marked.
    """
    panels = 1 if second_between is None else 2
    with style():
        figure = Figure(figsize=(1.2 + 3.4 * panels, 3.4), layout="constrained")
        axes = figure.subplots(1, panels, squeeze=False)[0]
        plot_bifurcation(diagram, axes[0])
        if second_between is not None:
            bottom, top = second_between
            draw_fold_curves(curves, axes[1])
            room = ROOM * (top - bottom)  # so that a line at an end is off the axis
            axes[1].set(xlim=diagram.between, ylim=(bottom - room, top + room))
            if second_value is not None and bottom <= second_value <= top:
                axes[1].axhline(second_value, color="0.4", lw=1, ls="-.", clip_on=False)
                axes[1].plot([], [], color="0.4", lw=1, ls="-.", label="diagram on the left")
        entries = sum(len(ax.get_legend_handles_labels()[0]) for ax in axes)
        columns = entries if entries <= MOST_COLUMNS * panels else -(-entries // 2)
        figure.legend(loc="outside lower center", ncols=columns)
    return figure


def _parameter(names: Sequence[str]) -> str:
    rows = [PARAMETERS.get(name) for name in names]
    words = (
        f"{row.label} {row.sign}" if row else name for row, name in zip(rows, names, strict=True)
    )
    return " = ".join(words)


def _sign(names: Sequence[str]) -> str:
    """What stands before a place: the axis has the words, so that a place needs none."""
    row = PARAMETERS.get(names[0])
    return f"{row.sign} =" if row else "at"


def _coordinate(name: str, names: Sequence[str]) -> str:
    state, _, mode = name.rpartition("_")
    alone = sum(other.rpartition("_")[0] == state for other in names) == 1
    whose = "" if alone or not state else f", mode {mode}"
    if state in STATES:
        sign, words = STATES[state].shown
        return f"{words.removeprefix('encoder’s ')} {sign}{whose}"
    return (state.replace("_", " ") or name) + whose
