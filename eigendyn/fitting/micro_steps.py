"""Cut the times between recordings into steps short enough to follow the modes by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.groups import grouped, repelled
from eigendyn.fitting.known import CHUNK, Readings, Steps
from eigendyn.fitting.readings import Seen

LARGEST_CHANGE = 0.25  # of ln v in a micro-step
MOST = 1024  # micro-steps of a record at first, or …
EACH = 4  # … so many for each gap, if these are more: times so uneven that no step is short enough
SURE = 2.0  # standard deviations beyond which a change is not one of the recording


def micro_steps(
    seen: Seen, seconds: NDArray, around: NDArray | None = None, finer: int = 1
) -> Readings:
    """The record in micro-steps short enough for it.

    Args:
        seen: The record.
        seconds: c₁ and c₂ of every mode (2, modes, times), or NaN; each holds until the next.
        around: Logarithms of numbers per mode (modal numbers, modes) around which everything is
            linear; None where there are none.
        finer: How many times as many micro-steps as are thought enough.
    """
    groups = grouped(seen)
    x = repelled(seen, groups)
    dt = np.diff(seen.time)
    taken_by = counts(np.maximum(2 * seen.rate * dt, _changes(x, seen)), finer)
    ends = np.cumsum(taken_by)
    modes, taken = seen.modes, int(ends[-1])
    idle = (0, idle_steps(taken))
    steps = taken + idle[1]
    members = np.zeros((steps, modes, modes))
    values, errors = np.zeros((steps, modes)), np.full((steps, modes), np.inf)
    for place, at in enumerate(ends - 1, start=1):
        known = np.isfinite(x[:, place])
        for group in np.unique(groups[place][known]):
            inside = known & (groups[place] == group)
            members[at, group, inside] = 1 / inside.sum()
            square = np.mean(seen.error[inside, place] ** 2)
            values[at, group] = np.log(np.mean(np.exp(x[inside, place])))
            errors[at, group] = np.sqrt(square / inside.sum())
            if seen.has_error:  # ln of a mean lies nearer to that of its expectation
                values[at, group] -= (square - errors[at, group] ** 2) / 2
    start = x[:, 0]
    first = np.array([row[np.argmax(np.isfinite(row))] for row in x])
    return Readings(
        start=np.where(np.isfinite(start), start, first),
        error=np.where(np.isfinite(start), seen.error[:, 0], np.inf),
        around=np.zeros((0, modes)) if around is None else around,
        steps=Steps(
            dt=np.pad(np.repeat(dt / taken_by, taken_by), idle),
            eta=np.pad(np.repeat(seen.eta[1:], taken_by), idle),
            members=members,
            read=values,
            errors=errors,
            seconds=np.pad(
                np.repeat(np.moveaxis(seconds, 2, 0)[:-1], taken_by, axis=0),
                (idle, (0, 0), (0, 0)),
                mode="edge",
            ),
        ),
    )


def _changes(x: NDArray, seen: Seen) -> NDArray:
    """The largest change of ln v (modes, times) in each gap, beyond what recordings err by."""
    change = np.abs(np.diff(x, axis=1))
    if seen.has_error:
        change -= SURE * np.hypot(seen.error[:, 1:], seen.error[:, :-1])
    return np.max(np.where(np.isfinite(change), change, 0.0), axis=0)


def counts(changes: NDArray, finer: int) -> NDArray:
    """How many micro-steps each gap between recordings is cut into (gaps,).

    Args:
        changes: Of ln v in each, as far as is thought (gaps,).
        finer: How many times as many as are thought enough.
    """
    wanted = np.maximum(1, np.ceil(changes / LARGEST_CHANGE))
    return finer * np.minimum(wanted, _level(wanted)).astype(int)


def _level(wanted: NDArray) -> float:
    """Micro-steps of a gap (gaps,) at most, so that those of all have their room."""
    room = max(MOST, EACH * len(wanted))
    if wanted.sum() <= room:
        return float(wanted.max())
    ordered = np.sort(wanted)
    left = room - np.cumsum(ordered) + ordered  # what gaps that want less do not take
    levels = left // np.arange(len(ordered), 0, -1)
    return float(levels[np.argmax(levels < ordered)])


def idle_steps(taken: int) -> int:
    """Micro-steps of no length to add after others, so that they fill chunks."""
    return -taken % CHUNK
