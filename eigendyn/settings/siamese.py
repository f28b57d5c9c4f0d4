"""Check the parts of a Siamese network against each other, and describe its structure.

Loss, predictor, target and decay are chosen independently of one another; this is the one place
that says which choices contradict each other. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from eigendyn.settings.checks import FRACTION, POSITIVE, REAL, Rule
from eigendyn.settings.choices import (
    CORRELATION_ORDERS,
    EMA_SCHEDULES,
    EPSILON_PLACEMENTS,
    LOSS_ROWS,
    OWN_LOSS,
    PREDICTORS,
    TARGETS,
    no_family,
)
from eigendyn.settings.keywords import strict

DEFAULT_EMA = 0.99
DEFAULT_CORRELATION_MOMENTUM = 0.9
DEFAULT_PREDICTOR_RATE = 1.0
DEFAULT_PREDICTOR_START = 0.5
COPY_EPSILON = 0.25  # DirectCopy, Wang et al. 2021

CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "predictor": PREDICTORS,
        "epsilon_placement": EPSILON_PLACEMENTS,
        "target": TARGETS,
        "ema_schedule": EMA_SCHEDULES,
        "correlation_order": CORRELATION_ORDERS,
    }
)
RULES: Mapping[str, Rule] = MappingProxyType(
    REAL
    | {
        "epsilon": (lambda x: x >= 0, "≥ 0", "0 adds nothing to the eigenvalues."),
        "correlation_momentum": FRACTION,
        "predictor_rate": POSITIVE,
        "predictor_decay": REAL["weight_decay"],
        "predictor_start": POSITIVE,
        "ema": FRACTION,
        "momentum": FRACTION,
    }
)


class Siamese:
    """What every Siamese network has, whoever describes it: `Settings`, or a `Network`."""

    loss: str
    predictor: str
    target: str
    stop_gradient: bool
    alpha: float
    beta: float | None
    epsilon: float | None
    epsilon_placement: str
    normalize: bool
    momentum: float
    ema: float | None
    ema_schedule: str
    correlation_momentum: float | None
    correlation_order: str
    predictor_rate: float | None
    predictor_decay: float
    predictor_start: float | None


@strict
@dataclass(frozen=True)
class Architecture:
    """Which parts a Siamese network has; their numbers are settings.

    Args:
        predictor: "direct", a function of the encoder's correlation W Wᵀ; "running", the same
            function of a running average of z1 z1ᵀ; "learned", a matrix that descends the loss.
            A loss without λ has none, whatever is said here.
        has_epsilon: Whether ε is added to the eigenvalues of a predictor that is a function.
        epsilon_placement: "inside" the power, (c/max c + ε)^α, or "outside", (c/max c)^α + ε.
        normalize: Whether these are the eigenvalues; else they are counted in (max c)^α.
        target: "shared", or "ema", an exponential moving average of the encoder.
        ema_schedule: "constant", or "cosine", from the momentum given to one.
        has_momentum: Whether the descent is one with heavy-ball momentum.
    """

    predictor: str = "direct"
    has_epsilon: bool = False
    epsilon_placement: str = "inside"
    normalize: bool = False
    target: str = "shared"
    ema_schedule: str = "constant"
    has_momentum: bool = False


PLAIN = Architecture()


def architecture(chosen: Siamese) -> Architecture:
    """Structure of a Siamese network whose settings are filled in."""
    averages = chosen.predictor == "copy" and chosen.correlation_momentum is not None
    predictor = chosen.predictor if chosen.predictor in ("running", "learned") else "direct"
    return Architecture(
        predictor="running" if averages else predictor,
        has_epsilon=bool(chosen.epsilon),
        epsilon_placement=chosen.epsilon_placement if chosen.epsilon else "inside",
        normalize=chosen.normalize or chosen.predictor == "copy",
        target=chosen.target,
        ema_schedule=chosen.ema_schedule,
        has_momentum=chosen.momentum > 0,
    )


def filled_in(chosen: Siamese) -> dict[str, float]:
    """Numbers that follow from the choices where none were given, by the names of settings."""
    defaults = {
        "epsilon": COPY_EPSILON if chosen.predictor == "copy" else None,
        "correlation_momentum": (
            DEFAULT_CORRELATION_MOMENTUM if chosen.predictor == "running" else None
        ),
        "predictor_rate": DEFAULT_PREDICTOR_RATE if chosen.predictor == "learned" else None,
        "predictor_start": DEFAULT_PREDICTOR_START if chosen.predictor == "learned" else None,
        "ema": DEFAULT_EMA if chosen.target == "ema" else None,
    }
    return {
        name: value
        for name, value in defaults.items()
        if value is not None and getattr(chosen, name) is None
    }


def contradictions(chosen: Siamese) -> Iterator[str]:
    """Say which settings cannot stand beside each other, one sentence each."""
    yield from _misplaced_family(chosen)
    yield from _misplaced_function(chosen)
    yield from _misplaced_learning(chosen)
    yield from _misplaced_target(chosen)


def _misplaced_family(chosen: Siamese) -> Iterator[str]:
    row = LOSS_ROWS.get(chosen.loss, OWN_LOSS)
    if chosen.beta is not None:
        without = no_family(chosen.loss, f"--loss {{}} --beta {chosen.beta:g}")
        yield from [] if without is None else [without]
    if chosen.predictor == "none" and chosen.beta:
        yield (
            f"--beta {chosen.beta:g} has no meaning with --no-predictor, where λ = 1. "
            "Leave out one of the two."
        )
    if chosen.predictor == "learned" and (chosen.beta or not row.trains_predictor):
        what = f"--beta {chosen.beta:g}" if chosen.beta else f"--loss {chosen.loss}"
        yield (
            f"{what} has its λ behind a stop-gradient, so that no gradient reaches a learned "
            "predictor. Try --predictor direct, or the plain loss."
        )
    if not chosen.stop_gradient and chosen.beta:
        yield (
            f"--beta {chosen.beta:g} has no meaning with --no-stop-gradient: the family δ/λ^β "
            "is defined by what is stopped. Leave out one of the two."
        )


def _misplaced_function(chosen: Siamese) -> Iterator[str]:
    """Options of a predictor that is a function of a correlation."""
    why = {
        "none": "with --no-predictor, where λ = 1",
        "learned": "with --predictor learned, whose eigenvalues are learned",
    }
    given = {
        f"--alpha {chosen.alpha:g}": chosen.alpha != 1,
        f"--epsilon {chosen.epsilon or 0:g}": bool(chosen.epsilon),
        "--normalize": chosen.normalize,
    }
    if chosen.predictor in why:
        for flag in (flag for flag, is_given in given.items() if is_given):
            yield f"{flag} has no meaning {why[chosen.predictor]}. Leave out one of the two."
    if chosen.predictor == "copy" and chosen.alpha != 1:
        yield (
            f"--alpha {chosen.alpha:g} has no meaning with --predictor copy, which copies the "
            "correlation: α = 1. Try --predictor direct --normalize."
        )
    has_epsilon = chosen.epsilon or (chosen.predictor == "copy" and chosen.epsilon is None)
    if chosen.epsilon_placement != "inside" and not has_epsilon:
        yield (
            f"--epsilon-placement {chosen.epsilon_placement} places an ε, and there is none. "
            "Leave it out, or try --epsilon 0.1."
        )
    if chosen.correlation_momentum is not None and chosen.predictor not in ("running", "copy"):
        yield (
            f"--correlation-momentum {chosen.correlation_momentum:g} averages the correlation of a "
            f"running predictor, and the predictor is {chosen.predictor}. Leave it out, or try "
            "--predictor running."
        )
    averages = chosen.predictor == "running" or chosen.correlation_momentum is not None
    if chosen.correlation_order != CORRELATION_ORDERS[0] and not averages:
        yield (
            f"--correlation-order {chosen.correlation_order} says when a running correlation is "
            "updated, and there is none. Leave it out, or try --predictor running."
        )


def _misplaced_learning(chosen: Siamese) -> Iterator[str]:
    given = {
        "--predictor-rate": chosen.predictor_rate is not None,
        "--predictor-decay": chosen.predictor_decay != 0,
        "--predictor-start": chosen.predictor_start is not None,
    }
    if chosen.predictor != "learned":
        for flag in (flag for flag, is_given in given.items() if is_given):
            yield (
                f"{flag} steers a learned predictor, and the predictor is {chosen.predictor}. "
                "Leave it out, or try --predictor learned."
            )


def _misplaced_target(chosen: Siamese) -> Iterator[str]:
    if chosen.target == "ema" and not chosen.stop_gradient:
        yield (
            "The gradient cannot flow through a target that is an average of past weights. "
            "Leave out one of --target ema and --no-stop-gradient."
        )
    if chosen.target != "ema" and chosen.ema is not None:
        yield (
            f"--ema {chosen.ema:g} is the momentum of an EMA target, and the target is "
            f"{chosen.target}. Leave it out, or try --target ema."
        )
    if chosen.target != "ema" and chosen.ema_schedule != "constant":
        yield (
            f"--ema-schedule {chosen.ema_schedule} changes the momentum of an EMA target, and the "
            f"target is {chosen.target}. Leave it out, or try --target ema."
        )
