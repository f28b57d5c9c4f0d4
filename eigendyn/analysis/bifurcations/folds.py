"""Follow saddle-nodes as two parameters change, by pseudo-arclength continuation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.analysis.bifurcations.arclength import Spot, advance, correct
from eigendyn.analysis.bifurcations.branches import CLOSED, FIRST, LONG, SHORTEST
from eigendyn.analysis.bifurcations.continuation import (
    MOST,
    ON,
    STEP,
    continue_fixed_points,
    usual_window,
)
from eigendyn.analysis.bifurcations.curve import curve_through
from eigendyn.analysis.bifurcations.ends import CHANGING, LEFT, STUCK
from eigendyn.analysis.bifurcations.family import family, meaningful
from eigendyn.analysis.bifurcations.fold_system import FoldSystem
from eigendyn.analysis.bifurcations.special_points import SADDLE_NODE, SpecialPoint
from eigendyn.analysis.fixed_points.fixed_points import check_window
from eigendyn.analysis.fixed_points.newton import Dynamics, check_parameters
from eigendyn.errors import InvalidSetting

VANISHED = "a mode vanished"


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
    edges = _Edges(low, high, (member.low, bottom), (member.high, top), (member.reasons, reasons))
    for fold in folds:
        at = np.array([fold.parameter, own])
        if fold.kind != SADDLE_NODE or any(_is_on(c, at / spans, spans) for c in curves):
            continue
        curve = curve_through(member, fold.x, fold.parameter, size, tolerance)
        extended = FoldSystem(curve, also, spans)
        curves.append(_follow(extended, fold, at, edges, step))
    return tuple(curves)


@dataclass(frozen=True, eq=False)
class _Edges:
    """Window and ranges, and why a curve ends at the ends of the ranges."""

    low: NDArray
    high: NDArray
    bottoms: tuple[float, float]
    tops: tuple[float, float]
    reasons: tuple[tuple[str, str], tuple[str, str]]


def _follow(
    extended: FoldSystem, fold: SpecialPoint, at: NDArray, edges: _Edges, step: float
) -> FoldCurve:
    y = extended.start(fold.x, at)
    axis = np.eye(len(y))[-1]
    start = correct(extended.equations, y, axis, axis, extended.curve.tolerance)
    if start is None:
        spots, ended = [], (STUCK, STUCK)
    else:
        forward, last = _path(extended, start, edges, step)
        backward, first = [], CLOSED
        if last != CLOSED:
            turned = replace(start, tangent=-start.tangent)
            backward, first = _path(extended, turned, edges, step)
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


def _path(extended: FoldSystem, start: Spot, edges: _Edges, step: float) -> tuple[list[Spot], str]:
    """One direction of a curve of saddle-nodes, and why it ends."""
    here, spots, longest = start, [], step
    step *= FIRST
    tolerance = extended.curve.tolerance
    for count in range(MOST):
        new, step = advance(
            extended.equations,
            here,
            step,
            shortest=SHORTEST,
            longest=longest,
            tolerance=tolerance,
        )
        if new is None:
            return spots, STUCK
        reason, place, bound = _crossed(extended, here, new, edges)
        if reason:
            chord = new.y - here.y
            guess = here.y + (bound - here.y[place]) / chord[place] * chord
            axis = np.eye(len(guess))[place]
            last = correct(extended.equations, guess, axis, here.tangent, tolerance)
            return [*spots, *([last] if last is not None else [])], reason
        near = np.linalg.norm(new.y - start.y) < step
        if count > 3 and near and new.tangent @ start.tangent > 0.9:
            return [*spots, start], CLOSED
        spots.append(new)
        here = new
    return spots, LONG


def _crossed(
    extended: FoldSystem, before: Spot, after: Spot, edges: _Edges
) -> tuple[str, int, float]:
    """The first bound that a step crosses: why it ends there, the unknown, and its value."""
    curve = extended.curve
    bounds: list[tuple[int, float, int, str]] = []
    for k in range(2):
        place = len(after.y) - 2 + k
        for bound, side, reason in zip(
            (edges.bottoms[k], edges.tops[k]), (-1, 1), edges.reasons[k], strict=True
        ):
            bounds.append((place, bound / extended.spans[k], side, reason))
    for place, i in enumerate(curve.free):
        state = curve.family.system.names[i].rpartition("_")[0]
        low = (0.0, VANISHED) if state in CHANGING else (float(edges.low[i]), LEFT)
        bounds.append((place, low[0] / float(curve.size[i]), -1, low[1]))
        bounds.append((place, float(edges.high[i] / curve.size[i]), 1, LEFT))
    crossed = [
        ((bound - before.y[place]) / (after.y[place] - before.y[place]), reason, place, bound)
        for place, bound, side, reason in bounds
        if side * (after.y[place] - bound) > 0 >= side * (before.y[place] - bound)
    ]
    return min(crossed)[1:] if crossed else ("", 0, 0.0)


def _is_on(curve: FoldCurve, at: NDArray, spans: NDArray) -> bool:
    """Whether a point in the plane of both parameters is on a curve."""
    line = np.column_stack([curve.first, curve.second]) / spans
    begin, chord = line[:-1], np.diff(line, axis=0)
    length = np.maximum((chord**2).sum(axis=1), 1e-300)
    share = np.clip(((at - begin) * chord).sum(axis=1) / length, 0, 1)
    away = np.linalg.norm(begin + share[:, None] * chord - at, axis=1)
    return bool(away.min(initial=np.inf) <= ON)
