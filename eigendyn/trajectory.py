"""Hold the states of every mode over training time, as every engine returns them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Trajectory:
    """States of every mode at the saved times, up to the last finite one.

    Args:
        times: Saved times (times,), learning rate × step.
        values: States (states, modes, times).
        states: Name of each state, the singular value first.
        status: "completed", "diverged" or "out-of-steps".
        message: One sentence on what happened and what to try; empty when completed.
    """

    times: NDArray  # (times,)
    values: NDArray  # (states, modes, times)
    states: tuple[str, ...]
    status: str = "completed"
    message: str = ""


BATCH_STATUSES = (
    *("completed", "diverged", "out-of-steps", "invalid-start", "inaccurate"),
    "closure-inaccurate",
)


@dataclass(frozen=True)
class Batch:
    """Many trajectories of one system at the same saved times: what every ensemble engine returns.

    Args:
        times: Saved times (times,); the last one alone where only the end was kept.
        values: States (trajectories, states, modes, times), no number from a failure on.
        status: How each trajectory ended (trajectories,), a position in `BATCH_STATUSES`. The error
            of "completed" ones is at most ten times the tolerance at every saved time; that of
            "inaccurate" ones may be larger, or a mode that would grow again has sunk below the
            smallest number; the quadrature of "closure-inaccurate" ones errs by more than was asked
            for.
        steps: Adaptive steps taken (trajectories,), those of repeated runs included.
    """

    times: NDArray  # (times,)
    values: NDArray  # (trajectories, states, modes, times)
    status: NDArray  # (trajectories,) int8
    steps: NDArray  # (trajectories,) int32


def at_times(trajectory: Trajectory, times: NDArray) -> Trajectory:
    """The same trajectory at those of its times that are among the given."""
    some = np.isin(trajectory.times, times)
    return replace(trajectory, times=trajectory.times[some], values=trajectory.values[..., some])


def finite_times(values: NDArray) -> int:
    """Count the times up to which every state is finite; values are (states, modes, times)."""
    finite = np.isfinite(values).all(axis=(0, 1)).ravel()
    return len(finite) if finite.all() else int(np.argmin(finite))
