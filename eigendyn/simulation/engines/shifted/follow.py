"""Follow many spectra whose modes are uncoupled, as one curve shifted in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eigendyn.results.trajectory import Batch, Numbers, alike_modes
from eigendyn.simulation.engines.shifted.ensemble import shifted_ensemble
from eigendyn.simulation.engines.task import ManyRuns


def follow_many(run: ManyRuns, starts: NDArray, parameters: Numbers) -> Batch:
    """Flows, read off tabulated curves: one for all modes with the same numbers."""
    rtol, atol = run.chosen.tolerances
    groups = alike_modes(parameters, starts.shape[2])
    found = [
        shifted_ensemble(
            run.system.dynamics,
            starts[:, :, some],
            run.times,
            {name: _of_one(p, some[0]) for name, p in parameters.items()},
            rtol=rtol,
            atol=atol,
            threads=run.threads,
            keep=run.saved,
            span=run.span,
        )
        for some in groups
    ]
    if len(found) == 1:
        return found[0]
    order = np.argsort(np.concatenate(groups))
    values = np.concatenate([each.values for each in found], axis=2)[:, :, order]
    status = np.max([each.status for each in found], axis=0)
    return replace(found[0], values=values, status=status)


def _of_one(numbers: float | NDArray, mode: int) -> float | NDArray:
    """The numbers that a mode has: one, or one for each trajectory."""
    if np.ndim(numbers) < 2:
        return numbers
    table = np.asarray(numbers)
    column = table[:, mode if table.shape[1] > 1 else 0]
    return float(column[0]) if len(column) == 1 else column
