"""Check the names and numbers that users give, and say what must hold of them.

Standard library only.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

from eigendyn.errors import InvalidSetting, as_given

Rule = tuple[Callable[[float], bool], str, str]  # holds for a valid value, in words, what to try

REAL: dict[str, Rule] = {  # what holds for numbers that several settings share
    "alpha": (
        lambda x: x > 0,
        "> 0",
        "For a predictor that does nothing, try --no-predictor.",
    ),
    "beta": (
        lambda x: x <= 1,
        "≤ 1, since beyond 1 the growth rate of a vanishing mode diverges",
        "0 is the plain loss, 1 the isotropic one.",
    ),
    "sigma1": (lambda x: x >= 0, "≥ 0", "It is a standard deviation; 0 is no noise."),
    "sigma2": (lambda x: x >= 0, "≥ 0", "It is a standard deviation; 0 is no noise."),
    "weight_decay": (lambda x: x >= 0, "≥ 0", "0 is no weight decay."),
    "learning_rate": (lambda x: x > 0, "> 0", "Time is learning rate × step; try 0.1."),
}
POSITIVE: Rule = (lambda x: x > 0, "> 0", "Try 1.")
FRACTION: Rule = (lambda x: 0 <= x < 1, "at least 0 and below 1", "Try 0.9.")


def one_spelling(name: str) -> str:
    """A name as Python spells it, NFKC: letters that look alike, as ϵ and ε, are one.

    Every name that a user gives goes through here: in the text of losses and rates, in --param,
    --slice and --parameter.
    """
    return unicodedata.normalize("NFKC", name.strip())


def flag(name: str) -> str:
    """Name of the option on the command line."""
    return "--" + name.replace("_", "-")


def check_is(name: str, value: Any, is_right: bool, what: str) -> None:
    """Refuse an argument that is something else than what it must be.

    Args:
        name: The argument's.
        value: What was given.
        is_right: Whether it looks as it must.
        what: What it must be, such as "what eigendyn.simulate(loss) gives".

    Raises:
        InvalidSetting: It does not.
    """
    if not is_right:
        message = f"{name} must be {what}, not {as_given(value)}."
        raise InvalidSetting(message)


def check_whole(name: str, value: Any, lowest: int) -> int:
    """Take a whole number that is not below the lowest allowed one.

    Raises:
        InvalidSetting: It is not whole, or too small.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < lowest:
        message = f"{flag(name)} must be a whole number ≥ {lowest}, not {value}."
        raise InvalidSetting(message)
    return int(value)


def check_real(name: str, value: Any, rule: Rule) -> float:
    """Take a finite number for which the rule holds.

    Raises:
        InvalidSetting: It is not a number, not finite, or the rule does not hold.
    """
    holds, condition, hint = rule
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    number = float(value) if is_number else math.nan
    if not (math.isfinite(number) and holds(number)):
        given = value if is_number else repr(value)
        message = f"{flag(name)} must be finite and {condition}, not {given}. {hint}"
        raise InvalidSetting(message)
    return number
