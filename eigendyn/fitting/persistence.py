"""Say whether prediction errors go on in one direction, and how large they are beside motion."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SURE = 3.0  # standard deviations that a correlation must lie above zero, to be one
MATTERS = 0.1  # of how far modes move between recordings, that a theory must miss steadily
RIGHT = 1e-3  # error of ln v below which a forecast is right, as others may be where all rests


class Persistence(NamedTuple):
    """What errors of one prediction after the other have in common.

    Args:
        correlation: Of an error, in units of what it should be, with the next one of its mode; 0 if
            a theory holds.
        deviations: The same over its standard deviation if a theory holds, 1/√pairs.
        missed: Error of ln v that is common to both, root mean square.
        share: The same over the root mean square of how far ln v moves between recordings.
    """

    correlation: float
    deviations: float
    missed: float
    share: float

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
    if not both.any() or not total > 0:
        return Persistence(0.0, 0.0, 0.0, 0.0)
    correlation = float((error[1:] * error[:-1])[both].sum()) / total
    common = float((innovation[1:] * innovation[:-1])[both].mean())
    missed = np.sqrt(max(common, 0.0))
    moved = np.sqrt(np.mean(np.diff(mean, axis=0) ** 2))
    share = missed / moved if moved > 0 else 0.0
    return Persistence(correlation, correlation * np.sqrt(both.sum()), float(missed), float(share))
