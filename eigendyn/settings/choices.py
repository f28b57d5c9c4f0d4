"""List the names that a user can choose from, and answer a typo with the nearest one.

Standard library only, so that the answer comes at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.settings.other_names import meant

LOSS_NAMES = ("euclidean", "cosine", "iso-euclidean", "iso-cosine")
MODEL_NAMES = ("barlow-twins", "deep-linear")  # dynamics without a loss
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
        UnknownName: The name is not among them; the message says what was meant, or the nearest.
    """
    names = tuple(known)
    if given not in names:
        raise UnknownName(kind, given, names, _hint(kind, str(given), names))
    return given


def given_name(loss: Any) -> str:
    """Name of a loss or model that is given by its name, or as `SymbolicLoss` or `ModeDynamics`.

    Raises:
        InvalidSetting: It is none of these.
    """
    name = loss if isinstance(loss, str) else getattr(loss, "name", None)
    if isinstance(name, str):
        return name
    message = (
        f"A loss must be a name or a SymbolicLoss, not {loss!r}. Try {LOSS_NAMES[0]!r}, or "
        "eigendyn.parse_loss(text)."
    )
    raise InvalidSetting(message)


def is_model(loss: Any) -> bool:
    """Whether what is given, as a name or in symbols, are dynamics of modes without a loss."""
    return loss in MODEL_NAMES if isinstance(loss, str) else hasattr(loss, "rates")


def loss_name(loss: Any) -> str:
    """Name of a loss, where a model does not do: whatever compares with networks needs a loss.

    Raises:
        InvalidSetting: It is no loss.
    """
    name = given_name(loss)
    if is_model(loss):
        message = (
            f"This needs a loss, and {name!r} is a model: dynamics of modes alone. Try "
            f"{LOSS_NAMES[0]!r}, or simulate, ensemble, phase_plane, continue_fixed_points and "
            "derivation, which take models too."
        )
        raise InvalidSetting(message)
    return name


def _hint(kind: str, given: str, names: tuple[str, ...]) -> str | None:
    """What was meant by a name from elsewhere, in a sentence; None if that is not known."""
    if kind == "loss" and given in PRESETS:
        loss = PRESET_LOSSES[given]
        return f"It is a preset: try `preset={given!r}`, or the loss that it takes, {loss}."
    if kind == "loss" and given in MODEL_NAMES:
        return f"It is a model: try `model={given!r}`."
    if kind == "loss" and "(" in given:
        return "It looks like a formula: try `loss_expr`."
    name = meant(kind, given)
    return f"Did you mean {name!r}?" if name in names else None
