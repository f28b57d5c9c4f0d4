"""Say at which recordings a sign of health or of trouble is seen.

Every sign is a function of what is seen that returns a truth for every recording. A variance is
lost for good where it falls beyond doubt, and its fall, slowing down as it does, would end below
`LOST` of its largest value; a fall to a fixed point slows down before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigendyn.recording.seen import LEAST, Seen
from eigendyn.recording.trend import Trend

LOST = 0.2  # of its largest, below which a variance that falls is lost
GONE = 0.01  # of its largest, below which it is gone
BEGUN = 0.97  # of its largest, below which the whole variance has begun to fall …
BEHIND = 0.6  # … and a single mode, whose share scatters more
MUCH = 0.1  # change of ln v by the rate of now over the whole record, from which on it moves
CONSTANT = 0.999  # of E‖z‖² that the mean has of a constant representation
NO_NOISE = 1e-6  # over the variance, at which views are the same
STILL = 0.02  # change of ln v within which nothing has moved
SEVERAL = 0.5  # of the modes that matter
STOPPED = 0.01  # of the largest learning rate
SWING = 0.7  # of ln v, a swing at least: less is what steps of descent scatter by
TURNS = 3  # of that size among the last recordings …
LOOKED = 24  # … so many, of a spectrum that oscillates
FRESH = 8  # recordings before which a spectrum that has not moved may move still


def constant(seen: Seen) -> NDArray:
    """Every input has the same representation."""
    return np.logical_or(seen.mean_share >= CONSTANT, seen.total <= LEAST)


def dying(seen: Seen) -> NDArray:
    """Modes that matter and are lost for good, against the largest too (modes, times)."""
    falls = _is_lost(seen.of_modes, seen.variance, seen.peak, BEHIND)
    share = seen.share
    highest = np.maximum.accumulate(share, axis=1)
    behind = _is_lost(seen.of_shares, share, highest, BEHIND)
    moves = -seen.of_modes.rate * seen.passed > MUCH
    return seen.matters & falls & behind & moves & ~gone(seen)


def gone(seen: Seen) -> NDArray:
    """Modes that mattered, and of which nothing is left beside the largest (modes, times)."""
    highest = np.maximum.accumulate(seen.share, axis=1)
    return seen.matters & (seen.variance < GONE * seen.peak) & (seen.share < GONE * highest)


def collapse(seen: Seen) -> NDArray:
    """The whole variance is lost for good or gone, or most of the modes that matter are."""
    whole = np.zeros(len(seen.times), bool)
    if not seen.scale_free:
        peak = np.maximum.accumulate(seen.total)
        whole = _is_lost(seen.of_total, seen.total, peak, BEGUN)[0]
        whole &= -seen.of_total.rate[0] * seen.passed > MUCH
        whole |= seen.total < GONE * peak
    lost = np.asarray((dying(seen) | gone(seen)).sum(axis=0))
    are_most = (lost > 0) & (lost >= SEVERAL * seen.matters.sum(axis=0))
    return np.logical_or(whole, are_most)


def losing_modes(seen: Seen) -> NDArray:
    """Some modes that matter are lost for good or gone."""
    return np.asarray((dying(seen) | gone(seen)).any(axis=0))


def oscillating(seen: Seen) -> NDArray:
    """Half of the modes that matter rise and fall again and again."""
    found = np.zeros(len(seen.times), bool)
    if len(found) < LOOKED:
        return found
    logs = np.log(np.maximum(seen.variance, LEAST))
    size = np.maximum(SWING, 4 * seen.error)
    window = np.lib.stride_tricks.sliding_window_view(logs, LOOKED, axis=1)
    turns = _turns(window, size[:, LOOKED - 1 :])
    matter = seen.matters[:, LOOKED - 1 :]
    often = ((turns >= TURNS) & matter).sum(axis=0)
    found[LOOKED - 1 :] = (often > 0) & (often >= SEVERAL * matter.sum(axis=0))
    return found


def same_views(seen: Seen) -> NDArray:
    """Both views have the same representation."""
    return seen.noise < NO_NOISE


def stopped(seen: Seen) -> NDArray:
    """The learning rate has gone to zero."""
    return seen.learning_rate < STOPPED


def frozen(seen: Seen) -> NDArray:
    """No mode has moved since the first recording."""
    logs = np.log(np.maximum(seen.variance, LEAST))
    moved = np.abs(logs - logs[:, :1]) > np.maximum(STILL, 3 * seen.error)
    ever = np.logical_or.accumulate((moved & seen.matters).any(axis=0))
    return ~ever & (np.arange(len(ever)) >= FRESH)


def recruiting(seen: Seen) -> NDArray:
    """A mode rises, and with it the rank or the whole variance."""
    moves = seen.of_modes.rate * seen.passed > MUCH
    rising = (seen.of_modes.rises & moves & seen.matters).any(axis=0)
    return rising & (seen.of_rank.rises[0] | seen.of_total.rises[0])


def settled(seen: Seen) -> NDArray:
    """No mode that matters moves any more, by what it would do in all the time recorded."""
    rate = np.abs(seen.of_modes.rate)
    moves = (rate * seen.passed > MUCH) & (seen.of_modes.falls | seen.of_modes.rises)
    return ~(moves & seen.matters).any(axis=0) & always(seen)


def always(seen: Seen) -> NDArray:
    """At every recording whose rates are known."""
    return np.isfinite(seen.of_total.rate[0])


def _is_lost(of: Trend, value: NDArray, peak: NDArray, begun: float) -> NDArray:
    return of.falls & (value * of.end < LOST * peak) & (value < begun * peak)


def _turns(values: NDArray, size: NDArray) -> NDArray:
    """How often curves (…, times) turn, where what is smaller than a size (…) is no turn."""
    count = np.zeros(size.shape, int)
    direction = np.zeros(size.shape, int)
    extreme = values[..., 0]
    for value in np.moveaxis(values[..., 1:], -1, 0):
        turns = ((direction >= 0) & (value < extreme - size)).astype(int)
        turns -= (direction <= 0) & (value > extreme + size)
        further = direction * (value - extreme) > 0
        count += np.abs(turns)
        extreme = np.where((turns != 0) | further, value, extreme)
        direction = np.where(turns != 0, -turns, direction)
    return count
