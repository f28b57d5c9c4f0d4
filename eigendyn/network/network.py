"""Check and hold the settings of a network and its training.

Standard library only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from eigendyn.errors import InvalidSetting
from eigendyn.settings.checks import check_is, check_whole
from eigendyn.settings.choices import DTYPES, ENCODERS, LOSS_ROWS, OWN_LOSS, check_choice
from eigendyn.settings.keywords import strict
from eigendyn.settings.siamese import Siamese


@strict
@dataclass(frozen=True)
class Network(Siamese):
    """A Siamese network and its gradient descent, valid by construction.

    z1 = f(W x1), z2 = f(W̃ x2) with views x_i = x + σ_i ξ_i of an input x ~ N(0, I), p = W_P z1;
    or x ~ N(0, diag(d)) and noises N(0, diag(a_i)). A step is W ← W − η (∂⟨ℓ(p, z2)⟩/∂W + ω W).

    Args:
        loss: One of `choices.LOSS_NAMES`, or the text of a loss in z1, z2 and lam, as in
            "sum((lam*z1 - sg(z2))**2)/2", read in the eigenbasis of W Wᵀ.
        parameters: Numbers of that text, by their names.
        encoder: "linear", f(h) = h, or "relu", f(h) = max(h, 0).
        predictor: "direct", W_P = (W Wᵀ)^α, in closed form from the weights (for a linear encoder
            W Wᵀ is the correlation of clean representations); "copy", DirectCopy, that is
            normalised with α = 1 and ε = 0.25; "running", C^α with a running average C of
            z1 z1ᵀ; "learned", a matrix that descends the loss too; "none", the identity.
        target: "shared", W̃ = W, or "ema", an exponential moving average of W.
        stop_gradient: False lets the gradient flow through the target branch. W_P is a constant
            for differentiation always, unless it is learned.
        alpha: Exponent α of the predictor.
        beta: Exponent β of the family δ/λ^β; None keeps the loss as its name says.
        epsilon: ε, in units of the largest eigenvalue; None is 0, or 0.25 with "copy".
        epsilon_placement: "inside" the power, (c/max c + ε)^α, or "outside", (c/max c)^α + ε; both
            times (max c)^α unless normalised.
        normalize: Whether the predictor's eigenvalues are divided by (max c)^α.
        correlation: What C is the correlation of: "clean" inputs, the "first-view", or the
            "weights", W Wᵀ; None is clean, and first-view where it is a running average.
        signal: Variance of every input (inputs,), which the two views share; None is 1. Inputs
            are independent: W is taken in the basis of the components of the data.
        noise1: Variance of the first view's noise in every input; None is σ1².
        noise2: Variance of the second view's noise; None is σ2².
        sigma1: Standard deviation of the first view's noise.
        sigma2: Standard deviation of the second view's noise.
        weight_decay: ω of the encoder.
        learning_rate: η of the encoder.
        momentum: Heavy-ball momentum of encoder and learned predictor.
        batch: Number of samples drawn afresh for every step; None takes the population's gradient
            itself, which Euclidean losses have in closed form for a linear encoder.
        ema: Momentum m of an EMA target, W̃ ← m W̃ + (1 − m) W with the W that the step has made;
            None takes 0.99.
        ema_schedule: "constant", or "cosine": 1 − m falls to zero along a half cosine.
        steps: Length of that schedule, in steps.
        correlation_momentum: Momentum m of the running correlation, C ← m C + (1 − m) ⟨z1 z1ᵀ⟩ of
            the batch; None is 0.9 with "running", and no average with "copy".
        correlation_order: "update-first", that C is the predictor's in the same step, or
            "use-first", it is the predictor's in the next step.
        predictor_rate: Learning rate of a learned predictor over that of the encoder, κ; None is 1.
        predictor_decay: Weight decay of a learned predictor.
        predictor_start: A learned predictor starts at this multiple of the identity; None is 0.5.
        dtype: One of `choices.DTYPES`.

    Raises:
        UnknownName: A loss, encoder, predictor, target, dtype or keyword that does not exist.
        InvalidSetting: A number without meaning, or settings that contradict each other.

    Source: Halvagal et al. 2023, their linear network, and with ReLU; predictors, Tian et al. 2021
    (DirectPred) and Wang et al. 2021 (DirectCopy); EMA target, Grill et al. 2020 (BYOL).

    Examples:
        >>> network = eigendyn.network.Network("euclidean", sigma1=0, batch=None)
        >>> network.learning_rate, network.encoder
        (0.1, 'linear')
    """

    encoder: str = "linear"
    batch: int | None = 5_000
    dtype: str = "float64"
    parameters: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        """Check every setting by itself, then against the others."""
        check_is("loss", self.loss, isinstance(self.loss, str), "a name or the text of a loss")
        if re.fullmatch(r"[\w-]*", self.loss):
            check_choice("loss", self.loss, LOSS_ROWS)
        for kind, known in _CHOICES.items():
            check_choice(kind, getattr(self, kind), known)
        if self.batch is not None:
            object.__setattr__(self, "batch", check_whole("batch", self.batch, 2))
        elif self.encoder != "linear" or not LOSS_ROWS.get(self.loss, OWN_LOSS).is_quadratic:
            known = ", ".join(name for name, row in LOSS_ROWS.items() if row.is_quadratic)
            message = (
                f"Only {known} on a linear encoder have the population's gradient in closed form; "
                f"this is {self.loss} on a {self.encoder} one. Try a large batch."
            )
            raise InvalidSetting(message)
        super().__post_init__()
        if self.encoder != "linear" and (self.is_anisotropic or self.correlation is not None):
            message = (
                f"`encoder={self.encoder!r}` takes white inputs, and a predictor made from its "
                "weights. Leave out `signal`, `noise1`, `noise2` and `correlation`."
            )
            raise InvalidSetting(message)

    @cached_property
    def has_noise(self) -> bool:
        """Whether the views differ."""
        return self.sigma1 > 0 or self.sigma2 > 0 or self.is_anisotropic

    @cached_property
    def has_family(self) -> bool:
        """Whether W_P^{−β} multiplies the descent direction of the loss."""
        return bool(self.beta)


_CHOICES = {
    "encoder": ENCODERS,
    "dtype": DTYPES,
}
