"""Hold the states of every mode over training time, as every engine returns them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Trajectory:
    """States of every mode at the saved times, up to the last finite one.

    Args:
        times: Saved times (times,), learning rate × step.
        values: States (states, modes, times).
        states: Name of each state, the singular value first.
        status: One of `STATUSES`.
        message: A sentence or two on what happened and what to try; mostly empty when completed.
    """

    times: NDArray  # (times,)
    values: NDArray  # (states, modes, times)
    states: tuple[str, ...]
    status: str = "completed"
    message: str = ""


STATUSES = MappingProxyType(  # how a trajectory ended → what happened, and what to try
    {
        "completed": "",
        "diverged": (
            "The flow is not finite after time {last}: a mode grows without bound, or the loss "
            "takes a root, or divides, where it has no value. Try another loss or start."
        ),
        "out-of-steps": (
            "The flow ran out of adaptive steps after time {last}. Try "
            "`method='flow', solver='stiff'`, or larger `rtol` and `atol`."
        ),
        "invalid-start": "The start is not finite in this precision. Try smaller variances{finer}.",
        "inaccurate": (
            "The flow may err by more than `rtol={rtol}` and `atol` ask for, as runs with "
            "smaller tolerances do not agree, or have no room in this precision, or a mode that "
            "would grow again has sunk below the smallest number. Try larger ones, or fewer "
            "`steps`{finer}."
        ),
        "closure-inaccurate": (
            "The quadrature errs by more than `closure_accuracy` allows. Try a larger one, fewer "
            "`steps`, or variances that are less far apart."
        ),
    }
)
BATCH_STATUSES = tuple(STATUSES)
COMPLETED, DIVERGED, OUT_OF_STEPS, INVALID, INACCURATE, CLOSURE_INACCURATE = range(
    len(BATCH_STATUSES)
)
Numbers = Mapping[str, float | NDArray]  # by name, a number, or one for each trajectory


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


def of_rows(parameters: Numbers, rows: slice | NDArray) -> dict[str, float | NDArray]:
    """The numbers of some trajectories."""
    return {n: p[rows] if isinstance(p, np.ndarray) else p for n, p in parameters.items()}


def at_times(trajectory: Trajectory, times: NDArray) -> Trajectory:
    """The same trajectory at those of its times that are among the given."""
    some = np.isin(trajectory.times, times)
    return replace(trajectory, times=trajectory.times[some], values=trajectory.values[..., some])


def finite_times(values: NDArray) -> int:
    """Count the times up to which every state is finite; values are (states, modes, times)."""
    finite = np.isfinite(values).all(axis=(0, 1)).ravel()
    return len(finite) if finite.all() else int(np.argmin(finite))
