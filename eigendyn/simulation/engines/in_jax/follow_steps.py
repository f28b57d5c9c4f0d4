"""Follow one spectrum by expected steps of descent."""

from __future__ import annotations

from tqdm.auto import tqdm

from eigendyn.program.averaging import Nodes
from eigendyn.results.trajectory import Trajectory
from eigendyn.settings.device import on_device
from eigendyn.simulation.engines.in_jax.steps import descent_steps
from eigendyn.simulation.engines.task import Follow, OneRun


def follow_one(run: OneRun) -> Follow:
    """Steps of one spectrum."""
    chosen = run.chosen

    def follow(nodes: Nodes) -> Trajectory:
        with (
            on_device(chosen.device),
            tqdm(total=chosen.steps, unit="step", disable=not run.progress) as bar,
        ):
            return descent_steps(
                run.field(nodes),
                run.start,
                run.steps.astype(int),
                chosen.learning_rate,
                run.parameters,
                bar.update,
                chosen.correlation_order,
            )

    return follow
