"""Read ranges of numbers from text: start:stop:count, equally far apart or by a factor."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eigendyn.errors import InvalidSetting

if TYPE_CHECKING:
    from numpy.typing import NDArray

COUNT = re.compile(r"(\d*)(log)?")
EXAMPLE = "0:0.3:200, or 1e-3:1:50log"


@dataclass(frozen=True)
class Range:
    """Numbers from one to another.

    Args:
        start: The smallest.
        stop: The largest.
        count: How many, both ends among them; None where a design draws them.
        is_log: Whether neighbours have the same ratio, not the same distance.
    """

    start: float
    stop: float
    count: int | None
    is_log: bool = False

    @property
    def values(self) -> NDArray:
        """All of them (count,)."""
        import numpy as np  # here, since the command line reads ranges without it

        spaced = np.geomspace if self.is_log else np.linspace
        return spaced(self.start, self.stop, self.count or 0)

    def at(self, shares: NDArray) -> NDArray:
        """Numbers at these shares of the way from start to stop, from 0 to 1."""
        if self.is_log:
            return self.start * (self.stop / self.start) ** shares
        return self.start + (self.stop - self.start) * shares

    def __str__(self) -> str:
        """Write it as it is read."""
        last = f"{self.count or ''}{'log' * self.is_log}"
        return f"{self.start:.17g}:{self.stop:.17g}" + (f":{last}" if last else "")


def read_range(name: str, text: str) -> Range | None:
    """Read a range; None where the text has no colon, and so is none.

    Args:
        name: What it is a range of.
        text: As "0:0.3:200" (count), "1e-3:1:50log", or of a design "0:0.3" and "1e-3:1:log".

    Raises:
        InvalidSetting: It runs backwards, has no points, or is not written like that.
    """
    if ":" not in text:
        return None
    start, stop, *rest = (part.strip() for part in text.split(":"))
    first, last = _number(start), _number(stop)
    found = COUNT.fullmatch("".join(rest)) if len(rest) < 2 else None
    if first is None or last is None or found is None:
        message = f"A range of `{name}` is start:stop:count, as {EXAMPLE}; not {text!r}."
        raise InvalidSetting(message)
    count, is_log = found.groups()
    given = Range(first, last, int(count) if count else None, is_log is not None)
    return check_range(name, given, text)


def check_range(name: str, given: Range, text: str) -> Range:
    """Check that a range has points, and runs forwards.

    Raises:
        InvalidSetting: It does not.
    """
    if given.start > given.stop or (given.start == given.stop and given.count != 1):
        message = (
            f"A range of `{name}` must run from the smaller number to the larger one, not "
            f"{text}. Try {_swapped(given)}."
        )
        raise InvalidSetting(message)
    if given.count is not None and given.count < (1 if given.start == given.stop else 2):
        message = (
            f"A range of `{name}` needs two points at least, its ends; {text} has {given.count}. "
            f"Try {given.start:g}:{given.stop:g}:11."
        )
        raise InvalidSetting(message)
    if given.is_log and given.start <= 0:
        message = (
            f"Numbers of a range by a factor must be positive; `{name}` begins at {given.start:g}. "
            f"Try {given.stop / 1000:g}:{given.stop:g}:{given.count or ''}log."
        )
        raise InvalidSetting(message)
    return given


def _swapped(given: Range) -> str:
    last = f"{given.count or ''}{'log' * given.is_log}"
    if given.start == given.stop:
        return f"the number {given.start:g} alone"
    return f"{given.stop:g}:{given.start:g}" + (f":{last}" if last else "")


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
