"""Take the mean over seeds with its standard error, write it, and tell it from zero."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from eigendyn.show.report.layout import number

CHANCE = 0.025  # with which a mean of zero is taken for one above zero, and likewise below
NOTHING = 1e-9  # of a mean, up to which its error is round-off
NOT_KNOWN = "–"


class Mean(NamedTuple):
    """A mean over seeds, its standard error (NaN of a single seed), and how many seeds there were.

    Seeds at which nothing was measured are left out.
    """

    value: float
    error: float
    seeds: int

    @classmethod
    def of(cls, values: ArrayLike) -> Mean:
        """Take it of the values of every seed (seeds,)."""
        known = np.asarray(values, float)
        known = known[np.isfinite(known)]
        if not known.size:
            return cls(math.nan, math.nan, 0)
        spread = known.std(ddof=1) / math.sqrt(known.size) if known.size > 1 else math.nan
        return cls(float(known.mean()), float(spread), known.size)

    @property
    def sign(self) -> int:
        """Whether it is above zero (1), below (-1), or not told from zero (0), by Student's t.

        Of differences that is the paired test. A single seed has no error, and its own sign.
        """
        if not self.seeds:
            return 0
        rounded = NOTHING * abs(self.value)
        wide = float(stdtrit(self.seeds - 1, 1 - CHANCE)) * self.error if self.seeds > 1 else 0.0
        return int(np.sign(self.value)) if abs(self.value) > max(wide, rounded) else 0

    @property
    def plain(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return {"mean": number(self.value), "error": number(self.error), "seeds": self.seeds}

    def told(self, unit: float = 1.0) -> str:
        """Write it, in units of `unit`, such as "98.1 ± 0.2", to the first digit of its error."""
        value, error = self.value / unit, self.error / unit
        if not self.seeds:
            return NOT_KNOWN
        if not math.isfinite(error):
            return f"{value:.3g}"
        if error <= NOTHING * abs(value):
            return f"{value:.4g} ± 0"
        digits = max(-math.floor(math.log10(error)), 0)
        return f"{value:.{digits}f} ± {error:.{digits}f}"


def plain(value: Any) -> Any:
    """What JSON can hold of a number, a mean or text."""
    if isinstance(value, Mean):
        return value.plain
    return number(value) if isinstance(value, float) else value


def shown(value: Any) -> str:
    """Write a number, a mean or text."""
    if isinstance(value, Mean):
        return value.told()
    return f"{value:.3g}" if isinstance(value, float) else str(value)
