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
from eigendyn.fitting.readings import Seen

STARTS = 64  # points at which the likelihood is looked at first …
TRIED = 6  # … the best of which are descended from
SAME = 0.1  # of −ln likelihood, by which finer steps may change it
FINEST = 16
CLOSE = 0.1  # of its doubt, by which a mode's deviation may still move
AGAIN = 12  # times that everything is made linear around new deviations


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
    def persistence(self) -> float:
        """Correlation of prediction errors with those one recording later: 0 if a theory holds."""
        (part,) = self.likelihood.filtered(self.optimum.place[None])
        is_read = np.isfinite(np.asarray(self.likelihood.readings.errors)).any(axis=1)
        errors = (part.innovation[0] / np.sqrt(part.spread[0]))[is_read]
        total = float((errors**2).sum())
        return float((errors[1:] * errors[:-1]).sum()) / total if total > 0 else 0.0


def search(one: Candidate, seen: Seen) -> Found:
    """Fit a loss to a record from many starts."""
    likelihood = one.likelihood(seen, rough=True)
    starts = _starts(one, seen)
    values = likelihood.values(starts)
    best = optimum(likelihood, starts[np.argsort(values)[:TRIED]], one.free)
    best = optimum(likelihood, _other_noises(best.place, starts), one.free)
    likelihood, best = _around(likelihood, best, one)
    if one.is_averaged:
        likelihood = one.likelihood(seen, likelihood.readings.around)
        best = optimum(likelihood, best.place[None], one.free)
        likelihood, best = _around(likelihood, best, one)
    finer = 1
    while finer < FINEST:
        finer *= 2
        closer = one.likelihood(seen, likelihood.readings.around, finer=finer)
        if abs(closer.values(best.place[None])[0] - best.local.value) < SAME:
            break
        likelihood = closer
        best = optimum(likelihood, best.place[None], one.free)
        likelihood, best = _around(likelihood, best, one)
    return Found(one, likelihood, best)


def _around(
    likelihood: Likelihood, best: Optimum, one: Candidate
) -> tuple[Likelihood, Optimum]:
    """Make everything linear around the deviations that are found, until these stay.

    They are then the likeliest ones, however far from zero: Gauss–Newton steps.
    """
    for _ in range(AGAIN if one.modal else 0):
        (found,) = likelihood.filtered(best.place[None])
        shift, doubt = found.shift[0, -1], found.doubt[0, -1]
        likelihood = likelihood.around_deviations(likelihood.readings.around + shift)
        best = optimum(likelihood, best.place[None], one.free)
        deviations = np.sqrt(np.maximum(np.einsum("kkm->km", doubt), 0))
        if (np.abs(shift) <= CLOSE * deviations).all():
            break
    return likelihood, best


def _starts(one: Candidate, seen: Seen) -> np.ndarray:
    """Coordinates (starts, numbers) that fill the box evenly; what is not free has its value."""
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
