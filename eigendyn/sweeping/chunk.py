"""Follow the trajectories of one chunk, all of them in one call of an engine for many."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eigendyn.settings.parameters import PARAMETERS
from eigendyn.simulation.ensemble import followed
from eigendyn.simulation.job import Job, prepare_job
from eigendyn.sweeping.axes import START, VARIANCE
from eigendyn.sweeping.kept import Found, reduced
from eigendyn.sweeping.plan import Plan

BLOCK = 2**20  # numbers of states that are held at once by each thread …
ROWS = 2**13  # … of so many trajectories at most, so that a chunk occupies several threads


def followed_chunk(plan: Plan, number: int, threads: int) -> dict[str, NDArray]:
    """Follow one chunk.

    What comes out depends on the plan and the number alone: quadratures have nodes that are chosen
    for the chunk, and blocks of it are the same however many threads work on them.

    Args:
        plan: The sweep.
        number: Which of its chunks.
        threads: How many work side by side.

    Returns:
        By name, every variable over the points of the chunk, and their modes; of a design also the
        settings that were drawn (points,).
    """
    job, drawn = _job(plan, number)
    blocks = list(_blocks(job))
    rows = plan.rows

    def follow(block: slice) -> dict[str, NDArray]:
        count = block.stop - block.start
        found: dict[str, NDArray] = {}
        for part in followed(job, block):
            own = reduced(Found(part.batch, part.run, part.parameters), rows)
            for name, values in own.items():
                whole = found.setdefault(name, np.empty((count, *values.shape[1:]), values.dtype))
                whole[part.rows] = values
        return found

    if threads == 1 or len(blocks) == 1:
        parts = list(map(follow, blocks))
    else:
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(follow, blocks))
    shape = tuple(one.stop - one.start for one in plan.layout.box(number))
    found = {name: np.concatenate([part[name] for part in parts]) for name in rows}
    return drawn | {name: each.reshape(*shape, *each.shape[1:]) for name, each in found.items()}


def _job(plan: Plan, number: int) -> tuple[Job, dict[str, NDArray]]:
    """What an engine has to follow, and the settings that a design has drawn."""
    asked, box = plan.question, plan.layout.box(number)
    shape = tuple(one.stop - one.start for one in box)
    modes, fixed, swept, drawn = asked.modes, {}, {}, {}
    table = None
    for place, (axis, several, some) in enumerate(zip(plan.axes, plan.inner, box, strict=True)):
        along = [1] * len(shape)
        along[place] = shape[place]

        def over_all(
            values: NDArray, along: list[int] = along
        ) -> NDArray:  # (points, …) → (trajectories, …)
            more = values.shape[1:]
            whole = np.broadcast_to(values.reshape(*along, *more), (*shape, *more))
            return whole.reshape(-1, *more)

        if axis.name == START and not axis.is_text:
            table = over_all(asked.spectrum[some])
            continue
        values = axis.at(some)
        if axis.is_design:
            drawn = values
        if axis.name == VARIANCE:
            table = over_all(values.pop(VARIANCE)[:, None])
        if several:
            swept |= {name: over_all(column) for name, column in values.items()}
            fixed |= {name: asked.largest(name) for name in values if name in PARAMETERS}
        else:
            fixed |= {name: _single(column) for name, column in values.items()}
    system = asked.system(fixed)
    if table is None:
        assert system.variances is not None
        rows = int(np.prod(shape))
        table = np.broadcast_to(system.variances, (rows, modes))
    takes_way = any(row.takes_way for row in plan.rows.values())
    job = prepare_job(
        system.loss,
        table,
        keep="recruitment" if takes_way else "final",
        sweep=swept or None,
        threads=1,
        **system.settings,
    )
    if takes_way:  # at the times at which recruitment is looked for, of which all follows
        job = replace(job, run=replace(job.run, keep="trajectory"))
    return job, drawn


def _single(column: NDArray | tuple[str, ...]) -> str | float | tuple[float, ...]:
    """The only value of an axis in a chunk."""
    one = column[0]
    return (
        tuple(one) if isinstance(one, np.ndarray) else one if isinstance(one, str) else float(one)
    )


def _blocks(job: Job) -> Iterator[slice]:
    """Trajectories that are followed together."""
    times = 1 if job.run.keep == "final" else len(job.run.times)
    rows = min(ROWS, max(1, BLOCK // (int(np.prod(job.starts.shape[1:])) * times)))
    count = len(job.starts)
    return (slice(first, min(first + rows, count)) for first in range(0, count, rows))
