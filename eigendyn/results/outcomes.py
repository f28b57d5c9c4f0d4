"""Say what became of every mode, from its variance over training time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigendyn.results.outcome_words import COMPARABLE, END, GONE, NEAR, NEGLIGIBLE, OUTCOMES

SWING = 0.8  # fraction of the run after which a mode that rises must be at its largest
SWINGS = 0.9  # fraction of the run after which it is looked at whether modes swing …
SETTLED = 0.1  # … by more than this share, up and down
ROUND_OFF = 1e-12  # relative, of saved times


def outcomes(times: NDArray, variance: NDArray, scale_free: bool = False) -> NDArray:
    """Say what became of each mode, by its size at the start, before the end, and at the end.

    Sizes are those of `sizes`. A mode ends large with at least half of the largest last size, and
    began small if it had less than that and less than 95 % of its own last size. The change at the
    end is that since the last saved time within the first 95 % of the run. At rest is a mode that
    would stay within 5 % in another run as long at that pace. A mode has arrived if it is at rest,
    or if its change at the end is less than 5 % and slows down: what rises or decays at a steady
    rate does not. Shares may fall by more, as others are won. Then, in this order,

        recruited, relaxed     it ends large and has arrived, and began small, or did not;
        collapsed              it ends below 1 % of the reference and half of its start, and does
                               not rise at the end, or not above what it had in the last fifth of
                               the run, as where momentum makes it swing; or it has no variance;
        stationary, reduced    it is at rest, with at least 95 % of its start, or less;
        growing, recovering    it rises at the end, and is above its start, or not;
        fading, shrinking      it falls at the end, and is above its start, or not.

    The reference is the largest last size or, as long as that mode is not at rest, the mean first
    one if that is larger, so that a spectrum that vanishes as a whole has collapsed too.

    Args:
        times: Saved times (times,); what they are fractions of begins with the first.
        variance: Variance (…, modes, times), of runs that completed.
        scale_free: Whether the loss does not depend on the common scale; see `is_scale_free`.

    Returns:
        A word of `OUTCOMES` for each mode (…, modes).
    """
    return np.array(list(OUTCOMES))[outcome_numbers(times, variance, scale_free)]


def outcome_numbers(times: NDArray, variance: NDArray, scale_free: bool = False) -> NDArray:
    """The same as positions in `OUTCOMES` (…, modes)."""
    times = times - times[0]
    late = np.searchsorted(times, END * times[-1] * (1 + ROUND_OFF), side="right") - 1
    late = min(late, max(len(times) - 2, 0))
    swing = np.searchsorted(times, SWING * times[-1])
    first, before, last = np.moveaxis(sizes(variance[..., [0, late, -1]], scale_free), -1, 0)
    begin = max(min(swing, late - 1), 0)
    recent = sizes(variance[..., begin:], scale_free)
    highest = recent[..., swing - begin :].max(axis=-1)
    with np.errstate(invalid="ignore"):  # variances that are too large for their square
        change = last - before
    at_rest = np.abs(change) < NEAR * (1 - END) * last
    largest = last.max(axis=-1, keepdims=True)
    large = COMPARABLE * largest
    leads = np.take_along_axis(at_rest, last.argmax(axis=-1)[..., None], axis=-1)
    began = first.mean(axis=-1, keepdims=True)
    reference = np.where(leads, largest, np.maximum(largest, began))
    is_gone = (last < NEGLIGIBLE * reference) & (last < GONE * first)
    rises = (change > 0) & (last >= highest)
    moved = change if scale_free else np.abs(change)  # large shares fall where others are won
    lengths = times[late] - times[begin], times[-1] - times[late]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # zeros, and what overflows
        goes_on = _speeds_up(recent, before, lengths)
        if not scale_free:
            goes_on |= _speeds_up(1 / recent, 1 / before, lengths)
    arrived = (last >= large) & (at_rest | (moved < NEAR * last) & ~goes_on)
    began_small = first < np.minimum(large, (1 - NEAR) * last)
    rules = {
        "recruited": arrived & began_small,
        "relaxed": arrived,
        "collapsed": (last == 0) | (is_gone & ~rises),
        "reduced": at_rest & (last < (1 - NEAR) * first),
        "stationary": at_rest,
        "growing": (change > 0) & (last > first),
        "recovering": change > 0,
        "fading": last > first,
    }
    words = list(OUTCOMES)
    numbers = [np.int8(words.index(word)) for word in rules]
    return np.select(list(rules.values()), numbers, np.int8(words.index("shrinking")))


def _speeds_up(recent: NDArray, before: NDArray, lengths: tuple[float, float]) -> NDArray:
    """Whether a mode rises, and faster at the end than in the stretch before.

    Of 1/size the same says that a mode falls, and on to nothing: a steady decay e^(−rt) speeds up
    there, while what comes to rest at v* slows down once it is below 2 v*.

    Args:
        recent: Sizes in both stretches (…, times).
        before: Sizes between them (…,).
        lengths: Of both stretches, in time.
    """
    earlier, end = lengths
    lowest, highest, last = recent.min(axis=-1), recent.max(axis=-1), recent[..., -1]
    return (last >= highest) & ((last - before) * earlier > (before - lowest) * end)


def sizes(variance: NDArray, scale_free: bool) -> NDArray:
    """What the size of a mode is: its variance, or its share of the total.

    Under a loss that does not depend on the common scale of the representations, weight decay
    makes all variances fall together, and only shares say what a mode has won or lost.

    Args:
        variance: Variance (…, modes, times).
        scale_free: Whether it is shares.

    Returns:
        Sizes (…, modes, times); without any variance, shares are zero.
    """
    if not scale_free:
        return variance
    largest = variance.max(
        axis=-2, keepdims=True
    )  # so that the sum neither overflows nor underflows
    with np.errstate(invalid="ignore"):  # no number where a diverged run has infinite variances
        scaled = variance / np.where(largest > 0, largest, 1.0)
    total = scaled.sum(axis=-2, keepdims=True)
    return scaled / np.where(total > 0, total, 1.0)


def swing(times: NDArray, variance: NDArray, scale_free: bool = False) -> NDArray:
    """Say which modes rise and fall within the last tenth of a run.

    The outcome of such a mode is that of the last moment, and says little.

    Args:
        times: Times at which the run was watched (times,).
        variance: Variance (modes, times).
        scale_free: Whether sizes are shares; see `sizes`.

    Returns:
        Whether the size of a mode, if it is large, rises and falls by more than a tenth (modes,).
    """
    times = times - times[0]
    size = sizes(variance[:, times >= SWINGS * times[-1]], scale_free)
    is_large = size.max(axis=1) >= COMPARABLE * size.max(initial=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        changes = np.diff(np.log(size), axis=1)
    rises, falls = (np.maximum(way * changes, 0).sum(axis=1) for way in (1, -1))
    return is_large & (np.minimum(rises, falls) > np.log1p(SETTLED))


def are_lost(found: NDArray) -> NDArray | None:
    """Whether each mode is lost, by its outcome (modes,); None if that is not known."""
    lost = [OUTCOMES[str(word)].lost for word in found]
    return None if None in lost else np.array(lost, dtype=bool)
