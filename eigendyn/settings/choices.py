"""List the names that a user can choose from, and answer a typo with the nearest one.

Standard library only, so that the answer comes at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eigendyn.errors import InvalidSetting, UnknownName, as_given
from eigendyn.settings.other_names import meant

LOSS_NAMES = ("euclidean", "cosine", "iso-euclidean", "iso-cosine")
METHODS = ("auto", "compiled", "implicit", "flow", "steps", "closed-form")
FLOWS = ("auto", "compiled", "implicit", "flow")  # those that integrate a gradient flow
# What engines take for the equations, beyond their tolerances.
APPROXIMATIONS = {
    "implicit": "forces under a loss without a scale act at most 1e8 times in a unit of time, and "
    "not at all once they cancel to round-off in every mode"
}
ENSEMBLE_ENGINES = ("auto", "compiled", "shifted", "implicit", "kernel", "flow")
KEEPS = ("trajectory", "final", "extrema", "recruitment")
CLOSURES = ("auto", "exact", "mean-field", "sampled")
SOLVERS = ("explicit", "stiff")
ENCODERS = ("linear", "relu")
PREDICTORS = ("direct", "copy", "running", "learned", "none")
EPSILON_PLACEMENTS = ("inside", "outside")
TARGETS = ("shared", "ema")
EMA_SCHEDULES = ("constant", "cosine")
CORRELATION_ORDERS = ("update-first", "use-first")
PRESET_LOSSES = {  # which loss each preset takes
    "published": "cosine",
    "byol": "cosine",
    "simsiam": "cosine",
    "directpred": "cosine",
    "directcopy": "cosine",
    "isoloss": "iso-cosine",
}
PRESETS = tuple(PRESET_LOSSES)
UPDATES = ("derived", "published-no-stop-gradient")
DTYPES = ("float64", "float32")
DEVICES = ("auto", "cpu", "cuda")
RESULT_SUFFIXES = (".nc", ".csv", ".json")
TREE_SUFFIXES = (".nc",)
PICTURE_FORMATS = ("png", "pdf", "svg")
PICTURE_SUFFIXES = tuple(f".{kind}" for kind in PICTURE_FORMATS)
DESCENTS = ("none", "quick", "full")
BACKENDS = ("jax", "torch", "numpy")


def check_choice(kind: str, given: str, known: Iterable[str]) -> str:
    """Return the name if it is known.

    Args:
        kind: What is named, such as "loss".
        given: The name given.
        known: The names there are.

    Raises:
        InvalidSetting: It is no text.
        UnknownName: The name is not among them; the message says what was meant, or the nearest.
    """
    names = tuple(known)
    if not isinstance(given, str):
        message = f"The {kind} must be a name, not {as_given(given)}. Known: {', '.join(names)}."
        raise InvalidSetting(message)
    if given not in names:
        raise UnknownName(kind, given, names, _hint(kind, given, names))
    return given


def loss_name(loss: Any) -> str:
    """Name of a loss that is given by its name, or as a `SymbolicLoss`.

    Raises:
        InvalidSetting: It is neither.
    """
    name = loss if isinstance(loss, str) else getattr(loss, "name", None)
    if isinstance(name, str):
        return name
    message = (
        f"A loss must be a name or a SymbolicLoss, not {as_given(loss)}. Try {LOSS_NAMES[0]!r}, or "
        "eigendyn.parse_loss(text)."
    )
    raise InvalidSetting(message)


def _hint(kind: str, given: str, names: tuple[str, ...]) -> str | None:
    """What was meant by a name from elsewhere, in a sentence; None if that is not known."""
    if kind == "loss" and given in PRESETS:
        loss = PRESET_LOSSES[given]
        return f"It is a preset: try --preset {given}, or the loss that it takes, {loss}."
    if kind == "preset" and given in LOSS_NAMES:
        return f"It is a loss: try --loss {given}, in Python loss={given!r}."
    if kind == "loss" and "(" in given:
        return "It looks like a formula: try --loss-expr."
    name = meant(kind, given)
    return f"Did you mean {name!r}?" if name in names else None
