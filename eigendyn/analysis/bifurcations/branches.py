"""Follow the branch of fixed points through a given one, in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from eigendyn.analysis.bifurcations.arclength import trace
from eigendyn.analysis.bifurcations.curve import Curve, Reading
from eigendyn.analysis.bifurcations.ends import Limits, end, stuck
from eigendyn.analysis.bifurcations.special_points import SpecialPoint, special_points

CLOSED = "closed loop"
LONG = "too many points"
NEUTRAL = "neutral"
FEW = 4  # points in a row
FILLS = "one of a continuum of fixed points that no conserved quantity explains"


@dataclass(frozen=True, eq=False)
class Branch:
    """Fixed points that follow one another as a parameter changes.

    Args:
        parameter: Values of the parameter (points,).
        x: Coordinates (points, coordinates).
        eigenvalues: Of the Jacobians (points, coordinates), largest real part first [1/time];
            infinite for vanished coordinates that decay or grow at no finite rate.
        stability: As that of a `FixedPoint`, at every point (points,), by eigenvalues alone:
            "neutral" where one is zero, as at special points.
        special_points: Where it turns, meets another, or begins to oscillate, in order; each is
            one of the points.
        ended: Why the branch ends on the side of its first point, and of its last.
        partial: Whether it ends for a numerical reason.
        levels: Conserved quantities, by name, and the values that they keep along the branch.
    """

    parameter: NDArray
    x: NDArray
    eigenvalues: NDArray
    stability: NDArray
    special_points: tuple[SpecialPoint, ...]
    ended: tuple[str, str]
    partial: bool
    levels: Mapping[str, float]

    @property
    def stable(self) -> NDArray:
        """Whether each point attracts (points,)."""
        return self.stability == "stable"

    @property
    def stretches(self) -> tuple[NDArray, list[str]]:
        """Where it turns or its stability changes, ends included, and the stability in between.

        Returns:
            Values of the parameter (stretches + 1,), and one stability for each stretch.
        """
        kinds = between(self.stability)
        if len(self.parameter) == 1:
            return self.parameter.repeat(2), [str(kinds[0])]
        ways = np.sign(np.diff(self.parameter))
        new = (kinds[1:] != kinds[:-1]) | (ways[1:] * ways[:-1] < 0)
        cuts = 1 + np.flatnonzero(new)
        places = self.parameter[[0, *cuts, -1]]
        return places, [str(kinds[i]) for i in (0, *cuts)]


@dataclass(frozen=True, eq=False)
class Path:
    """One direction of a branch: readings, special points, and why it ended.

    It is partial if that reason is a numerical one.
    """

    readings: list[Reading]
    special: list[SpecialPoint]
    ended: str
    partial: bool = False


def between(stability: NDArray) -> NDArray:
    """Stability between every point of a branch and the next (points − 1,).

    A few neutral points in a row, such as special points, belong to the stretches beside them.
    """
    if len(stability) == 1:
        return stability
    kinds = np.where(stability[:-1] == NEUTRAL, stability[1:], stability[:-1])
    for start, stop in runs(kinds):
        if kinds[start] == NEUTRAL and stop - start <= FEW and stop - start < len(kinds):
            kinds[start:stop] = kinds[start - 1 if start else stop]
    return kinds


def runs(kinds: NDArray) -> list[tuple[int, int]]:
    """Where runs of equal kinds begin and end."""
    edges = [0, *(1 + np.flatnonzero(kinds[1:] != kinds[:-1])), len(kinds)]
    return list(pairwise(map(int, edges)))


def follow(curve: Curve, start: Reading, limits: Limits) -> Branch:
    """Follow the branch through a point in both directions, and list it from its lower end."""
    forward = _path(curve, start, limits)
    backward = Path([start], [], CLOSED)
    if forward.ended != CLOSED:
        backward = _path(curve, _turned(start), limits)
    first, last = backward, forward
    within = curve.family.within
    if within(first.readings[-1].value) > within(last.readings[-1].value):
        first, last = last, first
    return _branch(
        curve,
        [*reversed(first.readings[1:]), *last.readings],
        [*reversed(first.special), *last.special],
        (first.ended, last.ended),
        first.partial or last.partial,
    )


def single(curve: Curve, start: Reading, reason: str) -> Branch:
    """Make a branch of the one point that cannot be followed."""
    return _branch(curve, [start], [], (reason, reason), False)


def _branch(
    curve: Curve,
    readings: list[Reading],
    special: list[SpecialPoint],
    ended: tuple[str, str],
    partial: bool,
) -> Branch:
    return Branch(
        parameter=np.array([curve.family.within(one.value) for one in readings]),
        x=np.stack([one.x for one in readings]),
        eigenvalues=np.stack([one.eigenvalues for one in readings]),
        stability=np.array([one.stability for one in readings]),
        special_points=tuple(special),
        ended=ended,
        partial=partial,
        levels=dict(zip(curve.family.levels, curve.kept.tolist(), strict=True)),
    )


def _turned(reading: Reading) -> Reading:
    return replace(reading, spot=replace(reading.spot, tangent=-reading.spot.tangent))


def _path(curve: Curve, start: Reading, limits: Limits) -> Path:
    readings, special = [start], []
    here = start
    steps = trace(curve.equations, start.spot, limits.step, limits.most, curve.tolerance)
    for _, spot, closes in steps:
        after = curve.read(spot)
        reached = stuck(curve, here) if after is None else end(curve, here, after, limits)
        if closes and not reached.reason:
            reached = replace(reached, to=[start], reason=CLOSED)
        for to in reached.to:
            if to.blocks.keys() == here.blocks.keys():
                for at, one in special_points(curve, here, to):
                    if curve.family.borders(one.parameter):
                        continue
                    readings.append(at)
                    special.append(one)
            readings.append(to)
            here = to
        special.extend(reached.met)
        if reached.reason:
            return Path(readings, special, reached.reason, reached.partial)
    return Path(readings, special, LONG, partial=True)
