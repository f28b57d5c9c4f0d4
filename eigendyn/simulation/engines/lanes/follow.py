"""Follow one spectrum, or many, in machine code."""

from __future__ import annotations

from numpy.typing import NDArray

from eigendyn.program.averaging import Nodes
from eigendyn.results.trajectory import Batch, Numbers, Trajectory
from eigendyn.simulation.engines.alone import only_trajectory
from eigendyn.simulation.engines.lanes.build import across_of
from eigendyn.simulation.engines.lanes.ensemble import compiled_ensemble
from eigendyn.simulation.engines.task import Follow, ManyRuns, OneRun

FEW = 2**14  # nodes × coordinates up to which optimising costs more time than it saves


def follow_one(run: OneRun) -> Follow:
    """The flow of one spectrum: registers hold its nodes, or its modes."""
    program, start, limits = run.system.program, run.start, run.chosen.limits
    across = across_of(program, start.shape[1])

    def follow(nodes: Nodes) -> Trajectory:
        batch = compiled_ensemble(
            nodes,
            program,
            start[None],
            run.times,
            run.parameters,
            **limits,
            threads=1,
            across="nodes" if across == "trajectories" else across,
            quickly=start.size * max(1, len(nodes.weights)) <= FEW,
        )
        return only_trajectory(batch, program, start, limits["rtol"])

    return follow


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
