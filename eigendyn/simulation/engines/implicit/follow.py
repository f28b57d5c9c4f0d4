"""Follow one spectrum, or many, with implicit steps."""

from __future__ import annotations

from numpy.typing import NDArray

from eigendyn.results.trajectory import Batch
from eigendyn.simulation.engines.implicit.lsoda import implicit_ensemble, implicit_flow
from eigendyn.simulation.engines.task import Follow, ManyRuns, Numbers, OneRun


def follow_one(run: OneRun) -> Follow:
    """The flow of one spectrum."""
    program, limits = run.system.program, run.chosen.limits
    return lambda nodes: implicit_flow(
        program, nodes, run.start, run.times, run.parameters, **limits
    )


def follow_many(run: ManyRuns, starts: NDArray, parameters: Numbers) -> Batch:
    """Flows, one after the other."""
    return implicit_ensemble(
        run.system.program, run.nodes, starts, run.times, parameters, **run.chosen.limits
    )
