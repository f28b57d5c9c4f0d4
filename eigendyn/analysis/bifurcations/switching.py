"""Classify a crossing of branches, and find a start on each of the other branches."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eigendyn.analysis.bifurcations.arclength import null_space
from eigendyn.analysis.bifurcations.curve import Curve, Reading, curve_through
from eigendyn.analysis.bifurcations.ends import Limits
from eigendyn.analysis.bifurcations.special_points import (
    BRANCH_POINT,
    PITCHFORK,
    TRANSCRITICAL,
    SpecialPoint,
)

ASIDE = 0.5  # of the longest step, at which the other branch is entered


@dataclass(frozen=True, eq=False)
class Others:
    """The branches that leave a special point.

    Args:
        kind: The special point's kind, told by these branches.
        starts: A point of each, with the curve that it is on.
    """

    kind: str
    starts: list[tuple[Curve, Reading]]


def leaving(curve: Curve, special: SpecialPoint, limits: Limits) -> Others:
    """Find the other branches at a special point.

    A mode that has vanished leaves zero along its neutral direction, to its positive side; one that
    vanishes here stays at zero. Modes that are alive leave along the null vector of
    [∂f/∂x, ∂f/∂μ] across the branch.

    Args:
        curve: The branch on which the point is.
        special: The point.
        limits: How long steps are.

    Returns:
        Where the others begin; none if they do not cross, or were not found.

    Source: Keller 1977, the branches at a simple bifurcation point.
    """
    step = ASIDE * limits.step
    if special.kind == TRANSCRITICAL and special.mode:
        is_gone = special.mode in curve.vanished
        start = _grown(curve, special, step) if is_gone else _gone(curve, special)
        return Others(TRANSCRITICAL, [] if start is None else [start])
    if special.kind not in (BRANCH_POINT, PITCHFORK):
        return Others(special.kind, [])
    y = curve.unknowns(special.x, special.parameter)
    ends = [curve.unknowns(end[1:], float(end[0])) for end in special.bracket]
    tangent = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    _, jacobian = curve.equations(y)
    across = max((v - (v @ tangent) * tangent for v in null_space(jacobian, 2)), key=np.linalg.norm)
    across = across / np.linalg.norm(across)
    sides = [curve.correct(y + side * step * across, across, side * across) for side in (1, -1)]
    found = [side for side in sides if side is not None]
    if len(found) < 2:
        return Others(special.kind, [(curve, one) for one in found])
    up, down = (one.value - special.parameter for one in found)
    is_pitchfork = special.kind == PITCHFORK or abs(up - down) < abs(up + down)
    kind = PITCHFORK if is_pitchfork else TRANSCRITICAL
    return Others(kind, [(curve, one) for one in found])


def _grown(curve: Curve, special: SpecialPoint, step: float) -> tuple[Curve, Reading] | None:
    """A point on the branch on which a vanished mode has a positive variance."""
    at = curve.vanished[special.mode]
    _, by_x, _ = curve.family.linearise(special.x, special.parameter)
    values, vectors = np.linalg.eig(by_x[np.ix_(at, at)])
    direction = np.real(vectors[:, np.argmin(np.abs(values))])
    direction = direction * (1 if direction.sum() > 0 else -1)
    x = special.x.copy()
    x[at] = step * direction * curve.size[at]
    grown = curve_through(curve.family, x, special.parameter, curve.size, curve.tolerance)
    grown = replace(grown, kept=curve.kept)
    normal = grown.unknowns(x, special.parameter) - grown.unknowns(special.x, special.parameter)
    normal = normal / np.linalg.norm(normal)
    reading = grown.correct(grown.unknowns(x, special.parameter), normal, normal)
    return None if reading is None else (grown, reading)


def _gone(curve: Curve, special: SpecialPoint) -> tuple[Curve, Reading] | None:
    """The same point on the branch on which the mode stays at zero."""
    gone = curve_through(curve.family, special.x, special.parameter, curve.size, curve.tolerance)
    reading = gone.at_parameter(special.x, special.parameter)
    return None if reading is None else (gone, reading)
