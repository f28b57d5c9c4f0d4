"""Starts of many trajectories enter, a batch leaves: integrated in compiled code, on all cores."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.machine.integrator import CLOSER
from eigendyn.machine.kernel import Kernel, Rates, build_kernel
from eigendyn.machine.tableau import DOP853, TSIT5, Tableau
from eigendyn.trajectory import BATCH_STATUSES, Batch

FIRST = 2.0  # tolerance of the first run over the one asked for
ORDER_8 = 3e-9  # relative tolerance of a run below which the method of order 8 takes less time
ROUND_OFF = 8.0  # smallest relative tolerance of a run, over the round-off of its numbers
INVALID, INACCURATE = (BATCH_STATUSES.index(name) for name in ("invalid-start", "inaccurate"))
ALIGNED = 256


@dataclass(frozen=True)
class System:
    """What is integrated: a right-hand side that can be compiled, and its numbers.

    Args:
        rates: Writes the right-hand side.
        sweeps: Parameters of each trajectory (trajectories, parameters).
        nodes: Weights and values of nodes, a row a node (nodes, …).
    """

    rates: Rates
    sweeps: NDArray
    nodes: NDArray


def integrate_batch(
    system: System,
    starts: NDArray,
    times: NDArray,
    *,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    max_steps: int = 100_000,
    threads: int | None = None,
    keep: str = "trajectory",
) -> Batch:
    """Integrate many trajectories of one system.

    Each is integrated until two runs with different tolerances agree, so that the true error, not
    only that of a step, keeps to the tolerance. What a trajectory becomes does not depend on the
    others, nor on the number of threads.

    Args:
        system: What to integrate.
        starts: States at the first time (trajectories, states, modes).
        times: Increasing times to save (times,).
        rtol: Error allowed, relative to the state.
        atol: Error allowed, absolute.
        max_steps: Adaptive steps of a run after which to give up.
        threads: How many work side by side; all cores if not given.
        keep: "trajectory", or "final" for the states at the last time alone.

    Returns:
        The batch. A start that is not finite or a negative singular value, the first state, is an
        "invalid-start".

    Raises:
        InvalidSetting: The tolerance is below the precision of the numbers, or makes no sense.
    """
    kind = starts.dtype
    _check(kind, times, rtol, atol, max_steps)
    count, coordinates = len(starts), int(np.prod(starts.shape[1:]))
    saved = times[-1:] if keep == "final" else times
    work = _Work(
        system=system,
        starts=np.ascontiguousarray(starts),
        sweeps=np.ascontiguousarray(system.sweeps, kind),
        nodes=np.ascontiguousarray(system.nodes, kind),
        span=(float(times[0]), float(times[-1])),
        saved=saved,
        values=np.empty((*starts.shape, len(saved)), kind),
        status=np.zeros(count, np.int8),
        steps=np.zeros(count, np.int32),
        scales=np.full(count, FIRST, kind),
        estimates=np.zeros(count, kind),
        tolerances=(rtol, atol),
        max_steps=max_steps,
        threads=min(threads or os.cpu_count() or 1, max(1, count)),
    )
    flat = work.starts.reshape(count, coordinates)
    valid = np.isfinite(flat).all(axis=1) & np.isfinite(work.sweeps).all(axis=1)
    valid &= (work.starts[:, 0] >= 0).all(axis=1)
    if not valid.all():
        work.values[~valid] = np.nan
        work.status[~valid] = INVALID
    if work.span[0] == work.span[1]:
        work.values[valid] = work.starts[valid, ..., None]
        return Batch(saved, work.values, work.status, work.steps)
    left = np.flatnonzero(valid)
    lowest = max(ROUND_OFF * float(np.finfo(kind).eps), 1e-300) / rtol
    switch = ORDER_8 / rtol
    if switch < 0.1 and len(left):
        work.run(TSIT5, left, max(switch, lowest))
        left = left[work.status[left] == INACCURATE]
        work.scales[left] = np.minimum(work.scales[left] / CLOSER, FIRST)
    if len(left) and kind == np.float64:
        work.run(DOP853, left, lowest)
    return Batch(saved, work.values, work.status, work.steps)


CLOSER = 0.02


@dataclass(frozen=True)
class _Work:
    """The arrays that compiled code reads and writes."""

    system: System
    starts: NDArray
    sweeps: NDArray
    nodes: NDArray
    span: tuple[float, float]
    saved: NDArray
    values: NDArray
    status: NDArray
    steps: NDArray
    scales: NDArray
    estimates: NDArray
    tolerances: tuple[float, float]
    max_steps: int
    threads: int

    def run(self, tableau: Tableau, order: NDArray, lowest: float) -> None:
        """Integrate the trajectories named, with tolerances down to the lowest scale."""
        kernel = _kernel(
            self.system.rates,
            tableau,
            int(np.prod(self.starts.shape[1:])),
            self.sweeps.shape[1],
            8 * self.starts.itemsize,
        )
        before = self.steps[order]
        times = np.concatenate([self.saved, np.full(kernel.block, np.inf)]).astype(
            self.starts.dtype
        )
        taken = np.zeros(1, np.int64)
        arrays = (
            *(self.starts, self.sweeps, self.nodes, times, order, taken),
            *(self.scales, self.estimates, self.values, self.status, self.steps),
        )
        pointers = [array.ctypes.data for array in arrays]
        first = int(self.saved[0] == self.span[0])
        counts = (len(self.nodes), first, len(self.saved), len(order))
        numbers = (*self.span, *self.tolerances, lowest, self.max_steps)

        def work(_thread: int = 0) -> None:
            space, place = _aligned(kernel)
            kernel.call(*pointers, place, *counts, *numbers)
            del space

        if min(self.threads, len(order)) == 1:
            work()
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(work, range(self.threads)))
        self.steps[order] += before


_kernel = lru_cache(maxsize=64)(build_kernel)


def _aligned(kernel: Kernel) -> tuple[NDArray, int]:
    """Memory for one thread, and where its first full cache line begins."""
    space = np.empty(kernel.workspace + ALIGNED, np.uint8)
    place = space.ctypes.data
    return space, place + -place % ALIGNED


def _check(kind: np.dtype, times: NDArray, rtol: float, atol: float, max_steps: int) -> None:
    if not (rtol > 0 and atol >= 0 and max_steps >= 1):
        message = (
            "Tolerances and steps must be positive; "
            f"given rtol={rtol}, atol={atol}, max_steps={max_steps}. Try 1e-6, 1e-9, 100000."
        )
        raise InvalidSetting(message)
    precision = ROUND_OFF * float(np.finfo(kind).eps)
    if rtol < precision:
        message = (
            f"A relative tolerance of {rtol:g} is below the precision of {kind}, {precision:.2g}. "
            "Try a larger --rtol, or --dtype float64."
        )
        raise InvalidSetting(message)
    if times.ndim != 1 or len(times) == 0 or not (np.diff(times) > 0).all():
        message = f"Saved times must be at least one, and increase; given {times!r}."
        raise InvalidSetting(message)
