"""Give the numbers of every mode, with intervals, where modes have some for themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.drawn import drawn
from eigendyn.fitting.numbers import NAMES, NOISE1, NOISE2, TIME_SCALE, to_values
from eigendyn.fitting.readings import Seen
from eigendyn.fitting.search import Found

OF_MODES = (TIME_SCALE, NOISE1, NOISE2)
OF_MODE_NAMES = tuple(NAMES[row] for row in OF_MODES)
ENDS = 1.959964 * np.array([0.0, -1.0, 1.0])  # value and ends of a 95 % interval, in deviations


def numbers_of_modes(found: Found, seen: Seen, seed: int = 0) -> NDArray:
    """A, c₁ and c₂ of every mode: likeliest, and 95 % intervals where modes differ (3, modes, 3).

    Intervals are those of logarithms, from what a mode's own recordings leave open and from how its
    number changes with the shared ones. Noises that are given are those of the last recording.

    Args:
        found: The fit.
        seen: What was fitted.
        seed: Of what is drawn.
    """
    likelihood, seconds = found.likelihood, found.candidate.seconds(seen)[..., -1]
    modal, around = likelihood.kind.modal, likelihood.numbers_of_modes
    values = to_values(found.optimum.place)
    numbers = np.full((len(OF_MODES), seen.modes, 3), np.nan)
    for row, number in enumerate(OF_MODES):
        numbers[row, :, 0] = values[number]
        if number != TIME_SCALE:
            given = seconds[row - 1]
            numbers[row, :, 0] = np.where(np.isnan(given), values[number], given)
    if not modal:
        return numbers
    known = likelihood.filtered(drawn(found, np.random.default_rng(seed))).known
    shift, doubt = np.asarray(known.shift), np.asarray(known.doubt)
    for at, number in enumerate(modal):
        logs = around[at] + shift[:, at]
        spread = np.sqrt(logs[1:].var(axis=0) + doubt[:, at, at].mean(axis=0))
        excess = float(number != TIME_SCALE)
        own = excess + np.exp(logs[0, :, None] + spread[:, None] * ENDS)
        numbers[OF_MODES.index(number)] = own
    return numbers
