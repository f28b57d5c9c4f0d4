"""Follow saddle-nodes as two parameters change, by pseudo-arclength continuation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.analysis.bifurcations.arclength import Spot, correct, distance, reach, trace
from eigendyn.analysis.bifurcations.branches import CLOSED, LONG
from eigendyn.analysis.bifurcations.continuation import (
    MOST,
    ON,
    STEP,
    continue_fixed_points,
    usual_window,
)
from eigendyn.analysis.bifurcations.curve import curve_through
from eigendyn.analysis.bifurcations.ends import CHANGING, LEFT, STUCK, Limits
from eigendyn.analysis.bifurcations.family import family, meaningful
from eigendyn.analysis.bifurcations.fold_system import FoldSystem
from eigendyn.analysis.bifurcations.special_points import SADDLE_NODE, SpecialPoint
from eigendyn.analysis.fixed_points.fixed_points import check_window
from eigendyn.analysis.fixed_points.newton import Dynamics, check_parameters
from eigendyn.errors import InvalidSetting

VANISHED = "a mode vanished"
Edges = tuple[float, float, tuple[str, str]]  # of a range, and why a curve ends at each


@dataclass(frozen=True, eq=False)
class FoldCurve:
    """Saddle-nodes that follow one another as two parameters change.

    Args:
        driven: Names of the parameters that the first number drives, and the second.
        first: Values of the first (points,).
        second: Values of the second (points,).
        x: Coordinates (points, coordinates).
        ended: Why the curve ends on the side of its first point, and of its last.
        partial: Whether it ends for a numerical reason.
    """

    driven: tuple[tuple[str, ...], tuple[str, ...]]
    first: NDArray
    second: NDArray
    x: NDArray
    ended: tuple[str, str]
    partial: bool


def fold_curve(
    system: Dynamics,
    parameter: str | Sequence[str],
    between: Sequence[float],
    second: str | Sequence[str],
    second_between: Sequence[float],
    *,
    folds: Sequence[SpecialPoint] | None = None,
    window: tuple[ArrayLike, ArrayLike] | None = None,
    step: float = STEP,
    tolerance: float = 1e-10,
    **parameters: float,
) -> tuple[FoldCurve, ...]:
    r"""Follow saddle-nodes as two parameters change.

    f(x, μ, ν) = 0, (∂f/∂x) q = 0, ‖q‖² = 1: one unknown more than equations, so a curve.

    Args:
        system: A `DynamicalSystem`, a plane of one, or any `Dynamics`.
        parameter: The first parameter, or several that change together.
        between: Its smallest and largest value.
        second: The second parameter, or several that change together.
        second_between: Its smallest and largest value.
        folds: Saddle-nodes, found at the system's own value of the second parameter, or at that
            given in `parameters`, from which to begin; None looks for them there, or in the
            middle of the range if it is not in it.
        window: Lower and upper corner (coordinates,); None is `usual_window`.
        step: Longest step, in units of the window and the ranges.
        tolerance: Largest absolute rate, and largest rate times null vector.
        parameters: Numbers by name, in the place of the system's own.

    Returns:
        A curve for each saddle-node that is not on one before; empty if there is no saddle-node.

    Raises:
        UnknownName: A parameter that the system does not have.
        InvalidSetting: An empty range or window, or the same parameter twice.

    Source: Seydel 1979 for the equations, Keller 1977 for how they are followed.

    Examples:
        >>> system = eigendyn.dynamical_system("euclidean", 1, sigma1=0)
        >>> decays, noises = (0.05, 0.4), (0.0, 1.0)
        >>> curves = eigendyn.analysis.fold_curve(system, "weight_decay", decays, "sigma1", noises)
        >>> curve = curves[0]
        >>> bool(np.allclose(curve.first, 0.25 / (1 + curve.second**2)))
        True
    """
    also = (second,) if isinstance(second, str) else tuple(second)
    check_parameters(system, parameters, fold_curve)
    corners = usual_window(system) if window is None else window
    low, high = check_window(*corners, len(system.names))
    check_parameters(system, dict.fromkeys(also, 0.0))
    bottom, top, reasons = meaningful(also, second_between)
    own = float({**system.parameters, **parameters}[also[0]])
    inside = bottom <= own <= top
    own = own if inside else (bottom + top) / 2
    fixed: dict[str, Any] = {**parameters, **dict.fromkeys(also, own)}
    member = family(system, parameter, between, (low, high), fixed)
    if set(member.driven) & set(also):
        message = (
            f"The two parameters of a curve must differ, and both drive {', '.join(also)}. Try "
            "another second one."
        )
        raise InvalidSetting(message)
    if folds is None or not inside:
        found = continue_fixed_points(system, parameter, between, window=(low, high), **fixed)
        folds = found.special_points
    curves: list[FoldCurve] = []
    size, spans = high - low, np.array([member.high - member.low, top - bottom])
    edges = [(member.low, member.high, member.reasons), (bottom, top, reasons)]
    limits = Limits(low, high, step, MOST)
    for fold in folds:
        at = np.array([fold.parameter, own])
        lines = (np.column_stack([curve.first, curve.second]) / spans for curve in curves)
        if fold.kind != SADDLE_NODE or any(distance(line, at / spans) <= ON for line in lines):
            continue
        curve = curve_through(member, fold.x, fold.parameter, size, tolerance)
        extended = FoldSystem(curve, also, spans)
        curves.append(_follow(extended, fold, at, edges, limits))
    return tuple(curves)


def _follow(
    extended: FoldSystem, fold: SpecialPoint, at: NDArray, edges: list[Edges], limits: Limits
) -> FoldCurve:
    y = extended.start(fold.x, at)
    axis = np.eye(len(y))[-1]
    start = correct(extended.equations, y, axis, axis, extended.curve.tolerance)
    if start is None:
        spots, ended = [], (STUCK, STUCK)
    else:
        forward, last = _path(extended, start, edges, limits)
        backward, first = [], CLOSED
        if last != CLOSED:
            turned = replace(start, tangent=-start.tangent)
            backward, first = _path(extended, turned, edges, limits)
        spots, ended = [*reversed(backward), start, *forward], (first, last)
    x, numbers = extended.points(np.array([spot.y for spot in spots]).reshape(-1, len(y)))
    partial = any(end in (STUCK, LONG) for end in ended)
    return FoldCurve(
        driven=(extended.curve.family.driven, extended.second),
        first=numbers[:, 0],
        second=numbers[:, 1],
        x=x,
        ended=ended,
        partial=partial,
    )


def _path(
    extended: FoldSystem, start: Spot, edges: list[Edges], limits: Limits
) -> tuple[list[Spot], str]:
    """One direction of a curve of saddle-nodes, and why it ends."""
    spots: list[Spot] = []
    equations, tolerance = extended.equations, extended.curve.tolerance
    for here, new, closes in trace(equations, start, limits.step, limits.most, tolerance):
        if new is None:
            return spots, STUCK
        reason, place, bound = _crossed(extended, here, new, edges, limits)
        if reason:
            last = reach(equations, here, new, np.eye(len(new.y))[place], bound, tolerance)
            return [*spots, *([last] if last is not None else [])], reason
        if closes:
            return [*spots, start], CLOSED
        spots.append(new)
    return spots, LONG


def _crossed(
    extended: FoldSystem, before: Spot, after: Spot, edges: list[Edges], limits: Limits
) -> tuple[str, int, float]:
    """The first bound that a step crosses: why it ends there, the unknown, and its value."""
    curve = extended.curve
    bounds: list[tuple[int, float, int, str]] = []
    for k, (bottom, top, reasons) in enumerate(edges):
        place, span = len(after.y) - 2 + k, extended.spans[k]
        bounds.append((place, bottom / span, -1, reasons[0]))
        bounds.append((place, top / span, 1, reasons[1]))
    for place, i in enumerate(curve.free):
        state = curve.family.system.names[i].rpartition("_")[0]
        low = (0.0, VANISHED) if state in CHANGING else (float(limits.low[i]), LEFT)
        bounds.append((place, low[0] / float(curve.size[i]), -1, low[1]))
        bounds.append((place, float(limits.high[i] / curve.size[i]), 1, LEFT))
    crossed = [
        ((bound - before.y[place]) / (after.y[place] - before.y[place]), reason, place, bound)
        for place, bound, side, reason in bounds
        if side * (after.y[place] - bound) > 0 >= side * (before.y[place] - bound)
    ]
    return min(crossed)[1:] if crossed else ("", 0, 0.0)
