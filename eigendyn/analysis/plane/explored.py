"""Build the system of two coordinates that an explorer's plane shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eigendyn.analysis.plane.slice import Slice, plane
from eigendyn.analysis.system import LARGEST, DynamicalSystem, check_motion, dynamical_system
from eigendyn.errors import InvalidSetting
from eigendyn.settings.choices import loss_name
from eigendyn.settings.states import MOVES
from eigendyn.simulation.equations import closed_dynamics, understand
from eigendyn.theory.derive import ModeDynamics
from eigendyn.theory.formula import text
from eigendyn.theory.losses import SymbolicLoss


def explored_system(
    loss: str | SymbolicLoss = "cosine", **settings: Any
) -> tuple[DynamicalSystem, ModeDynamics]:
    """Build the system, and its dynamics, of two modes with one state or of one mode with two.

    Raises:
        InvalidSetting: More than two states in a mode, or a plane on which nothing moves.
        The errors of `dynamical_system` otherwise.
    """
    loss_name(loss)  # a model has none of the parts that an explorer names
    dynamics = _dynamics(loss, settings)
    _check_plane(dynamics)
    system = dynamical_system(loss, _few_modes(dynamics), **settings)
    if system.modes == 1:
        check_motion(system)
    return system, dynamics


def plane_system(
    loss: str | SymbolicLoss | ModeDynamics = "cosine",
    modes: int | None = None,
    held: Mapping[str, float] | None = None,
    largest_variance: float = LARGEST,
    **settings: Any,
) -> tuple[DynamicalSystem | Slice, ModeDynamics]:
    """Build a system, and hold all of its coordinates but two.

    Args:
        loss: Name of a loss or model, or one of your own.
        modes: Number of modes; None takes two with one state, or one with several.
        held: Values of all coordinates but two (see `analysis.slice.plane`).
        largest_variance: Largest variance that the plane shows.
        settings: Fields of `Settings`.

    Returns:
        The system or its slice, and its closed dynamics.

    Raises:
        InvalidSetting: Not two free states, or a plane on which nothing moves.
        UnknownName: A state that the system does not have.
        The errors of `dynamical_system` otherwise.
    """
    dynamics = _dynamics(loss, settings)
    whole = dynamical_system(
        loss,
        _few_modes(dynamics) if modes is None else modes,
        largest_variance=largest_variance,
        **settings,
    )
    if whole.modes == 1:
        check_motion(whole)
    return plane(whole, held), dynamics


def _dynamics(loss: str | SymbolicLoss | ModeDynamics, settings: Mapping[str, Any]) -> ModeDynamics:
    return closed_dynamics(*understand(loss, dict(settings)))


def _few_modes(dynamics: ModeDynamics) -> int:
    return 2 if len(dynamics.states) == 1 else 1


def _check_plane(dynamics: ModeDynamics) -> None:
    if len(dynamics.states) > 2 or any(str(state) in MOVES for state in dynamics.states):
        names = ", ".join(map(text, dynamics.states))
        message = (
            f"A plane holds two states without velocities, and a mode has {names} here. Leave out "
            "`momentum`, or one of `predictor` and `target`."
        )
        raise InvalidSetting(message)
