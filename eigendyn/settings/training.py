"""Check and hold the settings of a network that is trained on images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from eigendyn.errors import InvalidSetting
from eigendyn.settings.checks import check_whole
from eigendyn.settings.choices import AUGMENT, DEVICES, DTYPES, NETWORKS, check_choice
from eigendyn.settings.keywords import strict
from eigendyn.settings.siamese import Siamese

USUAL = {  # of a predictor that is a function of a correlation, where nothing is said
    "direct": {"alpha": 0.5},  # Halvagal et al. 2023, their experiments
    "running": {"alpha": 0.5, "correlation_momentum": 0.3},  # Tian et al. 2021
}
LOWEST = {"embedding": 2, "epochs": 1, "batch": 2, "saves": 2, "seed": 0}
READ_OUT = 10_000  # images, at most, that readouts fit: of more, minutes at every measure
OF_VIEWS = ("sigma1", "sigma2", "signal", "noise1", "noise2")


@strict
@dataclass(frozen=True)
class Training(Siamese):
    """Settings of one training on images, valid by construction.

    Fields that are not named here are those of `eigendyn.Settings`.

    Args:
        predictor: "running", the power C^α of a running average C of z1 z1ᵀ, with ε and normalised
            where `epsilon` and `normalize` say so; "direct", the same of the correlation of each
            batch; "copy", DirectCopy; "learned", a matrix; "none", the identity.
        alpha: Exponent α; None is 1/2 of a predictor that is a function of C (1 of "copy").
        correlation_momentum: Momentum of the running correlation; None is 0.3 with "running", and
            no average with "copy".
        learning_rate: η of the descent, plain or with heavy-ball momentum.
        momentum: Of encoder and learned predictor.
        weight_decay: ω of all weights and biases of encoder and projector.
        network: "conv", convolutions of 3 × 3 and a projector; "mlp", two hidden layers and a
            projector; "linear", z = W x.
        embedding: Dimensions of z.
        epochs: Passes through the training images.
        batch: Images in a step; what is left of an epoch is dropped. A step of "conv" on 128 images
            of 224 × 224 takes 3.4 GB, in proportion to images and pixels, and where gains are
            measured beside it 6.5 GB more.
        augment: Augmentations of the first view, as in "shift:1,noise:0.05". Images are augmented
            as they are, so that what they move away from is black, and the mean image is subtracted
            then; `eigendyn.data` subtracts it first.
        augment2: Those of the second view; None takes the same.
        saves: Number of epochs, at most, at which the network is measured and a checkpoint written,
            start and end included; warnings take four of them, a forecast three.
        dtype: Precision of network and descent, one of `choices.DTYPES`.
        device: One of `choices.DEVICES`.
        seed: Seed of weights, batches and augmentations.

    Raises:
        UnknownName: A network, predictor, target, dtype, device or keyword that does not exist.
        InvalidSetting: A number without meaning, or settings that contradict each other.

    Source: α, learning rate and decay of the order of Tian et al. 2021 and Halvagal et al. 2023.
    """

    predictor: str = "running"
    alpha: float | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    learning_rate: float = 0.03
    momentum: float = 0.9
    weight_decay: float = 4e-4
    sigma1: float = 0.0
    sigma2: float = 0.0
    network: str = "conv"
    embedding: int = 32
    epochs: int = 200
    batch: int = 128
    augment: str = AUGMENT
    augment2: str | None = None
    saves: int = 21
    dtype: str = "float32"
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every setting by itself, then against the others."""
        for kind, known in (("network", NETWORKS), ("dtype", DTYPES), ("device", DEVICES)):
            check_choice(kind, getattr(self, kind), known)
        for name, lowest in LOWEST.items():
            object.__setattr__(self, name, check_whole(name, getattr(self, name), lowest))
        usual = {"alpha": 1.0, **USUAL.get(self.predictor, {})}
        for name, value in usual.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        super().__post_init__()
        for name in OF_VIEWS:
            if getattr(self, name):
                message = (
                    f"`{name}` belongs to inputs of the theory; views of images differ by "
                    "augmentations. Leave it out, or try `augment='shift:1,noise:0.1'`."
                )
                raise InvalidSetting(message)
        if self.correlation not in (None, "first-view"):
            message = (
                f"`correlation={self.correlation!r}` needs more than batches of views; in training "
                "the predictor is a function of the first view's correlation. Leave it out."
            )
            raise InvalidSetting(message)

    @cached_property
    def has_momentum(self) -> bool:
        """Whether the descent is that of a heavy ball."""
        return self.momentum > 0

    @property
    def averages(self) -> bool:
        """Whether the correlation is a running average over batches."""
        return self.correlation_momentum is not None

    @property
    def uses_correlation(self) -> bool:
        """Whether the predictor is a function of a correlation."""
        return self.predictor not in ("learned", "none")
