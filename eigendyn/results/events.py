"""Watch a run, whatever the times are that are saved, and say what its modes did.

A run visits times of its own beside the saved ones; there it is watched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigendyn.results.arrivals import (
    arrival_times,
    recruitment_times,
    root_sizes,
    squared,
)
from eigendyn.results.crossings import POINTS
from eigendyn.results.outcome_words import END
from eigendyn.results.trajectory import Trajectory, at_times

INTERVALS = 512  # equal ones that a run is watched in …
FEWEST = 8  # … or fewer, but no fewer than these, where states are many …
MEMORY = 2**26  # … so that they take no more bytes than this
CLOSER = 33  # times of a closer look
EARLIEST = 1e-12  # time that is watched first, in units of the first interval

Again = Callable[[NDArray, NDArray], Trajectory]


@dataclass(frozen=True)
class Course:
    """What the modes of a run did, at times that do not depend on those saved.

    Args:
        times: Increasing times (times,), learning rate × step.
        values: States (states, modes, times), the singular value first.
        recruitment_time: First time at which a mode's size is within 5 % of its last one (modes,);
            NaN where there is none. The size is the variance, or its share of the total.
    """

    times: NDArray  # (times,)
    values: NDArray  # (states, modes, times)
    recruitment_time: NDArray  # (modes,)

    @property
    def variance(self) -> NDArray:
        """Variance (modes, times)."""
        return squared(self.values[0].astype(float))


def watched(steps: int, numbers: int, intervals: int = INTERVALS) -> NDArray:
    """Numbers of steps, whole or not, at which a run is watched.

    They are equally far apart, and denser towards the start, where transients are fast; 95 % of
    the run is among them.

    Args:
        steps: Those of the run.
        numbers: Floats that a state consists of: the states take 64 MB at most, or ten of them.
        intervals: Equal ones, if there is memory for so many.
    """
    while intervals > FEWEST and 8 * numbers * intervals * 7 > 6 * MEMORY:
        intervals //= 2
    end = np.round(END * steps, 9)
    equal = steps * np.arange(intervals + 1) / intervals
    return np.unique(np.concatenate([equal, [end], equal[1] * _early(intervals // 6)]))


def watched_steps(steps: int, numbers: int) -> NDArray:
    """Numbers of the steps at which a descent is watched: all, or as many as 64 MB can hold."""
    count = min(steps, max(FEWEST, MEMORY // (8 * numbers)))
    return np.unique(np.linspace(0, steps, count + 1).round())


def _early(count: int) -> NDArray:
    """Fractions of an interval that begins with the run (count,)."""
    return np.geomspace(EARLIEST, 1, count + 1)[:-1]


def between(begin: float, end: float, count: int) -> NDArray:
    """So many times from one to another."""
    early = 0 if begin else count // 3
    times = np.linspace(begin, end, count - early)
    return np.sort(np.concatenate([times, times[1] * _early(early)]))


def course(
    trajectory: Trajectory,
    watch: NDArray,
    learning_rate: float,
    again: Again,
    *,
    closer: int,
    rtol: float | None,
    of_shares: bool,
) -> Course:
    """Find out what the modes of a run did.

    Args:
        trajectory: The run, at watched times and others.
        watch: Times at which it is watched (times,).
        learning_rate: η, that times are multiples of.
        again: Follows it from states (states, modes) that it had, at numbers of steps (K,).
        closer: How many times there are in a closer look.
        rtol: Relative tolerance of the states; None for steps of descent, between which there is
            nothing.
        of_shares: Whether modes are counted by their shares of the total variance.
    """
    seen = at_times(trajectory, watch)
    times = seen.times
    if rtol is None:
        arrivals = _arrival_steps(seen, learning_rate, again, of_shares)
    elif len(times) < POINTS:  # it has failed at once
        arrivals = recruitment_times(times, squared(root_sizes(seen.values[0], of_shares)))
    else:

        def follow(
            _: NDArray, states: NDArray, begin: float, end: float
        ) -> tuple[NDArray, NDArray]:
            found = again(states[0], between(begin, end, closer) / learning_rate)
            return found.times, found.values[None]

        arrivals = arrival_times(times, seen.values[None], follow, rtol, of_shares)[0]
    return Course(times, seen.values, arrivals)


def _arrival_steps(
    seen: Trajectory, learning_rate: float, again: Again, of_shares: bool
) -> NDArray:
    """Arrivals (modes,) between two steps, every one of which is looked at where modes arrive."""
    sizes = squared(root_sizes(seen.values[0], of_shares))
    found = recruitment_times(seen.times, sizes)
    steps = np.round(seen.times / learning_rate)
    after = np.searchsorted(seen.times, found)  # the last place where it is not a number
    for place in np.unique(after[(found > seen.times[0]) & np.isfinite(found)]):
        if steps[place] - steps[place - 1] > 1:
            every = np.arange(float(steps[place - 1]), float(steps[place]) + 1)
            here = after == place
            closer = again(seen.values[..., place - 1], every)
            ways = squared(root_sizes(closer.values[0], of_shares)[here])
            found[here] = recruitment_times(closer.times, ways, sizes[here, -1])
    return found
