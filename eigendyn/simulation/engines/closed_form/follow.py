"""Follow one spectrum by its exact solution."""

from __future__ import annotations

from eigendyn.program.averaging import Nodes
from eigendyn.results.trajectory import Trajectory
from eigendyn.settings.device import on_device
from eigendyn.simulation.engines.closed_form.closed_form import closed_form
from eigendyn.simulation.engines.task import Follow, OneRun


def follow_one(run: OneRun) -> Follow:
    """The solution of one spectrum, which takes no nodes."""

    def follow(_: Nodes) -> Trajectory:
        with on_device(run.chosen.device):
            found = closed_form(run.system.dynamics, run.start[0] ** 2, run.times, run.parameters)
        found.values[..., 0] = run.start  # not rounded twice
        return found

    return follow
