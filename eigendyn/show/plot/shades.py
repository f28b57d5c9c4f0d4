"""Give colours to values: a few of them each its own, many a scale with a bar beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, ListedColormap, LogNorm, Normalize
from numpy.typing import NDArray

from eigendyn.settings.choices import LOSS_ROWS

FEW = 8  # values up to which each has its own colour, and stands in a legend
DECADES = 6  # of a scale below its largest value
CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
OUTCOMES: Mapping[str, str] = MappingProxyType(  # blue is alive, red to yellow lost, grey unknown
    {
        "recruited": "#1b5e97",
        "relaxed": "#6aaed6",
        "growing": "#2a9d8f",
        "recovering": "#a8dadc",
        "stationary": "#b8b8c8",
        "reduced": "#e9d8a6",
        "fading": "#f0b25e",
        "shrinking": "#e07a3f",
        "collapsed": "#a4262c",
        "unknown": "#cfcfcf",
        "not-run": "#f4f4f4",
    }
)
NAMED = {**OUTCOMES, **{name: row.colour for name, row in LOSS_ROWS.items()}}


def colours() -> ListedColormap:
    """Viridis without its brightest end, which fades on white."""
    return ListedColormap(matplotlib.colormaps["viridis"](np.linspace(0, 0.9, 256)))


@dataclass(frozen=True)
class Shades:
    """Colours of values.

    Args:
        own: By value, its own colour, where there are few values; none where there is a scale.
        colormap: Of the scale.
        norm: Of the scale: from values to places on it.
    """

    own: Mapping[Any, Any]
    colormap: Colormap
    norm: Normalize

    def __call__(self, value: Any) -> Any:
        """The colour of a value."""
        return self.own[value] if self.own else self.colormap(self.norm(value))


def shades_of(values: Sequence[Any]) -> Shades:
    """Choose colours for the values, words or numbers, that lines or areas have."""
    distinct = list(dict.fromkeys(values))
    if any(isinstance(one, str) for one in distinct):
        words = [one for one in OUTCOMES if one in distinct]
        words += [one for one in distinct if one not in words]
        return Shades(_own_of_words(words), colours(), Normalize())
    numbers = np.array(sorted(one for one in distinct if np.isfinite(one)))
    if len(distinct) <= FEW:
        shades = colours()(np.linspace(0, 1, max(len(numbers), 2)))
        own = dict(zip(numbers.tolist(), shades, strict=False))
        own |= {one: "0.7" for one in distinct if not np.isfinite(one)}
        return Shades(own, colours(), Normalize())
    return Shades({}, colours(), scale(numbers))


def _own_of_words(words: Sequence[str]) -> dict[str, Any]:
    if len(words) > FEW and not set(words) <= set(NAMED):
        every = colours()(np.linspace(0, 1, len(words)))
        return dict(zip(words, every, strict=True))
    if set(words) <= set(NAMED):
        return {word: NAMED[word] for word in words}
    return {word: CYCLE[place % len(CYCLE)] for place, word in enumerate(words)}


def scale(numbers: NDArray) -> Normalize:
    """A scale of numbers: logarithmic where they are positive and span decades."""
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return Normalize(0, 1)
    low, high = float(finite.min()), float(finite.max())
    if spans_decades(finite):
        return LogNorm(max(low, high / 10**DECADES), high)
    return Normalize(low, high if high > low else low + 1)


def spans_decades(numbers: NDArray) -> bool:
    """Whether numbers are positive, and the largest is a hundred times the smallest."""
    finite = numbers[np.isfinite(numbers)]
    return len(finite) > 1 and bool(finite.min() > 0) and bool(finite.max() >= 100 * finite.min())


def is_log_spaced(places: NDArray) -> bool:
    """Whether places (places,) are equally far apart in their logarithms, and not in themselves."""
    if len(places) < 3 or places.dtype.kind in "UOTb" or not (places > 0).all():
        return False
    steps, ratios = np.diff(places), np.diff(np.log(places))
    is_even = np.ptp(ratios) < 1e-6 * abs(ratios).max()
    return bool(is_even and np.ptp(steps) > 1e-3 * abs(steps).max())
