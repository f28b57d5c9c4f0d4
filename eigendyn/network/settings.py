"""What a network is and how it is trained enters; a checked record of it leaves.

Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass

from eigendyn.checks import FRACTION, REAL, Rule, check_real, check_whole
from eigendyn.choices import DTYPES, ENCODERS, LOSS_NAMES, PREDICTORS, TARGETS, check_choice
from eigendyn.errors import InvalidSetting

_POSITIVE = (lambda x: x > 0, "> 0", "Try 1.")
_RULES: dict[str, Rule] = REAL | {
    "momentum": FRACTION,
    "ema": FRACTION,
    "correlation_momentum": FRACTION,
    "predictor_rate": _POSITIVE,
    "predictor_decay": REAL["weight_decay"],
    "predictor_start": _POSITIVE,
}


@dataclass(frozen=True)
class Network:
    """A Siamese network and its gradient descent, valid by construction.

    z1 = f(W x1), z2 = f(W̃ x2) with views x_i = x + σ_i ξ_i of an input x ~ N(0, I), p = W_P z1.

    Args:
        loss: One of `choices.LOSS_NAMES`.
        encoder: "linear", f(h) = h, or "relu", f(h) = max(h, 0).
        predictor: "direct", W_P = (W Wᵀ)^α, in closed form from the weights (for a linear encoder
            W Wᵀ is the correlation of clean representations); "running", C^α with a running
            average C of z1 z1ᵀ; "learned", a matrix that descends the loss too; "none", the
            identity.
        target: "shared", W̃ = W, or "ema", an exponential moving average of W.
        stop_gradient: False lets the gradient flow through the target branch. W_P is a constant
            for differentiation always, unless it is learned.
        alpha: Exponent α of the predictor.
        beta: Exponent β of the family δ/λ^β; None keeps the loss as its name says.
        sigma1: Standard deviation of the first view's noise.
        sigma2: Standard deviation of the second view's noise.
        weight_decay: ω of the encoder.
        learning_rate: η of the encoder.
        momentum: Heavy-ball momentum of encoder and learned predictor.
        batch: Number of samples drawn afresh for every step; None takes the population's gradient
            itself, which Euclidean losses have in closed form for a linear encoder.
        ema: Momentum m of an EMA target, W̃ ← m W̃ + (1 − m) W with the W that the step began with;
            None takes 0.99.
        correlation_momentum: Momentum m of the running correlation, likewise.
        predictor_rate: Learning rate of a learned predictor over that of the encoder, κ.
        predictor_decay: Weight decay of a learned predictor.
        predictor_start: A learned predictor starts at this multiple of the identity.
        dtype: One of `choices.DTYPES`.

    Raises:
        UnknownName: A loss, encoder, predictor, target or dtype that does not exist.
        InvalidSetting: A number without meaning, or settings that contradict each other.
    """

    loss: str = "cosine"
    encoder: str = "linear"
    predictor: str = "direct"
    target: str = "shared"
    stop_gradient: bool = True
    alpha: float = 1.0
    beta: float | None = None
    sigma1: float = 0.0
    sigma2: float = 0.1
    weight_decay: float = 0.0
    learning_rate: float = 0.1
    momentum: float = 0.0
    batch: int | None = 5_000
    ema: float | None = None
    correlation_momentum: float = 0.9
    predictor_rate: float = 1.0
    predictor_decay: float = 0.0
    predictor_start: float = 0.5
    dtype: str = "float64"

    def __post_init__(self) -> None:
        """Check every setting by itself, then against the others."""
        for kind, known in _CHOICES.items():
            check_choice(kind, getattr(self, kind), known)
        for name, rule in _RULES.items():
            if getattr(self, name) is not None:
                object.__setattr__(self, name, check_real(name, getattr(self, name), rule))
        if self.batch is not None:
            object.__setattr__(self, "batch", check_whole("batch", self.batch, 2))
        elif self.encoder != "linear" or not self.loss.endswith("euclidean"):
            message = (
                "Only Euclidean losses on a linear encoder have the population's gradient in "
                f"closed form; this is {self.loss} on a {self.encoder} one. Try a large batch."
            )
            raise InvalidSetting(message)
        if self.target == "ema" and not self.stop_gradient:
            message = (
                "The gradient cannot flow through a target that is an average of past weights. "
                "Leave out one of --target ema and --no-stop-gradient."
            )
            raise InvalidSetting(message)
        if self.beta and not (self.predictor in ("direct", "running") and self.stop_gradient):
            message = (
                f"The family δ/λ^β, here β = {self.beta:g}, needs a predictor with eigenvalues λ "
                "and a stop-gradient. Leave out β."
            )
            raise InvalidSetting(message)
        if self.beta is not None and self.loss.startswith("iso-"):
            message = (
                f"{self.loss} is the family at β = 1. Leave out β, or try the loss "
                f"{self.loss.removeprefix('iso-')}."
            )
            raise InvalidSetting(message)


_CHOICES = {
    "loss": LOSS_NAMES,
    "encoder": ENCODERS,
    "predictor": PREDICTORS,
    "target": TARGETS,
    "dtype": DTYPES,
}
