"""Say what one must know of measured data: what was scaled, what has no signal, what is noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from eigendyn.data.inputs import Inputs, grey_level
from eigendyn.data.moments import Aligned

FEW = 5  # components named one by one


def remarks(given: tuple[Inputs, ...], found: Aligned, signal_error: NDArray) -> Iterator[str]:
    """Sentences on what was given and found, the most basic first.

    Args:
        given: Inputs, or both views.
        found: The picture of aligned modes.
        signal_error: Standard error of the signal (components,).
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
    if constant.any():
        yield (
            f"{constant.sum()} of {dimensions} inputs {_are(constant)} the same in all samples: of "
            "themselves, they have no signal."
        )
    without = found.signal == 0
    if without.any():
        yield f"{_named(without)} {'has' if without.sum() == 1 else 'have'} no signal."
    negative = found.signal < 0
    if negative.any():
        deepest = int(found.signal.argmin())
        yield (
            f"{_named(negative)} {_are(negative)} of negative signal, down to "
            f"{found.signal[deepest]:.3g} ± {signal_error[deepest]:.1g}: the views are "
            "anticorrelated there, or too few to tell. No mode can grow along "
            f"{'it' if negative.sum() == 1 else 'them'}."
        )


def _are(which: NDArray) -> str:
    return "is" if which.sum() == 1 else "are"


def _named(which: NDArray) -> str:
    """Components by number, consecutive ones as a range."""
    places = np.flatnonzero(which)
    if len(places) == 1:
        return f"Component {places[0]}"
    if len(places) == places[-1] - places[0] + 1:
        return f"Components {places[0]} to {places[-1]}"
    more = f" and {len(places) - FEW} more" if len(places) > FEW else ""
    return f"Components {', '.join(map(str, places[:FEW]))}{more}"
