"""Hold all but two coordinates of a dynamical system, so that a plane remains."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from eigendyn.analysis.system import DynamicalSystem
from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.states import STATES, State

NAMED = {state.word: state for state in STATES.values()}  # by what a slice calls it


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Slice:
    """The plane of two coordinates of a system, all others held where they are.

    Args:
        system: The whole system.
        held: Values of all coordinates (coordinates,); those of the free two do not matter.
        free: Indices of the free coordinates.
        holding: What is held, in words.
        conserved: Nothing: what a system conserves, a part of it does not.
    """

    system: DynamicalSystem
    held: NDArray
    free: tuple[int, int] = field(metadata={"static": True})
    holding: str = field(metadata={"static": True})
    conserved: Mapping[str, Callable[[Array], Array]] = field(
        default_factory=dict, metadata={"static": True}
    )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the free coordinates."""
        return tuple(self.system.names[i] for i in self.free)

    @property
    def parameters(self) -> Mapping[str, float]:
        """Numbers of the system by name."""
        return self.system.parameters

    @property
    def modes(self) -> int:
        """Number of modes of the whole system."""
        return self.system.modes

    @property
    def kind(self) -> str:
        """What the system comes from: "loss" or "model"."""
        return self.system.kind

    @property
    def name(self) -> str:
        """Name of the loss or model."""
        return self.system.name

    def title(self, parameters: Mapping[str, float], without: Collection[str] = ()) -> str:
        """Say in words which system it is, and what is held."""
        return self.system.title(parameters, without, self.holding)

    @property
    def settings(self) -> Settings:
        """Everything else that was chosen."""
        return self.system.settings

    def __call__(self, x: Array, **parameters: Array | float) -> Array:
        """Rates of change of the free coordinates (2,)."""
        free = jnp.array(self.free)
        whole = jnp.asarray(self.held).at[free].set(x)
        return self.system(whole, **parameters)[free]


def split(name: str) -> tuple[str, int]:
    """State and mode of a coordinate's name."""
    state, _, mode = name.rpartition("_")
    return state, int(mode)


def plane(
    system: DynamicalSystem, held: Mapping[str, float] | None = None
) -> DynamicalSystem | Slice:
    """Hold all but two coordinates of a system.

    Args:
        system: A dynamical system.
        held: Values of all coordinates but two, by words: "variance3" for that of the third mode,
            "target", "predictor", "correlation", "velocity", with the number of a mode if there are
            several.

    Returns:
        The slice; the system itself if it has two coordinates.

    Raises:
        InvalidSetting: Not two coordinates are left, or a value that a coordinate cannot have.
        UnknownName: There is no such coordinate.
    """
    held = dict(held or {})
    known = _words(system)
    for word in held:
        if word not in known:
            kind = "coordinate of this system"
            raise UnknownName(kind, word, known)
    free = [word for word in known if word not in held]
    if len(free) != 2 or any(map(_is_velocity, free)):
        message = (
            "A plane needs exactly two free states, neither of them a velocity; free here are: "
            f"{', '.join(free) or 'none'}. {_advice(free)}"
        )
        raise InvalidSetting(message)
    values = np.zeros(len(system.names))
    for word, value in held.items():
        state = _state(word)
        if not np.isfinite(value) or (value < 0 and not state.signed):
            message = f"What {word} is held at must be finite and ≥ 0, not {value:g}. Try 0.5."
            raise InvalidSetting(message)
        values[known[word]] = np.sqrt(value) if state.squared else value
    if not held:
        return system
    holding = ", ".join(f"{word} = {value:g}" for word, value in held.items())
    return Slice(system, values, (known[free[0]], known[free[1]]), holding)


def _state(word: str) -> State:
    return NAMED[word.rstrip("0123456789")]


def _is_velocity(word: str) -> bool:
    return _state(word).moves is not None


def _advice(free: list[str]) -> str:
    velocities = [word for word in free if _is_velocity(word)]
    if velocities:
        held = f"`held={{{velocities[0]!r}: 0}}`"
        return f"Leave out `momentum`, or hold every velocity, as {held} does."
    if len(free) > 2:
        return f"Hold others, as `held={{{free[2]!r}: 0.5}}` does."
    return "Hold fewer of them, or try `modes=2`."


def _words(system: DynamicalSystem) -> dict[str, int]:
    """Index of every coordinate by what a slice calls it."""
    found = {}
    for index, name in enumerate(system.names):
        state, mode = split(name)
        found[STATES[state].word + (str(mode + 1) if system.modes > 1 else "")] = index
    return found
