"""Check the parts of a Siamese network against each other, and describe its structure.

Loss, predictor, target and decay are chosen independently of one another; this is the one place
that says which choices contradict each other. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from eigendyn.errors import InvalidSetting
from eigendyn.settings.checks import check_whole
from eigendyn.settings.choices import (
    CORRELATION_ORDERS,
    CORRELATIONS,
    EMA_SCHEDULES,
    EPSILON_PLACEMENTS,
    LOSS_ROWS,
    OWN_LOSS,
    PREDICTORS,
    TARGETS,
    check_choice,
    no_family,
)
from eigendyn.settings.keywords import strict
from eigendyn.settings.parameters import PARAMETERS, PER_MODE, default

CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "predictor": PREDICTORS,
        "epsilon_placement": EPSILON_PLACEMENTS,
        "target": TARGETS,
        "ema_schedule": EMA_SCHEDULES,
        "correlation_order": CORRELATION_ORDERS,
    }
)

PerMode = float | Sequence[float] | None


@dataclass(frozen=True)
class Siamese:
    """What every Siamese network has, whoever describes it: `Settings`, or a `Network`.

    Numbers are those of the table `PARAMETERS`; fields are explained where they are given.
    """

    loss: str = "cosine"
    predictor: str = "direct"
    stop_gradient: bool = True
    alpha: float = default("alpha")
    beta: float | None = default("beta")
    epsilon: float | None = default("epsilon")
    epsilon_placement: str = "inside"
    normalize: bool = False
    correlation: str | None = None
    correlation_momentum: float | None = default("correlation_momentum")
    correlation_order: str = "update-first"
    predictor_rate: float | None = default("predictor_rate")
    predictor_decay: float = default("predictor_decay")
    predictor_start: float | None = default("predictor_start")
    target: str = "shared"
    ema: float | None = default("ema")
    ema_schedule: str = "constant"
    sigma1: float = default("sigma1")
    sigma2: float = default("sigma2")
    signal: PerMode = None
    noise1: PerMode = None
    noise2: PerMode = None
    weight_decay: float = default("weight_decay")
    momentum: float = default("momentum")
    learning_rate: float = default("learning_rate")
    steps: int = 1500

    def __post_init__(self) -> None:
        """Check every setting by itself, then against the others, then fill in what follows."""
        for kind, known in CHOICES.items():
            check_choice(kind, getattr(self, kind), known)
        if self.correlation is not None:
            check_choice("correlation", self.correlation, CORRELATIONS)
        for name in ("normalize", "stop_gradient"):
            if not isinstance(getattr(self, name), bool):
                message = f"`{name}` must be True or False, not {getattr(self, name)!r}."
                raise InvalidSetting(message)
        object.__setattr__(self, "steps", check_whole("steps", self.steps, 1))
        for name, parameter in PARAMETERS.items():
            if getattr(self, name) is not None or parameter.default is not None:
                object.__setattr__(self, name, parameter.check(getattr(self, name)))
        for contradiction in _contradictions(self):
            raise InvalidSetting(contradiction)
        for name, parameter in PARAMETERS.items():
            if getattr(self, name) is None and parameter.part is not None:
                assumed = parameter.assumed.get(getattr(self, parameter.part[0]))
                object.__setattr__(self, name, assumed)

    @cached_property
    def has_epsilon(self) -> bool:
        """Whether ε is added to the predictor's eigenvalues."""
        return bool(self.epsilon)

    @property
    def is_anisotropic(self) -> bool:
        """Whether modes have a signal or noises of their own."""
        return any(getattr(self, name) is not None for name in PER_MODE)


@strict
@dataclass(frozen=True)
class Architecture:
    """Which parts a Siamese network has; their numbers are settings.

    Each adds its state to the singular value s of a mode::

        running predictor   dc/dt = (1 − μ_c)(E[z1²] − c)/η,  λ = c^α
        learned predictor   dp/dt = κ E[δλ] − ω_p p,  λ = p
        EMA target          dξ/dt = (1 − μ_ξ)(s − ξ)/η,  z2 = ξ x2
        momentum            ds/dt = u

    Args:
        predictor: "direct", a function of the encoder's correlation W Wᵀ; "running", the same
            function of a running average of z1 z1ᵀ; "learned", a matrix that descends the loss.
            A loss without λ has none, whatever is said here.
        has_epsilon: Whether ε is added to the eigenvalues of a predictor that is a function.
        epsilon_placement: "inside" the power, (c/max c + ε)^α, or "outside", (c/max c)^α + ε.
        normalize: Whether these are the eigenvalues; else they are counted in (max c)^α.
        correlation: What c is the correlation of: "clean" representations, the noisy "first-view",
            or the encoder's "weights"; None is clean, and first-view where it is a running average.
        target: "shared", or "ema", an exponential moving average of the encoder.
        ema_schedule: "constant", or "cosine", from the momentum given to one.
        has_momentum: Whether the descent is one with heavy-ball momentum.
        is_anisotropic: Whether every mode has a signal and noises of its own; else inputs are
            white, and noises the same in every direction.

    Source: predictors, Tian et al. 2021 and, as a copy, Wang et al. 2021; target, Grill et al. 2020
    (BYOL); derivations/running_correlation.py and derivations/learned_predictor.py.

    Examples:
        >>> learned = eigendyn.theory.Architecture(predictor="learned", target="ema")
        >>> dynamics = eigendyn.theory.mode_dynamics("euclidean", architecture=learned)
        >>> [str(state) for state in dynamics.states]
        ['singular_value', 'predictor_value', 'target_value']
    """

    predictor: str = "direct"
    has_epsilon: bool = False
    epsilon_placement: str = "inside"
    normalize: bool = False
    correlation: str | None = None
    target: str = "shared"
    ema_schedule: str = "constant"
    has_momentum: bool = False
    is_anisotropic: bool = False

    @property
    def correlated(self) -> str:
        """One of `choices.CORRELATIONS`, filled in."""
        return self.correlation or usual_correlation(self.predictor == "running")


PLAIN = Architecture()


def architecture(chosen: Siamese) -> Architecture:
    """Structure of a Siamese network whose settings are filled in."""
    averages = chosen.predictor == "copy" and chosen.correlation_momentum is not None
    predictor = chosen.predictor if chosen.predictor in ("running", "learned") else "direct"
    predictor = "running" if averages else predictor
    is_usual = chosen.correlation in (None, usual_correlation(predictor == "running"))
    return Architecture(
        predictor=predictor,
        has_epsilon=bool(chosen.epsilon),
        epsilon_placement=chosen.epsilon_placement if chosen.epsilon else "inside",
        normalize=chosen.normalize or chosen.predictor == "copy",
        correlation=None if is_usual else chosen.correlation,
        target=chosen.target,
        ema_schedule=chosen.ema_schedule,
        has_momentum=chosen.momentum > 0,
        is_anisotropic=chosen.is_anisotropic,
    )


def usual_correlation(is_running: bool) -> str:
    """The correlation that a predictor is a function of: a running one sees the first view."""
    return "first-view" if is_running else "clean"


def _contradictions(chosen: Siamese) -> Iterator[str]:
    """Say which settings cannot stand beside each other, one sentence each."""
    yield from _misplaced_family(chosen)
    yield from _misplaced_function(chosen)
    yield from _misplaced_part(chosen)
    yield from _misplaced_target(chosen)
    yield from _misplaced_noise(chosen)


def _misplaced_family(chosen: Siamese) -> Iterator[str]:
    row = LOSS_ROWS.get(chosen.loss, OWN_LOSS)
    if chosen.beta is not None:
        without = no_family(chosen.loss, f"`loss={{!r}}, beta={chosen.beta:g}`")
        yield from [] if without is None else [without]
    if chosen.predictor == "none" and chosen.beta:
        yield (
            f"`beta={chosen.beta:g}` has no meaning with `predictor='none'`, where λ = 1. "
            "Leave out one of the two."
        )
    if chosen.predictor == "learned" and (chosen.beta or not row.trains_predictor):
        what = f"`beta={chosen.beta:g}`" if chosen.beta else f"`loss={chosen.loss!r}`"
        yield (
            f"{what} has its λ behind a stop-gradient, so that no gradient reaches a learned "
            "predictor. Try `predictor='direct'`, or the plain loss."
        )
    if not chosen.stop_gradient and chosen.beta:
        yield (
            f"`beta={chosen.beta:g}` has no meaning with `stop_gradient=False`: the family δ/λ^β "
            "is defined by what is stopped. Leave out one of the two."
        )


def _misplaced_function(chosen: Siamese) -> Iterator[str]:
    """Options of a predictor that is a function of a correlation."""
    why = {
        "none": "with `predictor='none'`, where λ = 1",
        "learned": "with `predictor='learned'`, whose eigenvalues are learned",
    }
    given = {
        f"`alpha={chosen.alpha:g}`": chosen.alpha != 1,
        f"`epsilon={chosen.epsilon or 0:g}`": bool(chosen.epsilon),
        "`normalize=True`": chosen.normalize,
        f"`correlation={chosen.correlation!r}`": chosen.correlation is not None,
    }
    if chosen.predictor in why:
        for setting in (setting for setting, is_given in given.items() if is_given):
            yield f"{setting} has no meaning {why[chosen.predictor]}. Leave out one of the two."
    if chosen.predictor == "copy" and chosen.alpha != 1:
        yield (
            f"`alpha={chosen.alpha:g}` has no meaning with `predictor='copy'`, which copies the "
            "correlation: α = 1. Try `predictor='direct', normalize=True`."
        )
    has_epsilon = chosen.epsilon or (chosen.predictor == "copy" and chosen.epsilon is None)
    if chosen.epsilon_placement != "inside" and not has_epsilon:
        yield (
            f"`epsilon_placement={chosen.epsilon_placement!r}` places an ε, and there is none. "
            "Leave it out, or try `epsilon=0.1`."
        )
    averages = chosen.predictor == "running" or chosen.correlation_momentum is not None
    if chosen.correlation_order != CORRELATION_ORDERS[0] and not averages:
        yield (
            f"`correlation_order={chosen.correlation_order!r}` says when a running correlation is "
            "updated, and there is none. Leave it out, or try `predictor='running'`."
        )


def _misplaced_part(chosen: Siamese) -> Iterator[str]:
    """Numbers of a part that is not there."""
    for name, parameter in PARAMETERS.items():
        value = getattr(chosen, name)
        if parameter.does and parameter.part is not None and value != parameter.default:
            part, values = parameter.part
            if getattr(chosen, part) not in values:
                yield (
                    f"`{name}={value:g}` {parameter.does}, and the {part} is "
                    f"{getattr(chosen, part)}. Leave it out, or try `{part}={values[0]!r}`."
                )


def _misplaced_target(chosen: Siamese) -> Iterator[str]:
    if chosen.target == "ema" and not chosen.stop_gradient:
        yield (
            "The gradient cannot flow through a target that is an average of past weights. "
            "Leave out one of `target='ema'` and `stop_gradient=False`."
        )
    if chosen.target != "ema" and chosen.ema_schedule != "constant":
        yield (
            f"`ema_schedule={chosen.ema_schedule!r}` changes the momentum of an EMA target, and "
            f"the target is {chosen.target}. Leave it out, or try `target='ema'`."
        )


def _misplaced_noise(chosen: Siamese) -> Iterator[str]:
    """Noises that are given twice, per mode and for all."""
    for view in "12":
        name, same = f"noise{view}", f"sigma{view}"
        given = getattr(chosen, same)
        if getattr(chosen, name) is not None and given != default(same):
            yield (
                f"`{same}={given:g}` is the noise of that view in every direction, and `{name}` "
                "its variance along each mode. Leave out one of the two."
            )
