"""A step along a branch enters; whether the branch ends within it, where and why, leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root_scalar

from eigendyn.analysis.curve import Curve, Reading, curve_through
from eigendyn.analysis.linearisation import is_odd
from eigendyn.analysis.special_points import TRANSCRITICAL, SpecialPoint, special_point

LEFT = "left the window"
LOST = "lost where mode {} vanishes"
MET = "met the branch on which mode {} has vanished"
BORDER = 1e-9  # distance from the end of the range, in its width, that is none
ASIDE = 0.02  # share of a mode's last singular value at which it is looked at before it vanishes
ASTRAY = 0.05  # share of the range by which the point of vanishing may be from where it seemed


@dataclass(frozen=True, eq=False)
class Limits:
    """How far, and how finely, branches are followed.

    Args:
        low: Lower corner of the window (coordinates,).
        high: Upper corner (coordinates,).
        step: Longest step, in units of the window and the parameter's range.
        most: Number of points after which a direction is given up.
    """

    low: NDArray
    high: NDArray
    step: float
    most: int


@dataclass(frozen=True, eq=False)
class End:
    """What a step reaches.

    Args:
        to: Points that it adds to the branch.
        reason: Why the branch ends with them; empty if it goes on.
        met: Special points that end it.
        partial: Whether the reason is a numerical one.
    """

    to: list[Reading]
    reason: str = ""
    met: tuple[SpecialPoint, ...] = ()
    partial: bool = False


def end(curve: Curve, before: Reading, after: Reading, limits: Limits) -> End:
    """Tell whether a branch leaves the range or the window in a step, or loses a mode.

    Args:
        curve: The branch.
        before: Where the step begins.
        after: Where it ends.
        limits: The window.

    Returns:
        What is reached first.
    """
    crossings: list[tuple[float, Callable[[], End]]] = []

    def add(start: float, stop: float, bound: float, find: Callable[[], End]) -> None:
        crossings.append(((bound - start) / (stop - start), find))

    step = (curve, before, after)
    for bound, side, reason in _range(curve):
        if side * (after.value - bound) > BORDER * curve.span:
            add(before.value, after.value, bound, partial(_stop, *step, None, bound, reason))
    for i in curve.free:
        old, new = before.x[i], after.x[i]
        name = curve.family.system.names[i]
        if is_odd(name):
            if old * new <= 0 and not name.startswith("velocity"):
                add(old, new, 0.0, partial(_vanish, *step, name.rpartition("_")[2]))
            bounds = [(limits.high[i], 1), (-limits.high[i], -1)]
        else:
            bounds = [(limits.high[i], 1), (limits.low[i], -1)]
        for bound, side in bounds:
            if side * (new - bound) > 0 >= side * (old - bound):
                add(old, new, bound, partial(_stop, *step, int(i), bound, LEFT))
    if not crossings:
        return End([after])
    return min(crossings, key=lambda crossing: crossing[0])[1]()


def _range(curve: Curve) -> list[tuple[float, int, str]]:
    family = curve.family
    return [(family.low, -1, family.reasons[0]), (family.high, 1, family.reasons[1])]


def _stop(
    curve: Curve,
    before: Reading,
    after: Reading,
    coordinate: int | None,
    bound: float,
    reason: str,
) -> End:
    """Stop where a coordinate, or the parameter, has a value."""
    axis = curve.axis(coordinate)
    unit = curve.span if coordinate is None else curve.size[coordinate]
    chord = after.spot.y - before.spot.y
    guess = before.spot.y + (bound / unit - axis @ before.spot.y) / (axis @ chord) * chord
    reading = curve.correct(guess, axis, before.spot.tangent)
    return End([] if reading is None else [reading], reason)


def _vanish(curve: Curve, before: Reading, after: Reading, mode: str) -> End:
    """Stop where a mode vanishes: with it gone, an eigenvalue of its own is zero there."""
    names = curve.family.system.names
    of_mode = np.array([is_odd(name) and name.rpartition("_")[2] == mode for name in names])
    place = int(np.flatnonzero(of_mode)[0])
    share = before.x[place] / (before.x[place] - after.x[place])
    x = np.where(of_mode, 0.0, before.x + share * (after.x - before.x))
    seems = before.value + share * (after.value - before.value)
    near = _stop(curve, before, after, place, ASIDE * before.x[place], "").to
    at = _where_neutral(curve, x, seems, mode)
    if at is None or abs(at.value - seems) > ASTRAY * curve.span:
        return End(near, LOST.format(mode), partial=True)
    for bound, _, reason in _range(curve):
        if abs(at.value - bound) <= BORDER * curve.span:
            return End([*near, at], reason)
    special = special_point(TRANSCRITICAL, at, (before, after), mode=mode)
    return End([*near, at], MET.format(mode), (special,))


def _where_neutral(curve: Curve, x: NDArray, seems: float, mode: str) -> Reading | None:
    """Find the parameter at which a vanished mode neither grows nor decays, by the secant rule."""
    gone = curve_through(curve.family, x, seems, curve.size, curve.tolerance)
    found: dict[float, Reading] = {}

    def rate(value: float) -> float:
        reading = gone.at_parameter(x, value)
        if reading is None or mode not in reading.blocks:
            raise ArithmeticError
        found[value] = reading
        values = reading.blocks[mode]
        return float(values[np.argmin(np.abs(values))].real)

    try:
        solved = root_scalar(rate, x0=seems, x1=seems + 1e-4 * curve.span, xtol=1e-15, rtol=1e-15)
        rate(float(solved.root))
    except ArithmeticError:
        return None
    return found[float(solved.root)]
