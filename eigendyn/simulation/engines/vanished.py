"""Mark trajectories in which a mode that would grow again has sunk too deep to do so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import NoProgram
from eigendyn.program import Program
from eigendyn.program.averaging import Nodes
from eigendyn.program.machine.field import rates_of_many
from eigendyn.results.trajectory import COMPLETED, INACCURATE, Batch, Numbers, of_rows

NOTHING = {8: 1e-290, 4: 1e-30}  # allowed in the others, by bytes: what is tiny may grow again


def mark_vanished(
    program: Program,
    nodes: Nodes,
    starts: NDArray,
    batch: Batch,
    parameters: Numbers,
    duration: float,
) -> Batch:
    """Mark trajectories in which a mode has vanished that would grow again.

    A mode that decays to the smallest numbers there are loses its digits, and may stay there
    whatever its growth rate. To see whether that matters, it is put back at the end, at the root of
    the smallest error, and its growth rate there is held against what would take it to one.

    Args:
        program: The right-hand side.
        nodes: Where its averages are taken.
        starts: As for `compiled_ensemble`; likewise `parameters`.
        batch: What became of them, at the last time at least.
        parameters: See there.
        duration: From the first time to the last.

    Returns:
        The batch, in which these trajectories are "inaccurate", as are those of programs that there
        is no machine code for.
    """
    nothing = NOTHING[starts.itemsize]
    last = batch.values[..., -1]
    small = np.abs(last) < nothing
    if duration == 0 or not small.any():
        return batch
    rests = np.array([moved is not None for moved in program.moved])[:, None]
    vanished = small & (starts != 0) & ~rests
    rows = np.flatnonzero((batch.status == COMPLETED) & vanished.any(axis=(1, 2)))
    if not len(rows):
        return batch
    vanished = vanished[rows]
    size = np.sqrt(nothing)
    raised = np.copysign(size, starts[rows].astype(float))
    states = np.where(vanished, raised, last[rows].astype(float))
    numbers = of_rows(parameters, rows)
    try:
        rates = rates_of_many(program, nodes, states, numbers, float(batch.times[-1]))
        grows = rates / raised * duration > -np.log(size)
        returns = (vanished & grows).any(axis=(1, 2))
    except NoProgram:
        returns = np.ones(len(rows), bool)
    status = batch.status.copy()
    status[rows[returns]] = INACCURATE
    return replace(batch, status=status)
