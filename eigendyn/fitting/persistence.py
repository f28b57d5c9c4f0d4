"""Say whether prediction errors go on in one direction, and how large they are beside motion."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SURE = 3.0  # standard deviations that a correlation must lie above zero, to be one
MATTERS = 0.1  # of how far modes move between recordings, that a theory must miss steadily
MOST = 0.5  # of all squared errors, which no one recording has of a theory that holds
BY_CHANCE = 1e-6  # probability of such a recording, below which it is none of noise
RIGHT = 1e-3  # error of ln v below which a forecast is right, as others may be where all rests


class Persistence(NamedTuple):
    """What errors of one prediction after the other have in common.

    Args:
        correlation: Of an error, in units of what it should be, with the next one of its mode; 0 if
            a theory holds.
        deviations: The same over its standard deviation if a theory holds, 1/√pairs.
        missed: Error of ln v that is common to both, root mean square.
        share: The same over the root mean square of how far ln v moves between recordings.
        jump: Which recording has more than `MOST` of all squared errors, counted back from the
            last, if that is no chance; 0 if none has.
    """

    correlation: float
    deviations: float
    missed: float
    share: float
    jump: int = 0

    @property
    def refutes(self) -> bool:
        """Whether errors persist, and matter beside what the theory tells."""
        return self.deviations > SURE and self.share > MATTERS and self.missed > RIGHT


def persistence(
    innovation: NDArray, spread: NDArray, mean: NDArray, is_read: NDArray
) -> Persistence:
    """Correlate prediction errors with those one recording later.

    A theory that is only nearly right is found out by enough recordings, however little it errs: a
    correlation alone refutes nothing that a forecast would show.

    Args:
        innovation: What was read, less what was foretold of it (recordings, modes).
        spread: Variance that it should have (recordings, modes).
        mean: ln v as it is known after each recording (recordings, modes).
        is_read: Where something was read (recordings, modes).
    """
    both = is_read[1:] & is_read[:-1]
    error = np.where(is_read, innovation / np.sqrt(spread), 0.0)
    total = float((error**2).sum())
    if not total > 0:
        return Persistence(0.0, 0.0, 0.0, 0.0)
    read = is_read.sum(axis=1)
    size = np.sqrt((np.where(is_read, innovation, 0.0) ** 2).sum(axis=1) / np.maximum(read, 1))
    jump = _jump((error**2).sum(axis=1), read, size)
    if not both.any():
        return Persistence(0.0, 0.0, 0.0, 0.0, jump)
    correlation = float((error[1:] * error[:-1])[both].sum()) / total
    common = float((innovation[1:] * innovation[:-1])[both].mean())
    missed = np.sqrt(max(common, 0.0))
    moved = np.sqrt(np.mean(np.diff(mean, axis=0) ** 2))
    share = missed / moved if moved > 0 else 0.0
    deviations = float(correlation * np.sqrt(both.sum()))
    return Persistence(correlation, deviations, float(missed), float(share), jump)


def _jump(squares: NDArray, read: NDArray, size: NDArray) -> int:
    """The recording that has most of the errors, counted back from the last, or 0.

    Args:
        squares: Of errors, in units of what they should be, summed over modes (recordings,).
        read: Modes that were read (recordings,).
        size: Root mean square error of ln v (recordings,).
    """
    from scipy.special import chdtrc

    place = int(np.argmax(squares))
    is_most = squares[place] > MOST * squares.sum() and size[place] > RIGHT
    chance = len(squares) * chdtrc(read[place], squares[place])
    return len(squares) - place if is_most and chance < BY_CHANCE else 0
