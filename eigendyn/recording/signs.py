"""Say at which recordings a sign of health or of trouble is seen.

Every sign is a function of what is seen that returns a truth for every recording. A variance is
lost for good where it falls beyond doubt, and its fall, slowing down as it does, would end below
`LOST` of its largest value; a fall to a fixed point slows down before.
"""

from __future__ import annotations

from functools import lru_cache  # several verdicts and their reasons look at the same signs

import numpy as np
from numpy.typing import NDArray

from eigendyn.recording.sampling import LEAST
from eigendyn.recording.seen import MATTERS, Seen
from eigendyn.recording.trend import Trend, beyond_chance

GONE = 0.01  # of its largest, below which it is gone
MUCH = 0.1  # change of ln v by the rate of now over the whole record, from which on it moves
CONSTANT = 0.999  # of E‖z‖² that the mean has of a constant representation
NO_NOISE = 1e-6  # over the variance, at which views are the same
STILL = 0.02  # change of ln v within which nothing has moved
SEVERAL = 0.5  # of the modes that matter
AROUND = 5  # recordings that are averaged where two times are compared
STOPPED = 0.01  # of the largest learning rate
SWING = 0.7  # of ln v, a swing at least: less is what steps of descent scatter by
TURNS = 3  # of that size among the last recordings …
LOOKED = 24  # … so many, of a spectrum that oscillates
FRESH = 8  # recordings before which a spectrum that has not moved may move still


def constant(seen: Seen) -> NDArray:
    """Every input has the same representation."""
    return np.logical_or(seen.mean_share >= CONSTANT, seen.total <= LEAST)


@lru_cache(maxsize=1)
def dying(seen: Seen) -> NDArray:
    """Modes that matter and are lost for good, as are their shares (modes, times).

    Where the whole variance has grown since a mode was largest, it hands its variance on to others.
    """
    moves = -seen.of_modes.rate * seen.passed > MUCH
    found = seen.of_modes.lost & seen.of_shares.lost & moves & _fewer(seen)
    return seen.matters & found & ~_has_grown(seen, _place_of_largest(seen.variance)) & ~gone(seen)


@lru_cache(maxsize=1)
def gone(seen: Seen) -> NDArray:
    """Modes that mattered, and of which nothing is left beside the others (modes, times)."""
    highest = np.maximum.accumulate(seen.share, axis=1)
    most = seen.variance + 2 * seen.errors.least  # that samples leave room for
    shares = most / np.maximum(seen.total, LEAST)
    found = (most < GONE * seen.peak) & (shares < GONE * highest)
    return seen.matters & found & _fewer(seen)


@lru_cache(maxsize=1)
def _fewer(seen: Seen) -> NDArray:
    """Whether the rank or the whole variance is less than when a mode was largest (modes, times).

    Where neither is, others have taken its place, or two modes were mistaken for each other.
    """
    since = _place_of_largest(seen.variance)
    level = seen.of_modes.level
    rank, doubt = _since(np.log(seen.rank), seen.errors.rank, since)
    falls = rank < -level * doubt
    if not seen.scale_free:
        total, doubt = _since(np.log(np.maximum(seen.total, LEAST)), seen.errors.total, since)
        falls |= total < -level * doubt
    return falls


def _has_grown(seen: Seen, since: NDArray) -> NDArray:
    """Whether the whole variance is larger than at some recordings before (…, times)."""
    change, doubt = _since(np.log(np.maximum(seen.total, LEAST)), seen.errors.total, since)
    return change > np.maximum(MUCH, seen.of_modes.level * doubt)


def _place_of_largest(values: NDArray) -> NDArray:
    """The recording at which a value (…, times) was largest so far."""
    is_largest = values >= np.maximum.accumulate(values, axis=-1)
    return np.maximum.accumulate(np.where(is_largest, np.arange(values.shape[-1]), 0), axis=-1)


def _since(values: NDArray, errors: NDArray, since: NDArray) -> tuple[NDArray, NDArray]:
    """Change since some recording (…, times), of means over `AROUND`; its standard error."""
    ends = np.broadcast_to(np.arange(1, since.shape[-1] + 1), since.shape)
    sums, squares = (np.concatenate([[0.0], np.cumsum(one)]) for one in (values, errors**2))

    def mean(first: NDArray, last: NDArray) -> tuple[NDArray, NDArray]:
        count = last - first
        return (sums[last] - sums[first]) / count, (squares[last] - squares[first]) / count**2

    now, error = mean(np.maximum(ends - AROUND, 0), ends)
    begin = np.maximum(since - AROUND // 2, 0)
    then, before = mean(begin, np.minimum(begin + AROUND, ends))
    return now - then, np.sqrt(np.maximum(error + before, 0))


def collapse(seen: Seen) -> NDArray:
    """The whole variance is lost for good or gone, or most of the modes that matter are.

    Of a loss that does not see the scale it is the rank beside the first mode that counts, and the
    share of E‖z‖² that is not the mean's.
    """
    if seen.scale_free:
        whole = _is_lost(seen, seen.of_rest) & ~_has_grown(seen, _place_of_largest(seen.rank))
        whole |= _is_lost(seen, seen.of_spread)
    else:
        whole = _is_lost(seen, seen.of_total)
        whole |= seen.total < GONE * np.maximum.accumulate(seen.total)
    lost = np.asarray((dying(seen) | gone(seen)).sum(axis=0))
    are_most = (lost > 0) & (lost >= SEVERAL * seen.matters.sum(axis=0))
    return np.logical_or(whole, are_most)


def _is_lost(seen: Seen, of: Trend) -> NDArray:
    return of.lost[0] & (-of.rate[0] * seen.passed > MUCH)


def losing_modes(seen: Seen) -> NDArray:
    """Some modes that matter are lost for good or gone."""
    return np.asarray((dying(seen) | gone(seen)).any(axis=0))


def oscillating(seen: Seen) -> NDArray:
    """Half of the modes that matter rise and fall again and again."""
    found = np.zeros(len(seen.times), bool)
    if len(found) < LOOKED:
        return found
    logs = np.log(np.maximum(seen.variance, LEAST))
    size = np.maximum(SWING, 4 * seen.errors.variance)
    window = np.lib.stride_tricks.sliding_window_view(logs, LOOKED, axis=1)
    turns = _turns(window, size[:, LOOKED - 1 :])
    sizes = np.lib.stride_tricks.sliding_window_view(seen.share, LOOKED, axis=1).max(axis=2)
    are_there = sizes >= MATTERS * sizes.max(axis=0)  # of what is gone only noise swings
    matter = seen.matters[:, LOOKED - 1 :]
    often = ((turns >= TURNS) & matter & are_there).sum(axis=0)
    found[LOOKED - 1 :] = (often > 0) & (often >= SEVERAL * matter.sum(axis=0))
    return found


def same_views(seen: Seen) -> NDArray:
    """Both views have the same representation."""
    return seen.noise < NO_NOISE


def stopped(seen: Seen) -> NDArray:
    """The learning rate has gone to zero."""
    return seen.learning_rate < STOPPED


def frozen(seen: Seen) -> NDArray:
    """Neither the variance nor the rank has changed, and a change of `MUCH` would have been told.

    Nor does a small mode move, which neither sees.

    All recordings up to some one are compared with all after it: the largest of these differences
    is that of a run that has moved at any time.
    """
    found = np.zeros(len(seen.times), bool)
    logs = np.log(np.maximum(np.stack([seen.total, seen.rank]), LEAST))
    squares = np.stack([seen.errors.total, seen.errors.rank]) ** 2
    sums, sums_of_squares = logs.cumsum(axis=1), squares.cumsum(axis=1)
    for last in range(FRESH, len(found)):
        before = np.arange(1, last + 1)
        after = last + 1 - before
        change = (sums[:, last, None] - sums[:, :last]) / after - sums[:, :last] / before
        error = (sums_of_squares[:, last, None] - sums_of_squares[:, :last]) / after**2
        error = np.sqrt(error + sums_of_squares[:, :last] / before**2)
        doubt = beyond_chance(change.size) * error
        moved = np.abs(change) > np.maximum(STILL, doubt)
        found[last] = not moved.any() and (doubt.min(axis=1) < MUCH).all()
    if found.any():
        found &= ~np.logical_or(*small_that_move(seen)).any(axis=0)
    return found


def recruiting(seen: Seen) -> NDArray:
    """A mode rises, and with it the rank, or the whole variance while the rank does not fall."""
    moves = seen.of_modes.rate * seen.passed > MUCH
    rising = (seen.of_modes.rises & moves & seen.matters).any(axis=0)
    fills = seen.of_rank.rises[0] | (seen.of_total.rises[0] & ~seen.of_rank.falls[0])
    return rising & fills


def small_that_move(seen: Seen) -> tuple[NDArray, NDArray]:
    """Small modes that still die, and those that still grow (modes, times)."""
    of = seen.of_small
    moves = np.abs(of.rate) * seen.passed > MUCH
    return of.falls & moves, of.rises & moves


def settled(seen: Seen) -> NDArray:
    """No mode that matters moves any more, by what it would do in all the time recorded."""
    rate = np.abs(seen.of_modes.rate)
    moves = (rate * seen.passed > MUCH) & (seen.of_modes.falls | seen.of_modes.rises)
    return ~(moves & seen.matters).any(axis=0) & always(seen)


def always(seen: Seen) -> NDArray:
    """At every recording whose rates are known."""
    return np.isfinite(seen.of_total.rate[0])


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
