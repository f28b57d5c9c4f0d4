"""Give the numbers of every mode, with intervals, where modes have some for themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.likelihood import Likelihood
from eigendyn.fitting.numbers import NAMES, NOISE1, NOISE2, TIME_SCALE, to_values
from eigendyn.fitting.readings import Seen
from eigendyn.fitting.search import Found
from eigendyn.fitting.told import scales

OF_MODES = (TIME_SCALE, NOISE1, NOISE2)
OF_MODE_NAMES = tuple(NAMES[row] for row in OF_MODES)
ENDS = 1.959964 * np.array([0.0, -1.0, 1.0])  # value and ends of a 95 % interval, in deviations
DRAWN = 63  # sets of numbers beside the likeliest
LOOSE = 1.0  # standard deviation of ln of a number that the record does not tell
AT_THE_END = ("mean", "variance", "response", "shift", "doubt")


def known_at_the_end(likelihood: Likelihood, places: NDArray) -> dict[str, NDArray]:
    """What the filter knows of modes after the last recording, by name (places, …).

    Args:
        likelihood: Of the record.
        places: Coordinates (places, numbers).
    """
    parts = likelihood.filtered(places)
    return {
        name: np.concatenate([getattr(part, name)[:, -1] for part in parts])[: len(places)]
        for name in AT_THE_END
    }


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
    modal, around = likelihood.kind.modal, likelihood.readings.around
    places = drawn(found, np.random.default_rng(seed))
    last = known_at_the_end(likelihood, places)
    values = to_values(places)
    numbers = np.full((len(OF_MODES), seen.modes, 3), np.nan)
    for row, number in enumerate(OF_MODES):
        numbers[row, :, 0] = values[0, number]
        if number in modal:
            at, excess = modal.index(number), float(number != TIME_SCALE)
            logs = around[at] + last["shift"][:, at]
            spread = np.sqrt(logs[1:].var(axis=0) + last["doubt"][:, at, at].mean(axis=0))
            numbers[row] = excess + np.exp(logs[0, :, None] + spread[:, None] * ENDS)
        elif number != TIME_SCALE:
            given = seconds[row - 1]
            numbers[row, :, 0] = np.where(np.isnan(given), values[0, number], given)
    return numbers


def drawn(found: Found, rng: np.random.Generator) -> NDArray:
    """The likeliest coordinates, and others that are about as likely (1 + DRAWN, numbers)."""
    best, likelihood = found.optimum, found.likelihood
    free = np.flatnonzero(found.candidate.free)
    scale = LOOSE * scales(best.place)[free]
    information = best.local.information[np.ix_(free, free)] + np.diag(scale**-2)
    root = np.linalg.cholesky(np.linalg.inv(information))
    places = np.repeat(best.place[None], 1 + DRAWN, axis=0)
    places[1:, free] += rng.normal(size=(DRAWN, len(free))) @ root.T
    return np.clip(places, likelihood.low, likelihood.high)
