"""States of every mode over training time: what every engine returns."""

from __future__ import annotations

from dataclasses import dataclass

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


BATCH_STATUSES = ("completed", "diverged", "out-of-steps", "invalid-start", "inaccurate")


@dataclass(frozen=True)
class Batch:
    """States of many trajectories: what every ensemble engine returns.

    Args:
        times: Saved times (times,), learning rate × step; the last alone if only the end is kept.
        values: (trajectories, states, modes, times); NaN after a failure.
        status: Index into `BATCH_STATUSES` of each trajectory (trajectories,), int8.
        steps: Adaptive steps that each trajectory took (trajectories,), int32.
    """

    times: NDArray  # (times,)
    values: NDArray  # (trajectories, states, modes, times)
    status: NDArray  # (trajectories,)
    steps: NDArray  # (trajectories,)


def finite_times(values: NDArray) -> int:
    """Count the times up to which every state is finite; values are (states, modes, times)."""
    finite = np.isfinite(values).all(axis=(0, 1)).ravel()
    return len(finite) if finite.all() else int(np.argmin(finite))
