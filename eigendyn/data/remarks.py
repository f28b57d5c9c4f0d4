"""Say what one must know of measured data: what was scaled, what has no signal, what is noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from eigendyn.data.inputs import Inputs, grey_level
from eigendyn.data.moments import Aligned

FEW = 5  # components named one by one
ROUNDING = 1e-12  # of the largest signal
ANTICORRELATED = "the views are anticorrelated there, or samples too few to tell; no mode can grow"
BELOW_COMMON = (
    "that view varies less there than both views together, or samples are too few to tell"
)


def remarks(
    given: tuple[Inputs, ...], found: Aligned, errors: Mapping[str, NDArray]
) -> Iterator[str]:
    """Sentences on what was given and found, the most basic first.

    Args:
        given: Inputs, or both views.
        found: The picture of aligned modes.
        errors: Standard errors (components,) of "signal", "noise1" and "noise2".
    """
    inputs = given[0]
    samples, dimensions = inputs.values.shape
    if inputs.divisor > 1:
        yield f"Images of whole numbers were divided by {inputs.divisor}, to 0…1."
    elif len(inputs.shape) == 1 and grey_level(inputs.values) in (16, 255):
        yield (
            f"Inputs are whole numbers from 0 to {inputs.values.max():.0f} and were taken as they "
            "are; if they are images, give `shape`, so that they are scaled to 0…1."
        )
    if samples < dimensions:
        yield (
            f"There are fewer samples than dimensions, {samples} < {dimensions}: at most "
            f"{samples - 1} components have signal, and the leading ones seem larger than they "
            "are. More samples would tell."
        )
    constant = np.logical_and.reduce([np.ptp(one.values, axis=0) == 0 for one in given])
    if constant.sum() == 1:
        yield f"1 of {dimensions} inputs is the same in all samples, and has no signal of its own."
    elif constant.any():
        yield (
            f"{constant.sum()} of {dimensions} inputs are the same in all samples, and have no "
            "signal of their own."
        )
    without = found.signal == 0
    if without.any():
        yield f"{_named(without)} {_have(without)} no signal."
    for name, what, means in (
        ("signal", "signal", ANTICORRELATED),
        ("noise1", "noise in the first view", BELOW_COMMON),
        ("noise2", "noise in the second view", BELOW_COMMON),
    ):
        values = getattr(found, name)
        if (negative := values < -ROUNDING * np.abs(found.signal).max()).any():
            deepest = int(values.argmin())
            yield (
                f"{_named(negative)} {_have(negative)} negative {what}, down to "
                f"{values[deepest]:.3g} ± {errors[name][deepest]:.1g}: {means}."
            )


def _have(which: NDArray) -> str:
    return "has" if which.sum() == 1 else "have"


def _named(which: NDArray) -> str:
    """Components by number, consecutive ones as a range."""
    places = np.flatnonzero(which)
    if len(places) == 1:
        return f"Component {places[0]}"
    if len(places) == places[-1] - places[0] + 1:
        return f"Components {places[0]} to {places[-1]}"
    more = f" and {len(places) - FEW} more" if len(places) > FEW else ""
    return f"Components {', '.join(map(str, places[:FEW]))}{more}"
