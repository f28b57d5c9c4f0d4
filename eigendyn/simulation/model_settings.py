"""Check a model of one's own, and refuse settings that do nothing in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from eigendyn.errors import InvalidSetting
from eigendyn.settings.parameters import PER_MODE
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.siamese import Siamese

if TYPE_CHECKING:
    from eigendyn.theory.derive import ModeDynamics

# Settings that other dynamics do not have: all that is said of a network but for its training time.
OF_NETWORKS = tuple(
    one.name for one in fields(Siamese) if one.name not in ("loss", "learning_rate", "steps")
)


def check_model(dynamics: ModeDynamics) -> None:
    """Check that dynamics have states that the theory knows, the singular value first.

    Raises:
        InvalidSetting: They do not, or the number of rates is another one.
    """
    from eigendyn.theory import symbols as sym

    states, known = dynamics.states, tuple(sym.STATES.values())
    if not (states and states[0] == sym.singular_value and set(states) <= set(known)):
        message = (
            f"The first state of a model must be singular_value, and all others among "
            f"{', '.join(map(str, known[1:]))}; those of {dynamics.name!r} are "
            f"{', '.join(map(str, states)) or 'none'}. Take them from eigendyn.theory.symbols."
        )
        raise InvalidSetting(message)
    if len(set(states)) != len(states) or len(dynamics.rates) != len(states):
        message = (
            f"A model needs one rate for each of its states; {dynamics.name!r} has "
            f"{len(dynamics.rates)} rates for {len(set(states))} states."
        )
        raise InvalidSetting(message)


def check_numbers(dynamics: ModeDynamics, needed: Sequence[str], chosen: Settings) -> None:
    """Check that a model has every number that it needs, and that all that is given has a say.

    A setting of a network, such as a weight decay, has one if the dynamics contain its symbol. Data
    bring signal and noises together, so that with a signal that has one, noises need none.

    Args:
        dynamics: The model.
        needed: Names of the parameters of its closed dynamics.
        chosen: The settings.

    Raises:
        InvalidSetting: A number is missing, or one does nothing.
    """
    own, name = [key for key, _ in dynamics.parameters], dynamics.name
    for key in needed:
        if key not in own and getattr(chosen, key, None) is None:
            message = (
                f"The model {name!r} uses {key}, and there is no number for it. Add it, as in "
                f"parameters=(({key!r}, 1.0),)."
            )
            raise InvalidSetting(message)
    for key in own:
        if key not in needed:
            message = f"The model {name!r} does not depend on {key!r}. Leave it out."
            raise InvalidSetting(message)
    has = f"its own parameters are {', '.join(own)}" if own else "it has no parameters of its own"
    brought = PER_MODE if "signal" in needed else ()
    for key in OF_NETWORKS:
        does_nothing = key in own or key not in (*needed, *brought)
        if does_nothing and getattr(chosen, key) != getattr(Settings, key):
            twice = _signal_twice(name, own) if key == "signal" else None
            message = twice or (
                f"`{key}` belongs to a Siamese network, and the model {name!r} has none: {has}."
                " Leave it out, or take a loss."
            )
            raise InvalidSetting(message)
    if chosen.closure not in ("auto", "exact") and not dynamics.is_open:
        message = (
            f"`closure={chosen.closure!r}` takes open moments, and the model {name!r} has none. "
            "Leave it out."
        )
        raise InvalidSetting(message)


def _signal_twice(name: str, own: Sequence[str]) -> str | None:
    """Say that a model has the number already that the signal of every mode would stand for."""
    from eigendyn.theory.models import MODELS

    number = MODELS[name].signal if name in MODELS else None
    if number not in own:
        return None
    return (
        f"The signal of every mode, from data or `signal`, is its {number}, and this {name} has "
        f"one {number} for all modes. Leave out one of the two."
    )
