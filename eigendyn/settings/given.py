"""Type the keywords that functions hand on to `Settings`, for editors and type checkers.

`simulate(…, **settings: Unpack[GivenSettings])` completes in an editor; a test holds the names and
choices to those of `Settings`. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from eigendyn.settings.run_settings import Settings
    from eigendyn.settings.training import Training


class GivenSiamese(TypedDict, total=False):
    """Fields of `Siamese` but for the loss."""

    predictor: Literal["direct", "copy", "running", "learned", "none"]
    stop_gradient: bool
    alpha: float
    beta: float | None
    epsilon: float | None
    epsilon_placement: Literal["inside", "outside"]
    normalize: bool
    correlation: Literal["clean", "first-view", "weights"] | None
    correlation_momentum: float | None
    correlation_order: Literal["update-first", "use-first"]
    predictor_rate: float | None
    predictor_decay: float
    predictor_start: float | None
    target: Literal["shared", "ema"]
    ema: float | None
    ema_schedule: Literal["constant", "cosine"]
    sigma1: float
    sigma2: float
    signal: ArrayLike | None
    noise1: ArrayLike | None
    noise2: ArrayLike | None
    weight_decay: float
    momentum: float
    learning_rate: float
    steps: int


class GivenRun(TypedDict, total=False):
    """Fields of `Settings` that say how runs are followed, or `settings`, several at once."""

    settings: Settings
    method: Literal["auto", "compiled", "implicit", "flow", "steps", "closed-form"]
    closure: Literal["auto", "exact", "mean-field", "sampled"]
    closure_accuracy: float
    samples: int
    solver: Literal["explicit", "stiff"]
    rtol: float | None
    atol: float | None
    max_solver_steps: int
    saves: int
    dtype: Literal["float64", "float32"]
    device: Literal["auto", "cpu", "cuda"]
    seed: int


class GivenSettings(GivenSiamese, GivenRun, total=False):
    """Fields of `Settings` but for the loss."""


class GivenTraining(GivenSiamese, total=False):
    """Fields of `training.Training` but for the loss, or `settings`, several of them at once."""

    settings: Training
    network: Literal["conv", "mlp", "linear"]
    embedding: int
    epochs: int
    batch: int
    augment: str
    augment2: str | None
    saves: int
    dtype: Literal["float64", "float32"]
    device: Literal["auto", "cpu", "cuda"]
    seed: int


class GivenEnsemble(GivenSettings, total=False):
    """The same, and what an ensemble takes beside it."""

    times: ArrayLike | None
    engine: Literal["auto", "compiled", "shifted", "implicit", "kernel", "flow"]
    keep: Literal["trajectory", "final", "extrema", "recruitment"]
    sweep: Mapping[str, ArrayLike] | None
    threads: int | None
    progress: bool


class GivenSweep(GivenRun, total=False):
    """Fields of `Settings` but for the loss; of what a sweep can change, one value or several."""

    predictor: str | Sequence[str]
    stop_gradient: bool
    alpha: ArrayLike | str
    beta: ArrayLike | str | None
    epsilon: ArrayLike | str | None
    epsilon_placement: Literal["inside", "outside"]
    normalize: bool
    correlation: Literal["clean", "first-view", "weights"] | None
    correlation_momentum: ArrayLike | str | None
    correlation_order: Literal["update-first", "use-first"]
    predictor_rate: ArrayLike | str | None
    predictor_decay: ArrayLike | str
    predictor_start: ArrayLike | str | None
    target: str | Sequence[str]
    ema: ArrayLike | str | None
    ema_schedule: Literal["constant", "cosine"]
    sigma1: ArrayLike | str
    sigma2: ArrayLike | str
    signal: ArrayLike | str | None
    noise1: ArrayLike | str | None
    noise2: ArrayLike | str | None
    weight_decay: ArrayLike | str
    momentum: ArrayLike | str
    learning_rate: ArrayLike | str
    steps: int
