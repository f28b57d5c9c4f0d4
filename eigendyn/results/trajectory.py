"""Hold the states of every mode over training time, as every engine returns them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

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
# By name, a number, or one for each trajectory (trajectories,); of a parameter that modes have each
# for themselves, a table (trajectories, modes), one row or one column where all share it.
Numbers = Mapping[str, float | NDArray]


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

    def of(numbers: float | NDArray) -> float | NDArray:
        if not isinstance(numbers, np.ndarray) or (numbers.ndim == 2 and len(numbers) == 1):
            return numbers
        return numbers[rows]

    return {name: of(numbers) for name, numbers in parameters.items()}


def each_row(parameters: Numbers, count: int) -> dict[str, NDArray]:
    """The numbers of every trajectory, by name (trajectories,) or (trajectories, modes)."""
    return {
        name: np.broadcast_to(np.asarray(p, float), (count, *np.shape(p)[1:]))
        for name, p in parameters.items()
    }


def of_row(parameters: Numbers, row: int) -> dict[str, Any]:
    """The numbers of one trajectory: tables keep their one row."""
    own = of_rows(parameters, np.array([row]))
    return {n: p if np.ndim(p) == 2 else float(np.ravel(p)[0]) for n, p in own.items()}


def of_modes(parameters: Numbers, some: NDArray) -> dict[str, Any]:
    """The numbers of some modes (some,), or of those of each trajectory (trajectories, some)."""

    def of(numbers: float | NDArray) -> float | NDArray:
        if not isinstance(numbers, np.ndarray) or numbers.ndim < 2 or numbers.shape[1] == 1:
            return numbers
        if some.ndim == 1:
            return numbers[:, some]
        whole = np.broadcast_to(numbers, (len(some), numbers.shape[1]))
        return np.take_along_axis(whole, some, axis=1)

    return {name: of(numbers) for name, numbers in parameters.items()}


def alike_modes(parameters: Numbers, modes: int) -> list[NDArray]:
    """Modes whose numbers are the same in every trajectory, group by group."""
    own = [np.asarray(p) for p in parameters.values() if np.ndim(p) == 2]
    if not own:
        return [np.arange(modes)]
    rows = [np.broadcast_to(p, (len(p), modes)) for p in own]
    _, group = np.unique(np.concatenate(rows), axis=1, return_inverse=True)
    return [np.flatnonzero(group.ravel() == one) for one in range(group.max() + 1)]


def at_times(trajectory: Trajectory, times: NDArray) -> Trajectory:
    """The same trajectory at those of its times that are among the given."""
    some = np.isin(trajectory.times, times)
    return replace(trajectory, times=trajectory.times[some], values=trajectory.values[..., some])


def finite_times(values: NDArray) -> int:
    """Count the times up to which every state is finite; values are (states, modes, times)."""
    finite = np.isfinite(values).all(axis=(0, 1)).ravel()
    return len(finite) if finite.all() else int(np.argmin(finite))
