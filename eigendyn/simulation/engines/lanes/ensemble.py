"""Integrate many trajectories in machine code, on all cores."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.program import Program
from eigendyn.program.averaging import Nodes
from eigendyn.program.machine.builder import kind_of
from eigendyn.program.machine.constants import pack_parameters
from eigendyn.program.machine.layout import pack_nodes
from eigendyn.results.trajectory import INACCURATE, INVALID, Batch, Numbers
from eigendyn.settings.run_settings import FINER
from eigendyn.simulation.engines.lanes.build import across_of, build_kernel
from eigendyn.simulation.engines.lanes.integrator import CLOSER
from eigendyn.simulation.engines.runge_kutta.dop853 import DOP853
from eigendyn.simulation.engines.runge_kutta.tableau import Tableau
from eigendyn.simulation.engines.runge_kutta.tsit5 import TSIT5
from eigendyn.simulation.engines.vanished import mark_vanished

FIRST = 0.5  # tolerance of the first run over the one asked for
ORDER_8 = 2e-10  # relative tolerance of a run below which the method of order 8 takes less time
ROUND_OFF = 8.0  # smallest relative tolerance of a run, over the round-off of its numbers
ALIGNED = 256  # bytes

_kernel = lru_cache(maxsize=64)(build_kernel)


def compiled_ensemble(
    nodes: Nodes,
    program: Program,
    starts: NDArray,
    times: NDArray,
    parameters: Numbers,
    *,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    max_steps: int = 100_000,
    threads: int | None = None,
    keep: str = "trajectory",
    across: str | None = None,
    quickly: bool = False,
) -> Batch:
    """Integrate many trajectories of one system, each with a step of its own.

    A trajectory is integrated until two runs with different tolerances agree, so that the true
    error, not only that of a step, keeps to the tolerance. What it becomes does not depend on the
    other ones, nor on the number of threads: the same bits come out.

    Args:
        nodes: Where the program's averages are taken; none if it takes none.
        program: The right-hand side.
        starts: States at the first time (trajectories, states, modes), float64 or float32.
        times: Increasing times to save (times,), learning rate × step.
        parameters: By name, one number or one for each trajectory (trajectories,).
        rtol: Error allowed, relative to the state.
        atol: Error allowed, absolute.
        max_steps: Adaptive steps of a run after which to give up.
        threads: How many work side by side; all cores if not given.
        keep: "trajectory", or "final" for the states at the last time alone.
        across: What registers hold: "trajectories", or the "nodes" or "modes" of one; the choice
            of `across_of` if not given.
        quickly: Whether the code may be somewhat slower, to be compiled sooner.

    Returns:
        The batch. A start that is not finite, or with a negative singular value (the first state),
        or with a parameter that is not finite, is an "invalid-start".

    Raises:
        InvalidSetting: The tolerance is below the precision of the numbers, or makes no sense.
        NoProgram: A function that there is no machine code for.
    """
    kind = starts.dtype
    _check(kind, times, rtol, atol, max_steps)
    across = across or across_of(program, starts.shape[2])
    count = len(starts)
    saved = times[-1:] if keep == "final" else times
    table = pack_parameters(program, parameters, starts.shape[2], count)
    work = _Work(
        program=program,
        build=(across, quickly),
        starts=np.ascontiguousarray(starts),
        sweeps=table.astype(kind, order="C"),
        nodes=_packed(nodes, program, starts, across),
        span=(float(times[0]), float(times[-1])),
        saved=np.asarray(saved, kind),
        values=np.empty((*starts.shape, len(saved)), kind),
        status=np.zeros(count, np.int8),
        steps=np.zeros(count, np.int32),
        scales=np.full(count, FIRST, kind),
        estimates=np.zeros(count, kind),
        tolerances=(rtol, atol),
        max_steps=max_steps,
        threads=threads,
    )
    valid = np.isfinite(work.starts).all(axis=(1, 2)) & np.isfinite(work.sweeps).all(axis=1)
    valid &= (work.starts[:, 0] >= 0).all(axis=1)
    if not valid.all():
        work.values[~valid] = np.nan
        work.status[~valid] = INVALID
    if len(times) == 1:
        work.values[valid] = work.starts[valid, ..., None]
    else:
        _until_accurate(work, np.flatnonzero(valid))
    batch = Batch(saved, work.values, work.status, work.steps)
    return mark_vanished(program, nodes, starts, batch, parameters, work.span[1] - work.span[0])


def compile_ahead(program: Program, modes: int, across: str) -> None:
    """Compile both methods in float64, so that no later call has to wait for one.

    Raises:
        NoProgram: A function that there is no machine code for.
    """
    for tableau in (TSIT5, DOP853):
        _kernel(program, modes, tableau, 64, across, False)


def _until_accurate(work: _Work, left: NDArray) -> None:
    """Order 5 for what is easily accurate enough, order 8 for the rest."""
    rtol = work.tolerances[0]
    lowest = ROUND_OFF * float(np.finfo(work.starts.dtype).eps) / rtol
    # all in shares of the tolerance that is asked for, as `scales` are
    switch = max(ORDER_8 / rtol, lowest)
    if switch < CLOSER * FIRST:
        work.run(TSIT5, left, switch)
        left = left[work.status[left] == INACCURATE]
        # it holds the tolerance that is needed; the first of two runs is 1/CLOSER coarser
        work.scales[left] = np.minimum(work.scales[left] / CLOSER, FIRST)
    if lowest < switch or switch >= CLOSER * FIRST:
        work.run(DOP853, left, lowest)


@dataclass(frozen=True)
class _Work:
    """The arrays that compiled code reads and writes."""

    program: Program
    build: tuple[str, bool]
    starts: NDArray
    sweeps: NDArray
    nodes: tuple[NDArray, int]
    span: tuple[float, float]
    saved: NDArray
    values: NDArray
    status: NDArray
    steps: NDArray
    scales: NDArray
    estimates: NDArray
    tolerances: tuple[float, float]
    max_steps: int
    threads: int | None

    def run(self, tableau: Tableau, order: NDArray, lowest: float) -> None:
        """Integrate the trajectories named, with tolerances down to the lowest scale."""
        if len(order) == 0:
            return
        kind = self.starts.dtype
        kernel = _kernel(
            self.program, self.starts.shape[2], tableau, 8 * kind.itemsize, *self.build
        )
        before = self.steps[order]
        # the code reads whole vectors of times, and stops where one lies beyond the end
        times = np.concatenate([self.saved, np.full(kernel.block, np.inf, kind)])
        # shared by all threads: each takes the next trajectory when it has a free lane
        taken = np.zeros(1, np.int64)
        nodes, rows = self.nodes
        arrays = (
            *(self.starts, self.sweeps, nodes, times, order, taken, self.scales, self.estimates),
            *(self.values, self.status, self.steps),
        )
        pointers = [kernel.rates, *(array.ctypes.data for array in arrays)]
        first = int(self.saved[0] == self.span[0])
        counts = (self.sweeps.shape[1], rows, first, len(self.saved), len(order))
        numbers = (*self.span, *self.tolerances, lowest, self.max_steps)

        def work(_thread: int = 0) -> None:
            space = np.empty(kernel.workspace + kernel.own + ALIGNED, np.uint8)
            place = -(-space.ctypes.data // ALIGNED) * ALIGNED
            kernel.call(*pointers, place, place + kernel.workspace, *counts, *numbers)

        threads = -(-len(order) // kernel.lanes)
        if threads > 1:
            threads = min(threads, self.threads or os.cpu_count() or 1)
        if threads == 1:
            work()
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, range(threads)))
        self.steps[order] += before


def _packed(nodes: Nodes, program: Program, starts: NDArray, across: str) -> tuple[NDArray, int]:
    """Nodes as the program's code reads them."""
    if not program.node_names:
        return np.zeros((1, 1), starts.dtype), 0
    modes = starts.shape[2]
    kind = kind_of(8 * starts.itemsize)
    return pack_nodes(program, nodes.weights, nodes.values, modes, kind, across)


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
            f"Try a larger `rtol`{FINER[kind.name]}."
        )
        raise InvalidSetting(message)
    if times.ndim != 1 or len(times) == 0 or not (times[1:] > times[:-1]).all():
        message = f"Saved times must be at least one, and increase; given {times!r}."
        raise InvalidSetting(message)
