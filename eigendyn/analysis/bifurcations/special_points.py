"""Bracket, refine and classify bifurcations between two neighbours on a branch.

Saddle-node: the branch turns around in the parameter. Hopf: a complex pair of eigenvalues crosses
the imaginary axis. Transcritical: a real eigenvalue of a mode that has vanished crosses zero, so
that a branch of positive variance meets zero variance there (in the singular value, whose sign
means nothing, it is a pitchfork). Branch point: a real eigenvalue of the modes that are alive
crosses zero where the branch does not turn; it is told apart as transcritical or pitchfork by the
branch that crosses there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from eigendyn.analysis.bifurcations.arclength import null_space
from eigendyn.analysis.bifurcations.curve import ALIVE, Curve, Reading

SADDLE_NODE, TRANSCRITICAL, PITCHFORK = "saddle-node", "transcritical", "pitchfork"
HOPF, BRANCH_POINT = "Hopf", "branch point"
NARROW = 1e-4  # length of a bracket, in units of the parameter's range and the window
OSCILLATES = 1e-6  # share of the largest eigenvalue above which an imaginary part is one
ALONG = 0.01  # part of a direction along the parameter that is more than none
SINGULAR = 1e-5  # share of the largest singular value below which branches cross


@dataclass(frozen=True, eq=False)
class SpecialPoint:
    """Where branches turn, cross, or begin to oscillate.

    Args:
        kind: "saddle-node", "transcritical", "pitchfork", "branch point" or "Hopf".
        parameter: The parameter's value there.
        x: Coordinates (coordinates,).
        eigenvalues: Of the Jacobian (coordinates,) [1/time].
        frequency: Angular frequency of the oscillation at a Hopf point [1/time], else NaN.
        bracket: Ends of the stretch of branch in which it was found (2, 1 + coordinates): the
            parameter, then the coordinates. At a saddle-node both parameters lie on one side.
        refined: Whether it was refined beyond its bracket.
        mode: Name of the vanished mode whose eigenvalue it is; empty if it has not vanished.
    """

    kind: str
    parameter: float
    x: NDArray
    eigenvalues: NDArray
    frequency: float
    bracket: NDArray
    refined: bool = True
    mode: str = ""

    @property
    def period(self) -> float:
        """Period of the oscillation at a Hopf point [time], 2π/frequency."""
        return 2 * np.pi / self.frequency


def special_points(
    curve: Curve, before: Reading, after: Reading
) -> Iterator[tuple[Reading, SpecialPoint]]:
    """Find the special points between two neighbours on a branch.

    Yields:
        Each, and its place on the branch, in order.
    """
    if _signature(before) == _signature(after):
        return
    middle = None
    if np.linalg.norm(after.spot.y - before.spot.y) > NARROW:
        middle = _between(curve, before, after, 0.5)
    if middle is None:
        yield from _kinds(curve, before, after)
    else:
        yield from special_points(curve, before, middle)
        yield from special_points(curve, middle, after)


def special_point(
    kind: str, at: Reading, bracket: tuple[Reading, Reading], refined: bool = True, mode: str = ""
) -> SpecialPoint:
    """Describe a special point that was found at a reading."""
    frequency = np.nan
    if kind == HOPF:
        frequency = abs(_critical(at.blocks[mode]).imag)
    ends = np.array([np.append(end.value, end.x) for end in bracket])
    return SpecialPoint(kind, at.value, at.x, at.eigenvalues, frequency, ends, refined, mode)


def _signature(reading: Reading) -> tuple[bool, dict[str, int]]:
    return bool(reading.spot.tangent[-1] > 0), reading.growing


def _kinds(curve: Curve, before: Reading, after: Reading) -> Iterator[tuple[Reading, SpecialPoint]]:
    """Say what happens within a bracket, one kind after the other."""
    ends = (before, after)
    turns = _signature(before)[0] != _signature(after)[0]
    if turns:
        at, refined = _refine(curve, before, after, lambda r: float(r.spot.tangent[-1]))
        kind = PITCHFORK if _crosses(curve, at) else SADDLE_NODE
        yield at, special_point(kind, at, ends, refined)
    for block, count in before.growing.items():
        if after.growing[block] == count or (block == ALIVE and turns):
            continue

        def rate(reading: Reading, block: str = block) -> float:
            return float(_critical(reading.blocks[block]).real)

        at, refined = _refine(curve, before, after, rate)
        values = at.blocks[block]
        oscillates = abs(_critical(values).imag) > OSCILLATES * np.abs(values).max()
        simple = BRANCH_POINT if block == ALIVE else TRANSCRITICAL
        yield at, special_point(HOPF if oscillates else simple, at, ends, refined, block)


def _critical(values: NDArray) -> complex:
    """The eigenvalue next to the imaginary axis, of a pair the upper one."""
    nearest = np.argmin(np.abs(np.real(values)))
    return complex(values[nearest].real, abs(values[nearest].imag))


def _crosses(curve: Curve, reading: Reading) -> bool:
    """Whether a branch that does not turn passes here: two directions are open, one along μ."""
    _, jacobian = curve.equations(reading.spot.y)
    sizes = np.linalg.svd(jacobian, compute_uv=False)
    if len(curve.free) == 0 or sizes[len(curve.free) - 1] >= SINGULAR * max(1.0, sizes[0]):
        return False
    return bool(np.abs(null_space(jacobian, 2)[:, -1]).max() > ALONG)


def _between(curve: Curve, before: Reading, after: Reading, share: float) -> Reading | None:
    """The point of the branch above a share of the chord between two others."""
    chord = after.spot.y - before.spot.y
    guess = before.spot.y + share * chord
    return curve.correct(guess, chord / np.linalg.norm(chord), before.spot.tangent)


def _refine(
    curve: Curve, before: Reading, after: Reading, test: Callable[[Reading], float]
) -> tuple[Reading, bool]:
    """Find where a test function vanishes, by Brent's method along the chord."""
    found: dict[float, Reading] = {0.0: before, 1.0: after}

    def value(share: float) -> float:
        if share not in found:
            reading = _between(curve, before, after, share)
            if reading is None:
                raise ArithmeticError
            found[share] = reading
        return test(found[share])

    try:
        root = float(brentq(value, 0.0, 1.0, xtol=1e-14, rtol=1e-14))
        value(root)
    except (ArithmeticError, ValueError):  # the branch is too flat here, or the signs are equal
        return min(found.values(), key=lambda reading: abs(test(reading))), False
    return found[root], True
