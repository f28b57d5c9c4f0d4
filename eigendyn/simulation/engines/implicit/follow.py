"""Follow one spectrum, or many, with implicit steps."""

from __future__ import annotations

from numpy.typing import NDArray

from eigendyn.program.averaging import Nodes
from eigendyn.results.trajectory import Batch, Numbers, Trajectory
from eigendyn.simulation.engines.alone import only_trajectory
from eigendyn.simulation.engines.implicit.lsoda import implicit_ensemble
from eigendyn.simulation.engines.task import Follow, ManyRuns, OneRun


def follow_one(run: OneRun) -> Follow:
    """The flow of one spectrum."""
    program, start, limits = run.system.program, run.start, run.chosen.limits

    def follow(nodes: Nodes) -> Trajectory:
        given = (start[None], run.times, run.parameters)
        batch = implicit_ensemble(program, nodes, *given, **limits)
        return only_trajectory(batch, program, start, limits["rtol"])

    return follow


def follow_many(run: ManyRuns, starts: NDArray, parameters: Numbers) -> Batch:
    """Flows, one after the other."""
    return implicit_ensemble(
        run.system.program, run.nodes, starts, run.times, parameters, **run.chosen.limits
    )
