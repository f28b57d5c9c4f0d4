"""Choose the engine of an ensemble, and follow many starts with it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting, NoProgram, NotDecoupled
from eigendyn.results.arrivals import arrival_times
from eigendyn.results.events import CLOSER, between
from eigendyn.results.trajectory import (
    BATCH_STATUSES,
    COMPLETED,
    DIVERGED,
    INACCURATE,
    OUT_OF_STEPS,
    Batch,
    Numbers,
    of_rows,
)
from eigendyn.settings.choices import check_choice
from eigendyn.settings.device import find_platform
from eigendyn.settings.engines import ENGINES, ENSEMBLE_ENGINES
from eigendyn.settings.run_settings import MOST_IMPLICIT
from eigendyn.simulation.engines.task import ManyRuns, load_engine
from eigendyn.simulation.run import PATIENT, TYPICAL_NODES, quick_steps

MOST_CURVES = 32  # settings that are swept, each of which takes a curve of its own …
ENOUGH = 2000  # … which takes as long as so many trajectories do without
STATES = ("trajectory", "final")  # of what is kept, those that hold the last states
RESOLVED = 400  # times atol: of a smaller singular value, the error is more than 5 % of a variance
WATCHED = 128  # equal intervals of a run in which recruitment is looked for
FAILS = np.isin(range(len(BATCH_STATUSES)), (DIVERGED, OUT_OF_STEPS, INACCURATE))  # by status


def follow(engine: str, run: ManyRuns, starts: NDArray, parameters: Numbers) -> tuple[str, Batch]:
    """Follow every start.

    Args:
        engine: One of `engines.ENSEMBLE_ENGINES`. "auto" takes "flow" for stiff dynamics and on a
            GPU, "shifted" where modes are uncoupled, else "compiled"; what the last two leave
            undone is followed again by "implicit". "kernel" is experimental and taken only when
            it is asked for.
        run: What to do.
        starts: States at the first time (trajectories, states, modes).
        parameters: By name, a number, or one for each trajectory (trajectories,).

    Returns:
        Name of the engine that was taken, and what it has found.

    Raises:
        UnknownName: There is no such engine.
        InvalidSetting: It does not compute in this precision.
        NotDecoupled: "shifted" was asked for dynamics whose modes interact.
        The errors of the engines otherwise.
    """
    check_choice("engine", engine, ENSEMBLE_ENGINES)
    if engine == "auto":
        candidates = ["shifted", "compiled", "flow"]
        curves = 1 if run.system.program.is_coupled else _curves(parameters)
        most = min(MOST_CURVES, max(1, len(starts) // ENOUGH))
        if run.system.program.is_coupled or curves > most:
            candidates = candidates[1:]
        if run.chosen.solver == "stiff" or find_platform(run.chosen.device) != "cpu":
            candidates = ["flow"]
    else:
        candidates = [engine]
        _check_precision(engine, run.chosen.dtype)
    name, found = _first_that_serves(candidates, run, starts, parameters)
    reduces = engine in ENGINES and run.keep in ENGINES[engine].reduces
    return name, found if reduces else _reduced(found, run, parameters)


def _curves(parameters: Numbers) -> int:
    """Settings that differ from trajectory to trajectory, or from mode to mode."""
    curves, code = 1, np.zeros(1, int)
    for values in parameters.values():
        if np.ndim(values) == 2 and len(np.atleast_1d(values)) == 1:
            curves = max(curves, len(np.unique(values)))
        elif np.ndim(values):
            _, own = np.unique(values, axis=0, return_inverse=True)
            code = np.unique(code * (own.max(initial=0) + 1) + own.ravel(), return_inverse=True)[1]
        if curves * (code.max(initial=0) + 1) > MOST_CURVES:
            break
    return curves * int(code.max(initial=0) + 1)


def _first_that_serves(
    candidates: list[str], run: ManyRuns, starts: NDArray, parameters: Numbers
) -> tuple[str, Batch]:
    *others, last = candidates
    for name in others:
        try:
            return _in_turn(name, run, starts, parameters)
        except (NotDecoupled, NoProgram):
            continue
    return last, load_engine(last).follow_many(run, starts, parameters)


def _check_precision(engine: str, dtype: str) -> None:
    if dtype not in ENGINES[engine].dtypes:
        message = (
            f"The engine {engine!r} computes in {ENGINES[engine].dtypes[0]}, not in "
            f"dtype={dtype!r}. Leave out one of the two, or try engine='flow' with solver='stiff'."
        )
        raise InvalidSetting(message)


def _in_turn(name: str, run: ManyRuns, starts: NDArray, parameters: Numbers) -> tuple[str, Batch]:
    """Follow by an engine with few steps, what that leaves undone by the implicit one, and so on.

    Which engines a trajectory sees does not depend on the others.
    """
    chosen, program = run.chosen, run.system.program
    numbers = math.prod(starts.shape[1:])
    few = quick_steps(numbers, TYPICAL_NODES if program.node_names else 1)
    if numbers > MOST_IMPLICIT or chosen.dtype != "float64" or few >= chosen.max_solver_steps:
        few = chosen.max_solver_steps
    found = load_engine(name).follow_many(run.with_steps(few), starts, parameters)
    served = dict.fromkeys([name], len(starts))
    more = min(PATIENT * few, chosen.max_solver_steps)
    for other, steps in (("implicit", chosen.max_solver_steps), (name, more)):
        left = np.flatnonzero(FAILS[found.status])
        if not len(left) or numbers > MOST_IMPLICIT or chosen.dtype != "float64":
            break
        if other == name and few == chosen.max_solver_steps:
            break
        engine, own = load_engine(other), of_rows(parameters, left)
        again = engine.follow_many(run.with_steps(steps), starts[left], own)
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


def _reduced(batch: Batch, run: ManyRuns, parameters: Numbers) -> Batch:
    """Keep what was asked for of whole trajectories, in the last axis."""
    if run.keep == "extrema":
        with np.errstate(invalid="ignore"):
            ends = [of(batch.values, axis=-1) for of in (np.min, np.max)]
        return replace(batch, times=batch.times[-1:], values=np.stack(ends, axis=-1))
    if run.keep == "recruitment":
        found = recruited_at(batch, run, parameters)[:, None, :, None]
        return replace(batch, times=batch.times[-1:], values=found)
    if run.keep == "final" and batch.values.shape[-1] > 1:
        return replace(batch, times=batch.times[-1:], values=batch.values[..., -1:])
    return batch


def recruited_at(batch: Batch, run: ManyRuns, parameters: Numbers) -> NDArray:
    """Recruitment times (trajectories, modes); some stretches are followed again, compiled.

    Modes that end below what the tolerances resolve have none.

    Args:
        batch: States at all times at which an engine stopped by.
        run: What it did.
        parameters: By name, a number, or one for each trajectory (trajectories,).
    """
    compiled = load_engine("compiled")

    def again(rows: NDArray, states: NDArray, begin: float, end: float) -> tuple[NDArray, NDArray]:
        times = between(begin, end, CLOSER)
        some = replace(run, times=times, keep="trajectory")
        states = np.ascontiguousarray(states)
        found = compiled.follow_many(some, states, of_rows(parameters, rows))
        return times, found.values

    shares = run.system.scale_free
    rtol, atol = run.chosen.tolerances
    return arrival_times(batch.times, batch.values, again, rtol, shares, RESOLVED * atol)
