"""Search for the likeliest numbers of a loss, with micro-steps as fine as the record needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eigendyn.fitting.candidate import Candidate
from eigendyn.fitting.likelihood import Likelihood
from eigendyn.fitting.numbers import (
    LEAST,
    LOGS,
    NUMBERS,
    PROCESS,
    READING,
    first_box,
    to_coordinates,
)
from eigendyn.fitting.optimum import Optimum, optimum
from eigendyn.fitting.persistence import Persistence, persistence
from eigendyn.fitting.readings import Seen

STARTS = 64  # points at which the likelihood is looked at first …
TRIED = 6  # … the best of which are descended from
SAME = 0.1  # of −ln likelihood, by which finer steps may change it
FINEST = 16


@dataclass(frozen=True)
class Found:
    """The likeliest numbers of a loss.

    Args:
        candidate: The loss.
        likelihood: Of the record under it.
        optimum: Where it is largest.
    """

    candidate: Candidate
    likelihood: Likelihood
    optimum: Optimum

    @property
    def persistence(self) -> Persistence:
        """What prediction errors have in common with those one recording later."""
        (part,) = self.likelihood.filtered(self.optimum.place[None])
        is_read = np.isfinite(np.asarray(self.likelihood.readings.errors))
        at = is_read.any(axis=1)
        innovation, spread, mean = (
            np.asarray(row)[0][at] for row in (part.innovation, part.spread, part.mean)
        )
        return persistence(innovation, spread, mean, is_read[at])


def search(one: Candidate, seen: Seen) -> Found:
    """Fit a loss to a record from many starts."""
    likelihood = one.likelihood(seen, rough=True)
    starts = _starts(one, seen)
    values = likelihood.values(starts)
    best = optimum(likelihood, starts[np.argsort(values)[:TRIED]], one.free)
    best = optimum(likelihood, _other_noises(best.place, starts), one.free)
    if one.is_averaged:
        likelihood = one.likelihood(seen)
        best = optimum(likelihood, best.place[None], one.free)
    finer = 1
    while finer < FINEST:
        finer *= 2
        closer = one.likelihood(seen, finer=finer)
        if abs(closer.values(best.place[None])[0] - best.local.value) < SAME:
            break
        likelihood = closer
        best = optimum(likelihood, best.place[None], one.free)
    return Found(one, likelihood, best)


def _starts(one: Candidate, seen: Seen) -> np.ndarray:
    """Coordinates (starts, 7) that fill the box evenly; what is not free has its value."""
    from scipy.stats import qmc

    low, high = first_box(seen.rate, seen.has_error)
    places = qmc.scale(qmc.Sobol(len(NUMBERS), seed=0).random(STARTS), low, high)
    fixed = to_coordinates(np.maximum(one.fixed, LEAST))
    fixed = np.where(LOGS, fixed, one.fixed)
    places[::2, PROCESS] = low[PROCESS]  # half of them take trajectories to be nearly exact
    return np.where(one.free, places, fixed)


def _other_noises(place: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The same numbers with all noise in the weights, with all of it in recordings, and as it is.

    Either can stand for the other for a while, so that a search may end at the wrong one.
    """
    places = np.repeat(place[None], 3, axis=0)
    low, high = starts.min(axis=0), starts.max(axis=0)
    places[1, [PROCESS, READING]] = low[PROCESS], high[READING]
    places[2, [PROCESS, READING]] = high[PROCESS], low[READING]
    return places
