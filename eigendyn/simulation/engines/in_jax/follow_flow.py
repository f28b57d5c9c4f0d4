"""Follow the flow of one spectrum, or of many, in JAX."""

from __future__ import annotations

from numpy.typing import NDArray

from eigendyn.program.averaging import Nodes
from eigendyn.results.trajectory import Batch, Numbers, Trajectory
from eigendyn.settings.device import on_device
from eigendyn.simulation.engines.in_jax.ensemble import flow_ensemble
from eigendyn.simulation.engines.in_jax.flow import gradient_flow
from eigendyn.simulation.engines.stricter import until_fields_agree
from eigendyn.simulation.engines.task import Follow, ManyRuns, OneRun


def follow_one(run: OneRun) -> Follow:
    """The flow of one spectrum."""
    chosen = run.chosen

    def follow(nodes: Nodes) -> Trajectory:
        with on_device(chosen.device):
            return gradient_flow(
                run.field(nodes),
                run.start,
                run.times,
                run.parameters,
                solver=chosen.solver,
                **chosen.limits,
                progress=run.progress,
            )

    return follow


def follow_many(run: ManyRuns, starts: NDArray, parameters: Numbers) -> Batch:
    """Flows, each with its own step size."""
    with on_device(run.chosen.device):
        solver = run.chosen.solver
        return until_fields_agree(flow_ensemble, run, starts, parameters, solver=solver)
