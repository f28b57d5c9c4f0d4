"""List every number of the theory, one row each: its names, what it may be, what it belongs to.

Settings and networks take their defaults and checks from here, options their flags and help,
sliders their ranges, derivations and pictures their symbols. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from eigendyn.settings.checks import FRACTION, NONNEGATIVE, POSITIVE, Domain, check_real, numbers_of

UP_TO_ONE = Domain(
    lambda x: x <= 1,
    "≤ 1, since beyond 1 the growth rate of a vanishing mode diverges",
    "real",
)


@dataclass(frozen=True)
class Parameter:
    """One number of the theory.

    Args:
        name: Of the setting, of the symbol, and with dashes of the option.
        text: Sign in plain text, as derivations print it.
        latex: The same in LaTeX.
        sign: The same in pictures and on sliders.
        label: What it is, on axes and sliders.
        help: The same as a sentence, in the help of the command line.
        told: How a title says it, before the value; empty if titles leave it out.
        domain: What it may be.
        hint: What to try in the place of a wrong value.
        default: Value where none is given; None if that depends on other settings.
        unset: What None is, in words, apart from `assumed`.
        part: The choice that decides whether it is there ("predictor", "target"), and the values
            with which it is; None if it always is.
        does: What it does there, as the end of a sentence.
        assumed: By the value of that choice, the number that stands for None.
        slider: Lowest and highest value and step of a slider; None if nothing slides it.
        per_mode: Whether every mode may have a value of its own.
    """

    name: str
    text: str
    latex: str
    sign: str
    label: str
    help: str
    told: str
    domain: Domain
    hint: str
    default: float | None = 0.0
    unset: str = ""
    part: tuple[str, tuple[str, ...]] | None = None
    does: str = ""
    assumed: Mapping[str, float] = field(default_factory=dict)
    slider: tuple[float, float, float] | None = None
    per_mode: bool = False

    def check(self, value: Any) -> Any:
        """Take a value that it may have: a number, or of a parameter per mode a tuple of them.

        Raises:
            InvalidSetting: It may not.
        """
        several = numbers_of(value) if self.per_mode else None
        if several is not None and len(several) == 1:
            several, value = None, several[0]
        if several is None:
            return check_real(self.name, value, self.domain, self.hint)
        return tuple(check_real(self.name, one, self.domain, self.hint) for one in several)


_FUNCTION = ("predictor", ("direct", "running", "copy"))  # of a correlation's eigenvalues
_AVERAGED = ("predictor", ("running", "copy"))
_LEARNED = ("predictor", ("learned",))
_STEERS = "steers a learned predictor"

_ROWS = (
    Parameter(
        "alpha",
        "α",
        r"\alpha",
        "α",
        "exponent of the predictor",
        help="Exponent α of the predictor, λ = v^α.",
        told="α = ",
        domain=POSITIVE,
        hint="For a predictor that does nothing, try `predictor='none'`.",
        default=1.0,
        part=_FUNCTION,
    ),
    Parameter(
        "beta",
        "β",
        r"\beta",
        "β",
        "exponent of the family δ/λ^β",
        help="Exponent β of the family δ/λ^β: 0 is the plain loss, 1 the isotropic one.",
        told="β = ",
        domain=UP_TO_ONE,
        hint="0 is the plain loss, 1 the isotropic one.",
        default=None,
        unset="that of the loss",
    ),
    Parameter(
        "epsilon",
        "ε",
        r"\varepsilon",
        "ε",
        "lift of the eigenvalues",
        help="ε, which lifts the predictor's eigenvalues in units of the largest.",
        told="ε = ",
        domain=NONNEGATIVE,
        hint="0 adds nothing to the eigenvalues.",
        default=None,
        unset="0",
        part=_FUNCTION,
        assumed={"copy": 0.25},  # DirectCopy, Wang et al. 2021
        slider=(0.0, 1.0, 0.01),
    ),
    Parameter(
        "correlation_momentum",
        "μc",
        r"\mu_c",
        "μ",
        "momentum of the correlation",
        help="Momentum of the running correlation.",
        told="correlation momentum ",
        domain=FRACTION,
        hint="Try 0.9.",
        default=None,
        part=_AVERAGED,
        does="averages the correlation of a running predictor",
        assumed={"running": 0.9},
        slider=(0.0, 0.995, 0.005),
    ),
    Parameter(
        "predictor_rate",
        "κ",
        r"\kappa",
        "κ",
        "learning rate of the predictor",
        help="Learning rate of a learned predictor over that of the encoder, κ.",
        told="predictor rate ",
        domain=POSITIVE,
        hint="Try 1.",
        default=None,
        part=_LEARNED,
        does=_STEERS,
        assumed={"learned": 1.0},
        slider=(0.05, 10.0, 0.05),
    ),
    Parameter(
        "predictor_start",
        "p0",
        "p_0",
        "p₀",
        "start of the predictor",
        help="Multiple of the identity at which a learned predictor starts.",
        told="predictor start ",
        domain=POSITIVE,
        hint="Try 1.",
        default=None,
        part=_LEARNED,
        does=_STEERS,
        assumed={"learned": 0.5},
    ),
    Parameter(
        "ema",
        "μξ",
        r"\mu_\xi",
        "μ",
        "momentum of the target",
        help="Momentum of an EMA target.",
        told="EMA momentum ",
        domain=FRACTION,
        hint="Try 0.9.",
        default=None,
        part=("target", ("ema",)),
        does="is the momentum of an EMA target",
        assumed={"ema": 0.99},
        slider=(0.0, 0.995, 0.005),
    ),
    Parameter(
        "weight_decay",
        "ω",
        r"\omega",
        "ω",
        "weight decay",
        help="Of the encoder, ω.",
        told="weight decay ",
        domain=NONNEGATIVE,
        hint="0 is no weight decay.",
        slider=(0.0, 1.0, 0.005),
    ),
    Parameter(
        "predictor_decay",
        "ωp",
        r"\omega_p",
        "ωₚ",
        "weight decay of the predictor",
        help="Weight decay of a learned predictor.",
        told="predictor decay ",
        domain=NONNEGATIVE,
        hint="0 is no weight decay.",
        part=_LEARNED,
        does=_STEERS,
        slider=(0.0, 1.0, 0.005),
    ),
    Parameter(
        "momentum",
        "μ",
        r"\mu",
        "μ",
        "momentum of the descent",
        help="Heavy-ball momentum of the descent.",
        told="momentum ",
        domain=FRACTION,
        hint="Try 0.9.",
        slider=(0.0, 0.995, 0.005),
    ),
    Parameter(
        "learning_rate",
        "η",
        r"\eta",
        "η",
        "learning rate",
        help="Learning rate η; time is η × step.",
        told="",
        domain=POSITIVE,
        hint="Time is learning rate × step; try 0.1.",
        default=0.1,
        slider=(0.005, 1.0, 0.005),
    ),
    Parameter(
        "sigma1",
        "σ1",
        r"\sigma_1",
        "σ₁",
        "noise of the first view",
        help="Standard deviation of the first view's noise.",
        told="σ₁ = ",
        domain=NONNEGATIVE,
        hint="It is a standard deviation; 0 is no noise.",
        slider=(0.0, 2.0, 0.01),
    ),
    Parameter(
        "sigma2",
        "σ2",
        r"\sigma_2",
        "σ₂",
        "noise of the second view",
        help="Standard deviation of the second view's noise.",
        told="σ₂ = ",
        domain=NONNEGATIVE,
        hint="It is a standard deviation; 0 is no noise.",
        default=0.1,
        slider=(0.0, 2.0, 0.01),
    ),
    Parameter(
        "signal",
        "d",
        "d",
        "d",
        "signal of the component",
        help="Variance d of each mode's component that both views share, one number or one per "
        "mode.",
        told="signal ",
        domain=POSITIVE,
        hint="A component without signal has no mode: leave it out.",
        default=None,
        unset="1, white inputs",
        slider=(0.05, 4.0, 0.05),
        per_mode=True,
    ),
    Parameter(
        "noise1",
        "a1",
        "a_1",
        "a₁",
        "noise of the first view along the component",
        help="Variance a1 of the first view's noise along each mode's component, one number or "
        "one per mode.",
        told="noise ",
        domain=NONNEGATIVE,
        hint="It is a variance; 0 is no noise.",
        default=None,
        unset="σ1² in every direction",
        slider=(0.0, 4.0, 0.01),
        per_mode=True,
    ),
    Parameter(
        "noise2",
        "a2",
        "a_2",
        "a₂",
        "noise of the second view along the component",
        help="Variance a2 of the second view's noise along each mode's component, one number or "
        "one per mode.",
        told="second noise ",
        domain=NONNEGATIVE,
        hint="It is a variance; 0 is no noise.",
        default=None,
        unset="σ2² in every direction",
        slider=(0.0, 4.0, 0.01),
        per_mode=True,
    ),
)
PARAMETERS: Mapping[str, Parameter] = MappingProxyType({row.name: row for row in _ROWS})
PER_MODE = tuple(name for name, row in PARAMETERS.items() if row.per_mode)


def component(name: str, number: Callable[[str], Any]) -> Any:
    """Signal or noise along each mode: its own, or what stands for it where none is given.

    Args:
        name: "signal", "noise1" or "noise2".
        number: Takes a name; gives the value of that setting.
    """
    own = number(name)
    if own is not None:
        return own
    return 1.0 if name == "signal" else number(f"sigma{name[-1]}") ** 2


def default(name: str) -> Any:
    """Value that a field of settings has where none is given."""
    return PARAMETERS[name].default
