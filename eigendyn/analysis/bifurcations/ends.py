"""Tell whether a branch of fixed points ends within a step, where and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from eigendyn.analysis.bifurcations.arclength import reach
from eigendyn.analysis.bifurcations.curve import Curve, Reading, curve_through
from eigendyn.analysis.bifurcations.special_points import TRANSCRITICAL, SpecialPoint, special_point
from eigendyn.analysis.fixed_points.linearisation import is_odd
from eigendyn.settings.states import STATES

LEFT = "left the window"
STUCK = "step too small"
LOST = "lost where mode {} vanishes"
MET = "met the branch on which mode {} has vanished"
NEARLY = 1e-3  # of the range's width, from its end, where a mode may vanish in several ways
TOGETHER = 1e-3  # share of a step within which two things happen at once
SECANTS = 30
TINY = 1e-5  # singular value, in units of the window, that is about to vanish
NEUTRAL = 1e-14  # rate that is none, for a parameter's range of one
# States whose sign tells that of their mode.
CHANGING = [name for name, state in STATES.items() if state.odd and state.moves is None]
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
    crossings: list[tuple[float, int, Callable[[], End]]] = []

    def add(start: float, stop: float, bound: float, rank: int, find: Callable[[], End]) -> None:
        crossings.append(((bound - start) / (stop - start), rank, find))

    step = (curve, before, after)
    vanishing = _vanishing(*step)
    if vanishing:
        share = min(vanishing.values())
        together = [mode for mode, at in vanishing.items() if at - share <= TOGETHER]
        crossings.append((share, 0, partial(_vanish, *step, together)))
    family = curve.family
    ranges = zip((family.low, family.high), (-1, 1), family.reasons, strict=True)
    for bound, side, reason in ranges:
        if side * (after.value - bound) > 0:
            add(before.value, after.value, bound, 1, partial(_stop, *step, None, bound, reason))
    for i in curve.free:
        old, new, high = float(before.x[i]), float(after.x[i]), float(limits.high[i])
        low = -high if is_odd(curve.family.system.names[i]) else float(limits.low[i])
        for bound, side in ((high, 1), (low, -1)):
            if side * (new - bound) > 0 >= side * (old - bound):
                add(old, new, bound, 2, partial(_stop, *step, int(i), bound, LEFT))
    if not crossings:
        return End([after])
    first = min(share for share, _, _ in crossings)
    ties = [crossing for crossing in crossings if crossing[0] - first <= TOGETHER]
    return min(ties, key=lambda crossing: crossing[1])[2]()


def _vanishing(curve: Curve, before: Reading, after: Reading) -> dict[str, float]:
    """Modes that change their sign in a step, and after which share of it."""
    found = {}
    for i in curve.free:
        old, new = float(before.x[i]), float(after.x[i])
        state, _, mode = curve.family.system.names[i].rpartition("_")
        if state in CHANGING and old * new <= 0 and old != 0:
            found[mode] = old / (old - new)
    return found


def _stop(
    curve: Curve,
    before: Reading,
    after: Reading,
    coordinate: int | None,
    bound: float,
    reason: str,
) -> End:
    """Stop where a coordinate, or the parameter, has a value."""
    unit = curve.span if coordinate is None else curve.size[coordinate]
    ends, axis = (before.spot, after.spot), curve.axis(coordinate)
    reading = curve.read(reach(curve.equations, *ends, axis, bound / unit, curve.tolerance))
    return End([] if reading is None else [reading], reason)


def _vanish(curve: Curve, before: Reading, after: Reading, modes: Sequence[str]) -> End:
    """Stop a step in which modes change their sign where they vanish."""
    names = [name.rpartition("_") for name in curve.family.system.names]
    place = next(i for i, (state, _, m) in enumerate(names) if state in CHANGING and m in modes)
    share = before.x[place] / (before.x[place] - after.x[place])
    x = before.x + share * (after.x - before.x)
    seems = before.value + share * (after.value - before.value)
    near = _stop(curve, before, after, place, ASIDE * before.x[place], "").to
    return _vanished(curve, (before, after), x, seems, modes, near)


def _vanished(
    curve: Curve,
    bracket: tuple[Reading, Reading],
    x: NDArray,
    seems: float,
    modes: Sequence[str],
    near: list[Reading],
) -> End:
    """Stop where modes vanish: with them gone, an eigenvalue of their own is zero there."""
    names = curve.family.system.names
    gone = np.array([is_odd(name) and name.rpartition("_")[2] in modes for name in names])
    at = _where_neutral(curve, np.where(gone, 0.0, x), seems, modes[0])
    if at is None:
        reason = curve.family.borders(seems, NEARLY)
        return End(near, reason or LOST.format(modes[0]), partial=not reason)
    if reason := curve.family.borders(at.value):
        return End([*near, at], reason)
    special = special_point(TRANSCRITICAL, at, bracket, mode=modes[0])
    return End([*near, at], MET.format(" and ".join(modes)), (special,))


def stuck(curve: Curve, last: Reading) -> End:
    """Tell why no step succeeds: a mode may vanish with a kink, as under λ = √v."""
    vanishing: dict[str, None] = {}
    for i in curve.free:
        state, _, mode = curve.family.system.names[i].rpartition("_")
        if state in CHANGING and 0 < last.x[i] <= TINY * curve.size[i]:
            vanishing[mode] = None
    if not vanishing:
        return End([], STUCK, partial=True)
    return _vanished(curve, (last, last), last.x, last.value, list(vanishing), [])


def _where_neutral(curve: Curve, x: NDArray, seems: float, mode: str) -> Reading | None:
    """Find the parameter at which a vanished mode neither grows nor decays, by the secant rule."""
    gone = curve_through(curve.family, x, seems, curve.size, curve.tolerance)
    if mode not in gone.vanished:
        return None
    (old, old_rate), value = (np.nan, np.nan), seems
    for _ in range(SECANTS):
        reading = gone.at_parameter(x, value)
        if reading is None:
            return None
        values = reading.blocks[mode]
        rate = float(values[np.argmin(np.abs(values))].real)
        astray = abs(value - seems) > ASTRAY * curve.span
        if astray or (np.abs(reading.x - x) > ASTRAY * curve.size).any():
            return None
        if abs(rate) <= NEUTRAL * curve.span or rate == old_rate:
            return reading
        slope = (rate - old_rate) / (value - old)
        (old, old_rate), value = (value, rate), value - rate / slope
        if not np.isfinite(value):
            value = old + 1e-4 * curve.span
    return None
