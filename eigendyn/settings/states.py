"""Describe every state that a mode can have: one row each, from which all rooms read.

How to add a state: one row here, its equation in `theory/derive.py` or in a model, and the part of
a network that it stands for, if it has one, in `network/measures.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from eigendyn.settings.parameters import component

if TYPE_CHECKING:
    from numpy.typing import NDArray

Number = Callable[[str], Any]  # a setting's value by its name, or one for each trajectory (…, 1)


@dataclass(frozen=True)
class State:
    """What is known of a state, whatever its equation says.

    Args:
        symbol: Sign in equations, in text and in LaTeX.
        label: What it is, in words.
        unit: Its unit.
        shown: Sign and words of what pictures show of it: its square where `squared`.
        word: What a slice of a system calls it.
        start: Takes initial variances (…, modes) and settings by name; gives the first values.
        squared: Whether pictures and slices take its square.
        signed: Whether it may be negative where it stands for itself.
        odd: Whether it changes sign with its mode, s → −s.
        degree: Power of the representation's scale that it goes with; 0 if it does not know it.
        moves: The state that it is the velocity of.
        plane: What a plane of this state and the singular value shows, in a sentence.
    """

    symbol: tuple[str, str]
    label: str
    unit: str
    shown: tuple[str, str]
    word: str
    start: Callable[[NDArray, Number], Any]
    squared: bool = False
    signed: bool = False
    odd: bool = False
    degree: float = 0.0
    moves: str | None = None
    plane: str = ""


def _root(variances: NDArray, _number: Number) -> NDArray:
    import numpy as np  # here, since prepared programs are read without it

    return np.sqrt(variances)


def _correlated(variances: NDArray, number: Number) -> NDArray:
    signal, noise = (component(name, number) for name in ("signal", "noise1"))
    shares = {"clean": 1.0, "first-view": 1 + noise / signal, "weights": 1 / signal}
    return shares[number("correlation") or "first-view"] * variances


def _multiple_of_one(variances: NDArray, number: Number) -> NDArray:
    import numpy as np

    return np.full_like(variances, number("predictor_start"))


def _at_rest(variances: NDArray, _number: Number) -> NDArray:
    import numpy as np

    return np.zeros_like(variances)


# By the name of the symbol in `theory.symbols`, which is that of the array in a result.
STATES: Mapping[str, State] = MappingProxyType(
    {
        "singular_value": State(
            symbol=("s", "s"),
            label="singular value",
            unit="√variance",
            shown=("v", "encoder’s variance"),
            word="variance",
            start=_root,
            squared=True,
            odd=True,
            degree=1.0,
            plane="Two modes of a representation learn together: each point is a pair of their "
            "variances",
        ),
        "target_value": State(
            symbol=("ξ", r"\xi"),
            label="singular value of the target",
            unit="√variance",
            shown=("ξ²", "target’s variance"),
            word="target",
            start=_root,  # as its encoder
            squared=True,
            odd=True,
            degree=1.0,
            plane="One mode learns from a slowly moving copy of itself: each point is a pair of "
            "the encoder’s variance and its target’s",
        ),
        "correlation_value": State(
            symbol=("c", "c"),
            label="eigenvalue of the running correlation",
            unit="variance",
            shown=("c", "running correlation"),
            word="correlation",
            start=_correlated,
            degree=2.0,
            plane="One mode learns with a predictor made from a running average: each point is a "
            "pair of the variance and that average",
        ),
        "predictor_value": State(
            symbol=("p", "p"),
            label="eigenvalue of the learned predictor",
            unit="1",
            shown=("p", "predictor’s eigenvalue"),
            word="predictor",
            start=_multiple_of_one,
            signed=True,
            plane="One mode learns together with its predictor: each point is a pair of the "
            "predictor’s eigenvalue and the encoder’s singular value",
        ),
        "velocity": State(
            symbol=("u", "u"),
            label="velocity of the singular value",
            unit="√variance/time",
            shown=("u", "velocity"),
            word="velocity",
            start=_at_rest,
            signed=True,
            odd=True,
            degree=1.0,
            moves="singular_value",
        ),
        "predictor_velocity": State(
            symbol=("w", "w"),
            label="velocity of the learned predictor's eigenvalue",
            unit="1/time",
            shown=("w", "predictor’s velocity"),
            word="predictor-velocity",
            start=_at_rest,
            signed=True,
            moves="predictor_value",
        ),
    }
)
MOVES = {name: state.moves for name, state in STATES.items() if state.moves is not None}
DEGREES = {name: state.degree for name, state in STATES.items() if state.degree}
