"""Follow an ensemble of a vector field in JAX until two runs agree, and no mode has vanished."""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import NDArray

from eigendyn.results.trajectory import Batch, Numbers
from eigendyn.simulation.engines.task import ManyRuns
from eigendyn.simulation.engines.until_agree import until_two_agree
from eigendyn.simulation.engines.vanished import mark_vanished


def until_fields_agree(
    follow: Callable[..., Batch], run: ManyRuns, starts: NDArray, parameters: Numbers, **own: str
) -> Batch:
    """Follow with stricter tolerances until two runs agree; mark trajectories with lost modes.

    Args:
        follow: Takes a vector field, starts, times, parameters, `own`, and limits.
        run: What is followed.
        starts: States at the first time (trajectories, states, modes).
        parameters: By name, a number, or one for each trajectory.
        own: What this engine takes beside that.
    """
    rtol, atol = run.chosen.tolerances

    def once(starts: NDArray, parameters: Numbers, rtol: float, atol: float) -> Batch:
        limits = {"rtol": rtol, "atol": atol, "max_steps": run.chosen.max_solver_steps}
        return follow(run.field, starts, run.times, parameters, **own, **limits)

    found = until_two_agree(once, starts, parameters, rtol=rtol, atol=atol)
    if own.get("keep") == "extrema":
        return found
    duration = float(run.times[-1] - run.times[0])
    return mark_vanished(run.system.program, run.nodes, starts, found, parameters, duration)
