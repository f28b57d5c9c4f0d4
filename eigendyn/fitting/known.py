"""Hold a record in micro-steps, and what a filter knows of its modes, under many sets of numbers.

One program of `CHUNK` micro-steps is compiled for a loss, and serves records of any length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.numbers import LEAST_NOISE, READING, SPREADS, TIME_SCALE, to_values

CHUNK = 16  # micro-steps that are compiled as one program
UNKNOWN = 4.0  # variance of ln v of a mode that has not been read yet
Values = Any  # an array of JAX, or of NumPy


class Steps(NamedTuple):
    """Micro-steps, each of which may end with a recording.

    Args:
        dt: Length of each (steps,).
        eta: Learning rate of the descent in it; 0 of a flow (steps,).
        members: Which share each mode has in what is read (steps, modes, modes).
        read: ln of the mean variance that is read (steps, modes).
        errors: Relative error of it, in units of r; infinite where nothing is read (steps, modes).
        seconds: c₁ and c₂ of each mode where they are given, else not numbers (steps, 2, modes).
    """

    dt: Values
    eta: Values
    members: Values
    read: Values
    errors: Values
    seconds: Values


def unread(dt: NDArray, eta: float, seconds: NDArray) -> Steps:
    """Micro-steps without recordings, of these lengths (steps,), with c₁ and c₂ (2, modes)."""
    count, modes = len(dt), seconds.shape[1]
    nothing = np.zeros((count, modes))
    return Steps(
        dt=dt,
        eta=np.full(count, eta),
        members=np.zeros((count, modes, modes)),
        read=nothing,
        errors=nothing + np.inf,
        seconds=np.broadcast_to(seconds, (count, *seconds.shape)),
    )


class Readings(NamedTuple):
    """A record, as the filter goes through it.

    Args:
        start: ln v at the first time (modes,).
        error: Relative error of each of these, in units of r; infinite where unknown (modes,).
        around: Logarithms of numbers per mode around which everything is linear (modal numbers,
            modes).
        steps: What follows.
    """

    start: NDArray
    error: NDArray
    around: NDArray
    steps: Steps

    def begun(self, modal: Sequence[int], is_coupled: bool, places: NDArray) -> Known:
        """What is known at the first time, under sets of numbers (lanes, numbers).

        Args:
            modal: Which numbers every mode has for itself.
            is_coupled: Whether modes move each other.
            places: Coordinates (lanes, numbers).
        """
        numbers, around = to_values(places), self.around
        noise, modal = numbers[:, READING, None] ** 2, list(modal)
        is_known = np.isfinite(self.error)
        first = np.where(is_known, np.where(is_known, self.error, 0.0) ** 2 * noise, UNKNOWN)
        excess = numbers[:, modal] - (np.array(modal, int) != TIME_SCALE)
        spreads = numbers[:, [SPREADS[row] for row in modal]]
        doubt = spreads[..., None] ** 2 * np.eye(len(modal))
        return Known(
            mean=np.broadcast_to(self.start, first.shape),
            scatter=first[..., None] * np.eye(first.shape[1]) if is_coupled else first,
            response=np.zeros((len(places), *around.shape)),
            shift=np.log(np.maximum(excess, LEAST_NOISE))[..., None] - around,
            doubt=doubt[..., None] * np.ones(around.shape[1]),
        )


class Known(NamedTuple):
    """What is known of the modes at one time, under each set of numbers.

    Args:
        mean: ln v (lanes, modes), of modes with the numbers `around`.
        scatter: Variance of that (lanes, modes), or covariance (lanes, modes, modes) where modes
            move each other.
        response: ∂x/∂ of these logarithms (lanes, modal numbers, modes).
        shift: The logarithms less `around`, as far as they are known by then (lanes, modal numbers,
            modes).
        doubt: Covariance of that (lanes, modal numbers, modal numbers, modes).
    """

    mean: Values
    scatter: Values
    response: Values
    shift: Values
    doubt: Values


class Filtered(NamedTuple):
    """What the filter says of a record, under each set of numbers.

    Args:
        innovation: What was read, less what was foretold of it (lanes, steps, modes); 0 where
            nothing was.
        spread: Variance that it should have (lanes, steps, modes); 1 where nothing was read.
        added: Variance that the noise of batches adds in each step (lanes, steps, modes).
        mean: ln v after each step (lanes, steps, modes).
        known: What is known after the last.
    """

    innovation: Values
    spread: Values
    added: Values
    mean: Values
    known: Known
