"""Choose the engine of an ensemble, and follow many starts with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting, NoProgram, NotDecoupled
from eigendyn.program.averaging import Nodes
from eigendyn.results.events import CLOSER, arrival_times, between
from eigendyn.results.trajectory import BATCH_STATUSES, Batch
from eigendyn.settings.choices import check_choice
from eigendyn.settings.device import find_platform
from eigendyn.settings.engines import ENSEMBLE_ENGINES
from eigendyn.settings.run_settings import MOST_IMPLICIT, Settings
from eigendyn.simulation.engines.until_agree import until_two_agree
from eigendyn.simulation.equations import Equations
from eigendyn.simulation.run import TYPICAL_NODES, quick_steps
from eigendyn.simulation.single import on_device

if TYPE_CHECKING:
    from eigendyn.program.in_jax import VectorField

MOST_CURVES = 32  # values of a swept parameter, each of which takes a curve of its own
STATES = ("trajectory", "final")  # of what is kept, those that hold the last states
WATCHED = 128  # equal intervals of a run in which recruitment is looked for
COMPLETED = BATCH_STATUSES.index("completed")
FAILED = [BATCH_STATUSES.index(name) for name in ("diverged", "out-of-steps", "inaccurate")]
Numbers = Mapping[str, float | NDArray]


@dataclass(frozen=True)
class Work:
    """What an engine does with every chunk of starts.

    Args:
        system: The equations, with the settings that they follow from: accuracies, precision, …
        nodes: Where their averages are taken.
        times: Increasing times to save (times,), or at which to look for recruitment.
        keep: One of `choices.KEEPS`.
        threads: Threads to use; None takes one for each core.
        whole: Starts of the whole ensemble (trajectories, states, modes).
    """

    system: Equations
    nodes: Nodes
    times: NDArray
    keep: str
    threads: int | None
    whole: NDArray

    @property
    def chosen(self) -> Settings:
        """The settings."""
        return self.system.chosen

    @property
    def field(self) -> VectorField:
        """The equations as a vector field, with nodes."""
        return replace(self.system.field, nodes=self.nodes)

    @cached_property
    def span(self) -> tuple[float, float]:
        """Smallest and largest start of the whole ensemble that moves."""
        from eigendyn.simulation.engines.shifted.ensemble import moving_range

        return moving_range(self.whole)

    def with_steps(self, steps: int) -> Work:
        """The same work, with so many adaptive steps at most."""
        if steps == self.chosen.max_solver_steps:
            return self
        limited = replace(self.chosen, max_solver_steps=steps)
        return replace(self, system=replace(self.system, chosen=limited))

    @property
    def accuracy(self) -> dict[str, Any]:
        """Relative and absolute error allowed."""
        return dict(zip(("rtol", "atol"), self.chosen.tolerances, strict=True))


def follow(engine: str, work: Work, starts: NDArray, parameters: Numbers) -> tuple[str, Batch]:
    """Follow every start.

    Args:
        engine: One of `engines.ENSEMBLE_ENGINES`. "auto" takes "flow" for stiff dynamics and on a
            GPU, "shifted" where modes are uncoupled, else "compiled"; what the last two leave
            undone is followed again by "implicit". "kernel" is experimental and taken only when
            it is asked for.
        work: What to do.
        starts: States at the first time (trajectories, states, modes).
        parameters: By name, a number, or one for each trajectory (trajectories,).

    Returns:
        Name of the engine that was taken, and what it has found.

    Raises:
        UnknownName: There is no such engine.
        NotDecoupled: "shifted" was asked for dynamics whose modes interact.
        The errors of the engines otherwise.
    """
    check_choice("engine", engine, ENSEMBLE_ENGINES)
    if engine == "auto":
        candidates = ["shifted", "compiled", "flow"]
        swept = (p for p in parameters.values() if np.ndim(p))
        curves = max((len(np.unique(p)) for p in swept), default=1)
        if work.system.program.is_coupled or curves > MOST_CURVES:
            candidates = candidates[1:]
        if work.chosen.solver == "stiff" or find_platform(work.chosen.device) != "cpu":
            candidates = ["flow"]
    else:
        candidates = [engine]
    for name in candidates[:-1]:
        try:
            return _in_turn(name, work, starts, parameters)
        except (NotDecoupled, NoProgram):
            continue
    return candidates[-1], _ENGINES[candidates[-1]](work, starts, parameters)


def _in_turn(name: str, work: Work, starts: NDArray, parameters: Numbers) -> tuple[str, Batch]:
    """Follow by an engine with few steps, what that leaves undone by the implicit one, and so on.

    Which engines a trajectory sees does not depend on the others.
    """
    chosen, program = work.chosen, work.system.program
    numbers = int(np.prod(starts.shape[1:]))
    few = quick_steps(numbers, TYPICAL_NODES if program.node_names else 1)
    if numbers > MOST_IMPLICIT or chosen.dtype != "float64" or few >= chosen.max_solver_steps:
        few = chosen.max_solver_steps
    found = _ENGINES[name](work.with_steps(few), starts, parameters)
    served = dict.fromkeys([name], len(starts))
    for other, steps in (("implicit", chosen.max_solver_steps), (name, chosen.max_solver_steps)):
        left = np.flatnonzero(np.isin(found.status, FAILED))
        if not len(left) or numbers > MOST_IMPLICIT or chosen.dtype != "float64":
            break
        if other == name and few == chosen.max_solver_steps:
            break
        own = {n: p[left] if isinstance(p, np.ndarray) else p for n, p in parameters.items()}
        again = _ENGINES[other](work.with_steps(steps), starts[left], own)
        taken = (again.status == COMPLETED) | (other == name)
        rows = left[taken]
        for mine, theirs in (
            (found.values, again.values),
            (found.status, again.status),
            (found.steps, again.steps),
        ):
            mine[rows] = theirs[taken]
        served[other] = served.get(other, 0) + len(rows) * (other != name)
    extra = "".join(f", {n} of {len(starts)} {e}" for e, n in served.items() if e != name and n)
    return name + extra, found


def _compiled(work: Work, starts: NDArray, parameters: Numbers) -> Batch:
    from eigendyn.simulation.engines.lanes.ensemble import compiled_ensemble

    found = compiled_ensemble(
        work.nodes,
        work.system.program,
        starts,
        work.times,
        parameters,
        rtol=work.accuracy["rtol"],
        atol=work.accuracy["atol"],
        max_steps=work.chosen.max_solver_steps,
        threads=work.threads,
        keep=_saved(work.keep),
    )
    return _reduced(found, work, parameters)


def _implicit(work: Work, starts: NDArray, parameters: Numbers) -> Batch:
    from eigendyn.simulation.engines.implicit.lsoda import implicit_ensemble

    if work.chosen.dtype != "float64":
        message = (
            "The implicit engine computes in float64, not in dtype='float32'. Leave out one of "
            "the two, or try engine='flow' with solver='stiff'."
        )
        raise InvalidSetting(message)
    found = implicit_ensemble(
        work.system.program,
        work.nodes,
        starts,
        work.times,
        parameters,
        **work.accuracy,
        max_steps=work.chosen.max_solver_steps,
    )
    return _reduced(found, work, parameters)


def _shifted(work: Work, starts: NDArray, parameters: Numbers) -> Batch:
    from eigendyn.simulation.engines.shifted.ensemble import shifted_ensemble

    found = shifted_ensemble(
        work.system.dynamics,
        starts,
        work.times,
        parameters,
        **work.accuracy,
        threads=work.threads,
        keep=_saved(work.keep),
        span=work.span,
    )
    return _reduced(found, work, parameters)


def _kernel(work: Work, starts: NDArray, parameters: Numbers) -> Batch:
    from eigendyn.simulation.engines.gpu.ensemble import kernel_ensemble

    keep = "trajectory" if work.keep == "recruitment" else work.keep
    own = {"keep": keep, "device": work.chosen.device}
    found = _until_agree(kernel_ensemble, work, starts, parameters, **own)
    return found if keep == "extrema" else _finished(found, work, starts, parameters)


def _flow(work: Work, starts: NDArray, parameters: Numbers) -> Batch:
    from eigendyn.simulation.engines.in_jax.ensemble import flow_ensemble

    with on_device(work.chosen.device):
        found = _until_agree(flow_ensemble, work, starts, parameters, solver=work.chosen.solver)
    return _finished(found, work, starts, parameters)


_ENGINES: dict[str, Callable[[Work, NDArray, Numbers], Batch]] = {
    "compiled": _compiled,
    "shifted": _shifted,
    "implicit": _implicit,
    "kernel": _kernel,
    "flow": _flow,
}


def _until_agree(
    follow: Callable[..., Batch], work: Work, starts: NDArray, parameters: Numbers, **own: str
) -> Batch:
    """Follow with stricter tolerances until two runs agree."""

    def run(starts: NDArray, parameters: Numbers, rtol: float, atol: float) -> Batch:
        limits = {"rtol": rtol, "atol": atol, "max_steps": work.chosen.max_solver_steps}
        return follow(work.field, starts, work.times, parameters, **own, **limits)

    return until_two_agree(run, starts, parameters, **work.accuracy)


def _finished(batch: Batch, work: Work, starts: NDArray, parameters: Numbers) -> Batch:
    """Mark what has vanished, and keep what was asked for."""
    from eigendyn.simulation.engines.vanished import mark_vanished

    duration = float(work.times[-1] - work.times[0])
    program = work.system.program
    marked = mark_vanished(program, work.nodes, starts, batch, parameters, duration)
    return _reduced(marked, work, parameters)


def _saved(keep: str) -> str:
    return "final" if keep == "final" else "trajectory"


def _reduced(batch: Batch, work: Work, parameters: Numbers) -> Batch:
    """Keep what was asked for of whole trajectories, in the last axis."""
    if work.keep == "extrema":
        with np.errstate(invalid="ignore"):
            ends = [of(batch.values, axis=-1) for of in (np.min, np.max)]
        return replace(batch, times=batch.times[-1:], values=np.stack(ends, axis=-1))
    if work.keep == "recruitment":
        found = _arrivals(batch, work, parameters)[:, None, :, None]
        return replace(batch, times=batch.times[-1:], values=found)
    if work.keep == "final" and batch.values.shape[-1] > 1:
        return replace(batch, times=batch.times[-1:], values=batch.values[..., -1:])
    return batch


def _arrivals(batch: Batch, work: Work, parameters: Numbers) -> NDArray:
    """Recruitment times (trajectories, modes); some stretches are followed again, compiled."""
    from eigendyn.simulation.engines.lanes.ensemble import compiled_ensemble

    def follow(rows: NDArray, states: NDArray, begin: float, end: float) -> tuple[NDArray, NDArray]:
        times = between(begin, end, CLOSER)
        found = compiled_ensemble(
            work.nodes,
            work.system.program,
            np.ascontiguousarray(states),
            times,
            {name: np.asarray(p)[rows] if np.ndim(p) else p for name, p in parameters.items()},
            rtol=work.accuracy["rtol"],
            atol=work.accuracy["atol"],
            max_steps=work.chosen.max_solver_steps,
            threads=work.threads,
        )
        return times, found.values

    shares = work.system.scale_free
    return arrival_times(batch.times, batch.values, follow, work.accuracy["rtol"], shares)
