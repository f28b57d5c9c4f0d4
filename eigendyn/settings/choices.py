"""List the names that a user can choose from, and answer a typo with the nearest one.

Standard library only, so that the answer comes at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eigendyn.errors import InvalidSetting, UnknownName, as_given
from eigendyn.settings.other_names import meant


@dataclass(frozen=True)
class LossRow:
    """What is known of a built-in loss beside its formula.

    Args:
        symbol: How a paper writes it above its ℒ, in mathtext.
        colour: Of its lines.
        mark: What stands below the ℒ.
        plain: The loss of whose family δ/λ^β it is the member β = 1; None if it is no such member.
        takes_beta: Whether it has such a family, among whose members β chooses.
        trains_predictor: Whether its gradient reaches a learned predictor; not where λ stands
            behind a stop-gradient.
        is_quadratic: Whether it is a polynomial of second degree, so that networks have the
            gradient of the whole population in closed form.
        learning_rate: That of the published toy network.
        bare_learning_rate: The same without predictor.
    """

    symbol: str
    colour: str
    mark: str = ""
    plain: str | None = None
    takes_beta: bool = False
    trains_predictor: bool = True
    is_quadratic: bool = False
    learning_rate: float = 0.01
    bare_learning_rate: float = 0.01

    @property
    def beta(self) -> float:
        """Exponent β that its name stands for."""
        return 0.0 if self.plain is None else 1.0


_ISOTROPIC: Any = {"mark": "iso", "trains_predictor": False}
_FAST: Any = {"learning_rate": 0.1, "bare_learning_rate": 0.1}
LOSS_ROWS: dict[str, LossRow] = {
    "euclidean": LossRow(
        "euc", "#0072B2", takes_beta=True, is_quadratic=True, bare_learning_rate=0.1
    ),
    "cosine": LossRow("cos", "#D55E00", takes_beta=True, **_FAST),
    "iso-euclidean": LossRow("euc", "#56B4E9", plain="euclidean", is_quadratic=True, **_ISOTROPIC),
    "iso-cosine": LossRow("cos", "#E69F00", plain="cosine", **_ISOTROPIC, **_FAST),
}
LOSS_NAMES = LOSS_ROWS.keys()
OWN_LOSS = LossRow("own", "0.3")  # stands for those that users write
MODEL_NAMES = ("barlow-twins", "deep-linear")  # dynamics without a loss
KEEPS = ("trajectory", "final", "extrema", "recruitment")
CLOSURES = ("auto", "exact", "mean-field", "sampled")
SOLVERS = ("explicit", "stiff")
ENCODERS = ("linear", "relu")
NETWORKS = ("conv", "mlp", "linear")  # that are trained on images
PREDICTORS = ("direct", "copy", "running", "learned", "none")
EPSILON_PLACEMENTS = ("inside", "outside")
TARGETS = ("shared", "ema")
EMA_SCHEDULES = ("constant", "cosine")
CORRELATION_ORDERS = ("update-first", "use-first")
CORRELATIONS = ("clean", "first-view", "weights")  # that a predictor is a function of
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
FIGURE_NETWORKS = ("linear", "deep")  # whose figures are drawn
DATA_SOURCES = ("digits",)  # data that come with scikit-learn
AUGMENT = "shift:1,noise:0.05"  # what images are augmented by where nothing is said
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


def isotropic(loss: str) -> str:
    """The loss that is the member β = 1 of a loss's family δ/λ^β."""
    return next(name for name, row in LOSS_ROWS.items() if row.plain == loss)


def no_family(loss: str, written: str) -> str | None:
    """Say why β cannot choose a member of a loss's family δ/λ^β; None where it can.

    Args:
        loss: Name of a loss; of a loss of one's own nothing is said.
        written: How β is given to the plain loss, such as "`loss={!r}, beta=0.5`".
    """
    row = LOSS_ROWS.get(loss)
    if row is None or row.takes_beta:
        return None
    if row.plain is None:
        return f"{loss} has no family δ/λ^β, so it takes no β. Leave it out."
    said = f"{loss} is the family of {row.plain} at β = 1, so it takes no β."
    return f"{said} Try {written.format(row.plain)}."


def given_name(loss: Any) -> str:
    """Name of a loss or model that is given by its name, or as `SymbolicLoss` or `ModeDynamics`.

    Raises:
        InvalidSetting: It is none of these.
    """
    name = loss if isinstance(loss, str) else getattr(loss, "name", None)
    if isinstance(name, str):
        return name
    message = (
        f"A loss must be a name or a SymbolicLoss, not {as_given(loss)}. Try 'euclidean', or "
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
            "'euclidean', or simulate, ensemble, phase_plane, continue_fixed_points and "
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
    if kind == "preset" and given in LOSS_NAMES:
        return f"It is a loss: try `loss={given!r}`."
    if kind == "loss" and given.endswith(".nc"):
        return (
            f"It is a file: eigendyn diagnose --training {given} reads a result of eigendyn train, "
            f"and eigendyn plot {given} draws any."
        )
    if kind == "loss" and "(" in given:
        return "It looks like a formula: try `loss_expr`."
    name = meant(kind, given)
    return f"Did you mean {name!r}?" if name in names else None
