"""A system of two coordinates enters; the axes of its plane leave."""

from __future__ import annotations

from dataclasses import dataclass

from eigendyn import symbols as sym
from eigendyn.analysis.system import LARGEST, DynamicalSystem
from eigendyn.derive import ModeDynamics

SINGULAR = LARGEST**0.5  # singular values are shown as far as variances


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


def axes(system: DynamicalSystem, dynamics: ModeDynamics) -> tuple[Axis, Axis]:
    """Horizontal and vertical axis: two variances, or both states of one mode."""
    if system.modes == 2:
        is_variance = dynamics.predictor == sym.singular_value**2
        also = " = predictor’s eigenvalue λ{}" if is_variance else ""
        first, second = (
            Axis(i, f"v{sub}", f"variance v{sub} of mode {i + 1}{also.format(sub)}", *at)
            for i, (sub, at) in enumerate((sub, (True, True, LARGEST)) for sub in "₁₂")
        )
        return first, second
    others = {
        "predictor_value": Axis(1, "p", "predictor’s eigenvalue p", False, False, SINGULAR),
        "target_value": Axis(1, "ξ²", "target’s variance ξ²", True, False, LARGEST),
        "correlation_value": Axis(1, "c", "running correlation c", False, False, LARGEST),
    }
    name = system.vector_field.states[1]
    if name == "predictor_value":
        return others[name], Axis(0, "s", "encoder’s singular value s", False, True, SINGULAR)
    odd = name != "target_value"  # beside a target apart, both signs change together
    return Axis(0, "v", "encoder’s variance v", True, odd, LARGEST), others[name]


def subject(system: DynamicalSystem) -> str:
    """What is seen, in one sentence."""
    what = {
        "singular_value": "Two modes of a representation learn together: each point is a pair of "
        "their variances",
        "predictor_value": "One mode learns together with its predictor: each point is a pair of "
        "the predictor’s eigenvalue and the encoder’s singular value",
        "target_value": "One mode learns from a slowly moving copy of itself: each point is a pair "
        "of the encoder’s variance and its target’s",
        "correlation_value": "One mode learns with a predictor made from a running average: each "
        "point is a pair of the variance and that average",
    }
    return f"{what[system.vector_field.states[-1]]}, and the arrows say where training moves it."
