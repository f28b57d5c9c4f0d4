"""Follow many spectra whose modes are uncoupled, as one curve shifted in time."""

from __future__ import annotations

from numpy.typing import NDArray

from eigendyn.results.trajectory import Batch, Numbers
from eigendyn.simulation.engines.shifted.ensemble import shifted_ensemble
from eigendyn.simulation.engines.task import ManyRuns


def follow_many(run: ManyRuns, starts: NDArray, parameters: Numbers) -> Batch:
    """Flows, read off tabulated curves."""
    rtol, atol = run.chosen.tolerances
    return shifted_ensemble(
        run.system.dynamics,
        starts,
        run.times,
        parameters,
        rtol=rtol,
        atol=atol,
        threads=run.threads,
        keep=run.saved,
        span=run.span,
    )
