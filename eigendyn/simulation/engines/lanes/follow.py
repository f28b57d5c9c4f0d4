"""Follow one spectrum, or many, in machine code."""

from __future__ import annotations

from numpy.typing import NDArray

from eigendyn.results.trajectory import Batch
from eigendyn.simulation.engines.lanes.ensemble import compiled_ensemble
from eigendyn.simulation.engines.lanes.flow import compiled_flow
from eigendyn.simulation.engines.task import Follow, ManyRuns, Numbers, OneRun


def follow_one(run: OneRun) -> Follow:
    """The flow of one spectrum."""
    program, limits = run.system.program, run.chosen.limits
    return lambda nodes: compiled_flow(
        program, nodes, run.start, run.times, run.parameters, **limits
    )


def follow_many(run: ManyRuns, starts: NDArray, parameters: Numbers) -> Batch:
    """Flows, one in every lane of a register."""
    return compiled_ensemble(
        run.nodes,
        run.system.program,
        starts,
        run.times,
        parameters,
        **run.chosen.limits,
        threads=run.threads,
        keep=run.saved,
    )
