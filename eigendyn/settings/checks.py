"""Check the names and numbers that users give, and say what must hold of them.

Standard library only.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, NamedTuple

from eigendyn.errors import InvalidSetting, as_given


class Domain(NamedTuple):
    """What a number may be.

    Args:
        holds: True for a valid value.
        words: The same in words, such as "> 0".
        assumption: What sympy may assume of it: "positive", "nonnegative" or "real".
    """

    holds: Callable[[float], bool]
    words: str
    assumption: str = "real"


POSITIVE = Domain(lambda x: x > 0, "> 0", "positive")
NONNEGATIVE = Domain(lambda x: x >= 0, "≥ 0", "nonnegative")
FRACTION = Domain(lambda x: 0 <= x < 1, "at least 0 and below 1", "nonnegative")
SHARE = Domain(lambda x: 0 < x < 1, "between 0 and 1", "positive")


def one_spelling(name: str) -> str:
    """A name as Python spells it, NFKC: letters that look alike, as ϵ and ε, are one.

    Every name that a user gives goes through here: in the text of losses and rates, in --param,
    --slice and --parameter.
    """
    return unicodedata.normalize("NFKC", name.strip())


def numbers_of(value: Any) -> list[Any] | None:
    """What a list or array holds, as Python's numbers; None of anything else."""
    if not isinstance(value, str) and hasattr(value, "tolist"):
        value = value.tolist()
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else None


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
        message = f"`{name}` must be a whole number ≥ {lowest}, not {value}."
        raise InvalidSetting(message)
    return int(value)


def check_real(name: str, value: Any, domain: Domain, hint: str = "Try 1.") -> float:
    """Take a finite number of a domain.

    Args:
        name: What it is the value of.
        value: What was given.
        domain: What it may be.
        hint: What to try in its place.

    Raises:
        InvalidSetting: It is not a number, not finite, or not of the domain.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    number = float(value) if is_number else math.nan
    if not (math.isfinite(number) and domain.holds(number)):
        given = value if is_number else repr(value)
        message = f"`{name}` must be finite and {domain.words}, not {given}. {hint}"
        raise InvalidSetting(message)
    return number
