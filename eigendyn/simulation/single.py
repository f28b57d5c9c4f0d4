"""Follow one spectrum: a table of engines, and the exact solution where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from eigendyn.errors import NoClosedForm, NoProgram
from eigendyn.program.averaging import Nodes
from eigendyn.results.trajectory import Trajectory
from eigendyn.settings.device import find_platform
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.equations import Equations
from eigendyn.simulation.still import without_still_modes

Engine = Callable[[Nodes], Trajectory]


def on_device(name: str) -> AbstractContextManager:
    """JAX works on that device while the context lasts."""
    import jax

    from eigendyn.settings.device import find_device

    return jax.default_device(find_device(name))


def exact_solution(
    system: Equations, start: NDArray, steps: NDArray, parameters: Mapping[str, float]
) -> Trajectory | None:
    """The exact solution, if it is wanted and there is one."""
    chosen = system.chosen
    if chosen.method not in ("auto", "closed-form"):
        return None
    if chosen.method == "auto" and (system.program.is_coupled or chosen.device == "cuda"):
        return None
    from eigendyn.simulation.engines.closed_form.closed_form import closed_form

    times = chosen.learning_rate * steps
    try:
        found = closed_form(system.program, start[0] ** 2, times, parameters)
        found.values[..., 0] = start  # not rounded twice
        return found
    except NoClosedForm:
        if chosen.method == "closed-form":
            raise
    return None


@without_still_modes
def _compiled(
    system: Equations, start: NDArray, steps: NDArray, parameters: Mapping[str, float], _bar: bool
) -> Engine:
    from eigendyn.simulation.engines.lanes.flow import compiled_flow

    times, options = system.chosen.learning_rate * steps, _accuracy(system.chosen)
    return lambda nodes: compiled_flow(system.program, nodes, start, times, parameters, **options)


@without_still_modes
def _implicit(
    system: Equations, start: NDArray, steps: NDArray, parameters: Mapping[str, float], _bar: bool
) -> Engine:
    from eigendyn.simulation.engines.implicit.lsoda import implicit_flow

    times, options = system.chosen.learning_rate * steps, _accuracy(system.chosen)
    return lambda nodes: implicit_flow(system.program, nodes, start, times, parameters, **options)


@without_still_modes
def _flow(
    system: Equations,
    start: NDArray,
    steps: NDArray,
    parameters: Mapping[str, float],
    progress: bool,
) -> Engine:
    from eigendyn.simulation.engines.in_jax.flow import gradient_flow

    chosen, field = system.chosen, system.field

    def flow(nodes: Nodes) -> Trajectory:
        with on_device(chosen.device):
            return gradient_flow(
                replace(field, nodes=nodes.in_precision(chosen.dtype)),
                start,
                chosen.learning_rate * steps,
                parameters,
                solver=chosen.solver,
                **_accuracy(chosen),
                progress=progress,
            )

    return flow


@without_still_modes
def _descent(
    system: Equations,
    start: NDArray,
    steps: NDArray,
    parameters: Mapping[str, float],
    progress: bool,
) -> Engine:
    from eigendyn.simulation.engines.lanes.steps import compiled_steps

    chosen, numbers = system.chosen, steps.astype(int)
    given = (start, numbers, chosen.learning_rate, parameters)

    def descend(nodes: Nodes) -> Trajectory:
        served = nodes.in_precision(chosen.dtype)
        with _reported(chosen.steps, progress) as report:
            if find_platform(chosen.device) == "cpu":
                with suppress(NoProgram):  # JAX knows more functions
                    order = chosen.correlation_order
                    return compiled_steps(system.program, served, *given, report, order)
            return _descent_in_jax(system, served, given, report)

    return descend


def _descent_in_jax(
    system: Equations,
    nodes: Nodes,
    given: tuple[NDArray, NDArray, float, Mapping[str, float]],
    report: Callable[[int], object],
) -> Trajectory:
    from eigendyn.simulation.engines.in_jax.steps import descent_steps

    chosen = system.chosen
    with on_device(chosen.device):
        field = replace(system.field, nodes=nodes)
        return descent_steps(field, *given, report, chosen.correlation_order)


@contextmanager
def _reported(steps: int, progress: bool) -> Iterator[Callable[[int], object]]:
    """What is told how many steps more are done, and shows it if asked to."""
    if not progress:
        yield lambda _steps: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=steps, unit="step") as bar:
        yield bar.update


def _accuracy(chosen: Settings) -> dict[str, Any]:
    rtol, atol = chosen.tolerances
    return {"rtol": rtol, "atol": atol, "max_steps": chosen.max_solver_steps}


# Each takes the equations, a start, steps, parameters and whether to show progress.
ENGINES = {"compiled": _compiled, "implicit": _implicit, "flow": _flow, "steps": _descent}
