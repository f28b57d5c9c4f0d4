"""Turn a batch of one trajectory into that trajectory, and say how it ended."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigendyn.program import Program
from eigendyn.results.trajectory import BATCH_STATUSES, STATUSES, Batch, Trajectory, finite_times
from eigendyn.settings.run_settings import FINER


def only_trajectory(batch: Batch, program: Program, start: NDArray, rtol: float) -> Trajectory:
    """Take the only trajectory of a batch, up to the last time at which it is finite.

    Args:
        batch: A batch of one.
        program: The right-hand side.
        start: States at the first time (states, modes).
        rtol: Relative error that was allowed.
    """
    values, times = batch.values[0], batch.times
    values[..., 0] = start  # also where nothing could be done with it
    count = max(1, finite_times(values))
    status = BATCH_STATUSES[batch.status[0]]
    return Trajectory(
        times=np.asarray(times)[:count],
        values=values[..., :count],
        states=program.states,
        status="diverged" if status == "invalid-start" else status,
        message=STATUSES[status].format(
            last=f"{float(times[count - 1]):.6g}",
            rtol=f"{rtol:g}",
            finer=FINER[values.dtype.name],
        ),
    )
