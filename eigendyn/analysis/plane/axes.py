"""Describe the axes of the plane of a system with two free coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eigendyn.analysis.plane.slice import Slice, split
from eigendyn.analysis.system import LARGEST, DynamicalSystem
from eigendyn.settings.states import STATES
from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import ModeDynamics

STARTS = ((0.1, 0.2), (0.3, 0.85), (0.9, 0.15))  # of trajectories, in shares of the plane
SINGULAR = LARGEST**0.5  # singular values are shown as far as variances
BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
BESIDE_PREDICTOR = ("s", "encoder’s singular value", False)


@dataclass(frozen=True)
class Axis:
    """One axis of a plane.

    Args:
        coordinate: Index of the coordinate that it shows.
        symbol: Sign of what is shown.
        label: The same in words.
        squared: Whether the square of the coordinate is shown.
        odd: Whether the coordinate's sign means nothing, so that it stays zero once it is.
        top: Where the axis ends.
    """

    coordinate: int
    symbol: str
    label: str
    squared: bool
    odd: bool
    top: float


def axes(
    system: DynamicalSystem | Slice, dynamics: ModeDynamics, window: Sequence[float] | None = None
) -> tuple[Axis, Axis]:
    """Horizontal and vertical axis: two variances, or two states of one mode.

    Args:
        system: A system with two coordinates.
        dynamics: Its mode dynamics, for the relation of λ and v.
        window: Where both axes end; None takes 2 for variances and √2 for singular values.
    """
    (first, _), (second, _) = (split(name) for name in system.names)
    # p is drawn across, and beside it s stands for itself.
    if (first, second) == ("singular_value", "predictor_value"):
        found = (_axis(system, dynamics, 1), _axis(system, dynamics, 0, BESIDE_PREDICTOR))
    else:
        found = (_axis(system, dynamics, 0), _axis(system, dynamics, 1))
    if window is None:
        return found
    across, up = (
        Axis(**{**vars(axis), "top": float(top)}) for axis, top in zip(found, window, strict=True)
    )
    return across, up


def _axis(
    system: DynamicalSystem | Slice,
    dynamics: ModeDynamics,
    coordinate: int,
    how: tuple[str, str, bool] | None = None,
) -> Axis:
    state, mode = split(system.names[coordinate])
    symbol, words, squared = how or (*STATES[state].shown, STATES[state].squared)
    several = system.modes > 1
    symbol += str(mode + 1).translate(BELOW) if several else ""
    if several and state == "singular_value":
        words = words.removeprefix("encoder’s ")
    label = f"{words} {symbol}" + (f" of mode {mode + 1}" if several else "")
    if several and state == "singular_value" and dynamics.predictor == sym.singular_value**2:
        label += f" = predictor’s eigenvalue λ{str(mode + 1).translate(BELOW)}"
    apart = sym.target_value in dynamics.states  # both signs change together
    odd = state == "singular_value" and not apart
    top = SINGULAR if state == "predictor_value" or how else LARGEST
    return Axis(coordinate, symbol, label, squared, odd, top)


def subject(system: DynamicalSystem) -> str:
    """What is seen, in one sentence."""
    what = STATES[system.vector_field.states[-1]].plane
    return f"{what}, and the arrows say where training moves it."


def usual_starts(shown: tuple[Axis, Axis]) -> list[tuple[float, float]]:
    """Points of the plane at which trajectories start, where none are given."""
    across, up = shown
    return [(first * across.top, second * up.top) for first, second in STARTS]
