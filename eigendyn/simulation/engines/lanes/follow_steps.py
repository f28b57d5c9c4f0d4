"""Follow one spectrum by expected steps of descent: in machine code, in JAX where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from eigendyn.errors import NoProgram
from eigendyn.program.averaging import Nodes
from eigendyn.results.trajectory import Trajectory
from eigendyn.settings.device import find_platform, on_device
from eigendyn.simulation.engines.lanes.steps import compiled_steps
from eigendyn.simulation.engines.task import Follow, OneRun


def follow_one(run: OneRun) -> Follow:
    """Steps of one spectrum."""
    chosen = run.chosen
    given = (run.start, run.steps.astype(int), chosen.learning_rate, run.parameters)

    def follow(nodes: Nodes) -> Trajectory:
        with _reported(chosen.steps, run.progress) as report:
            if find_platform(chosen.device) == "cpu":
                with suppress(NoProgram):  # JAX knows more functions
                    served = nodes.in_precision(chosen.dtype)
                    order = chosen.correlation_order
                    return compiled_steps(run.system.program, served, *given, report, order)
            from eigendyn.simulation.engines.in_jax.steps import descent_steps

            with on_device(chosen.device):
                return descent_steps(run.field(nodes), *given, report, chosen.correlation_order)

    return follow


@contextmanager
def _reported(steps: int, progress: bool) -> Iterator[Callable[[int], object]]:
    """What is told how many steps more are done, and shows it if asked to."""
    if not progress:
        yield lambda _steps: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=steps, unit="step") as bar:
        yield bar.update
