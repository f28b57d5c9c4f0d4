"""Search for the likeliest numbers of a loss, with micro-steps as fine as the record needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eigendyn.fitting.candidate import Candidate
from eigendyn.fitting.likelihood import Likelihood, Local
from eigendyn.fitting.numbers import (
    LEAST,
    LOGS,
    NUMBERS,
    PROCESS,
    READING,
    SPREADS,
    TIME_SCALE,
    first_box,
    to_coordinates,
    to_values,
)
from eigendyn.fitting.optimum import Optimum, optimum
from eigendyn.fitting.persistence import Persistence, persistence
from eigendyn.fitting.readings import Seen

STARTS = 64  # points at which the likelihood is looked at first …
TRIED = 6  # … the best of which are descended from
FEW = 100  # recordings that are looked at in this, at most
SAME = 0.1  # of −ln likelihood, by which finer steps may change it
FINEST = 16
FIRST_NOISE = 0.05  # c₁ − 1 of modes, at least, at first
FIRST_SPREADS = (0.1, 0.5)  # over modes, at first
CLOSE = 0.1  # of its doubt, by which a number of a mode may still move
WHOLE = 3  # of these times that go all the way
LONGEST = 0.7  # change of its logarithm at once
AGAIN = 12  # times that everything is made linear around new numbers


@dataclass(frozen=True)
class Found:
    """The likeliest numbers of a loss.

    Args:
        candidate: The loss.
        likelihood: Of the record under it.
        optimum: Where it is largest.
        finer: How many times as many micro-steps as were thought enough.
        is_followed: Whether they are short enough; else the search has not converged.
    """

    candidate: Candidate
    likelihood: Likelihood
    optimum: Optimum
    finer: int = 1
    is_followed: bool = True

    @property
    def persistence(self) -> Persistence:
        """What prediction errors have in common with those one recording later."""
        found = self.likelihood.filtered(self.optimum.place[None])
        is_read = np.isfinite(np.asarray(self.likelihood.readings.steps.errors))
        at = is_read.any(axis=1)
        innovation, spread, mean = (
            np.asarray(row)[0][at] for row in (found.innovation, found.spread, found.mean)
        )
        return persistence(innovation, spread, mean, is_read[at])


def search(one: Candidate, seen: Seen) -> Found:
    """Find numbers that all modes share, from many starts, by micro-steps thought enough."""
    found = _search_shared(one.shared, seen)
    return replace(found, candidate=one)


def completed(found: Found, seen: Seen) -> Found:
    """Go on with micro-steps as fine as need be, and with numbers per mode from shared ones."""
    one = found.candidate
    alike = _followed_closely(replace(found, candidate=one.shared), seen)
    return _search_per_mode(one, seen, alike) if one.modal else replace(alike, candidate=one)


def search_on(found: Found, place: np.ndarray, seen: Seen) -> Found:
    """Go on from numbers (numbers,) under which the record is likelier than it was found to be."""
    best = optimum(found.likelihood, place[None], found.candidate.free)
    return _followed_closely(_made_linear(replace(found, optimum=best)), seen)


def _search_shared(one: Candidate, seen: Seen) -> Found:
    """Find numbers that all modes share."""
    likelihood = one.likelihood(seen.thinned(FEW), rough=True)
    starts = _starts(one, seen)
    values = likelihood.values(starts)
    best = optimum(likelihood, starts[np.argsort(values)[:TRIED]], one.free)
    likelihood = one.likelihood(seen, rough=True)
    best = optimum(likelihood, _other_noises(best.place, starts), one.free)
    if one.is_averaged:
        likelihood = one.likelihood(seen)
        best = optimum(likelihood, best.place[None], one.free)
    return Found(one, likelihood, best)


def _followed_closely(found: Found, seen: Seen) -> Found:
    """Take finer micro-steps until these change nothing; else a search has not converged."""
    one, around = found.candidate, found.likelihood.numbers_of_modes
    while True:
        finer, best = 2 * found.finer, found.optimum
        closer = one.likelihood(seen, around, finer=finer)
        if abs(closer.values(best.place[None])[0] - best.local.value) < SAME:
            return found
        if finer > FINEST:
            return replace(found, optimum=replace(best, converged=False), is_followed=False)
        found = Found(one, closer, optimum(closer, best.place[None], one.free), finer)


def _search_per_mode(one: Candidate, seen: Seen, alike: Found) -> Found:
    """Let modes have numbers of their own, from where all have the same.

    Everything is linear around the numbers of modes. By Gauss–Newton steps these become the
    likeliest ones, however far they lie from the shared ones. Where they have not become likelier
    than the shared ones, which they could all be, they are these.
    """
    place = alike.optimum.place
    shared = [to_values(place)[row] - (row != TIME_SCALE) for row in one.modal]
    around = np.log(np.maximum(shared, FIRST_NOISE))[:, None] * np.ones(seen.modes)
    likelihood = one.likelihood(seen, around, finer=alike.finer)
    starts = np.concatenate([_with_spread(one, place, spread) for spread in FIRST_SPREADS])
    found = Found(one, likelihood, optimum(likelihood, starts, one.free), alike.finer)
    found = _followed_closely(_made_linear(found), seen)
    if found.optimum.local.value < alike.optimum.local.value + SAME:
        return found
    place = np.where(one.free & ~alike.candidate.free, likelihood.low, place)
    at = Local(*(part[0] for part in likelihood.around(place[None], one.free)))
    best = Optimum(place, at, alike.optimum.converged, alike.optimum.rounds)
    return Found(one, likelihood, best, alike.finer)


def _with_spread(one: Candidate, place: np.ndarray, spread: float) -> np.ndarray:
    """Coordinates of shared numbers with a spread, and with less noise, which may stand for it."""
    places = np.repeat(place[None], 2, axis=0)
    places[:, [SPREADS[row] for row in one.modal]] = np.log(spread)
    places[1, PROCESS] -= np.log(100)
    return places


def _made_linear(found: Found) -> Found:
    """Make everything linear around the numbers of modes, until these stay."""
    for turn in range(AGAIN if found.candidate.modal else 0):
        found, moved = _again_linear(found, 1.0 if turn < WHOLE else 0.5)
        if moved <= CLOSE:
            break
    return found


def _again_linear(found: Found, share: float) -> tuple[Found, float]:
    """Make everything linear around the numbers of modes that are found, and search on.

    Args:
        found: What was found before.
        share: Of the way to go, since whole steps may go to and fro.

    Returns:
        What is found then; how far the numbers of modes have moved, in units of their doubt.
    """
    likelihood, best = found.likelihood, found.optimum
    known = likelihood.filtered(best.place[None]).known
    shift = share * np.clip(np.asarray(known.shift)[0], -LONGEST, LONGEST)
    doubt = np.sqrt(np.maximum(np.einsum("kkm->km", np.asarray(known.doubt)[0]), 0))
    likelihood = likelihood.linear_around(likelihood.numbers_of_modes + shift)
    best = optimum(likelihood, best.place[None], found.candidate.free)
    moved = float((np.abs(shift) / np.maximum(doubt, 1e-12)).max())
    return replace(found, likelihood=likelihood, optimum=best), moved


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
