"""Many spectra and a closure enter; the nodes that serve all of them, and their error, leave."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eigendyn.node_errors import Errors, errors_of_many
from eigendyn.nodes import Fit, draw_samples, fit_nodes, reference_nodes, standard_error
from eigendyn.program import Program
from eigendyn.settings import Settings
from eigendyn.trajectory import BATCH_STATUSES, Batch

SERVED = 4  # spectra of each kind that nodes are chosen for, and saved times they are judged at
ROUNDS = 4  # in which nodes are chosen, each time for the worst served ones too
MARGIN = 0.1  # nodes are chosen more accurate than asked for, since trajectories go elsewhere
COMPLETED, INACCURATE = map(BATCH_STATUSES.index, ("completed", "closure-inaccurate"))

Numbers = Mapping[str, float | NDArray]


def nodes_for(program: Program, starts: NDArray, parameters: Numbers, chosen: Settings) -> Fit:
    """Choose nodes that serve all starts, and equal variances.

    They are chosen for the widest spectra and some others, and anew together with those that are
    served worst, until all are served.

    Args:
        program: The dynamics.
        starts: States (trajectories, states, modes).
        parameters: By name, a number, or one for each trajectory (trajectories,).
        chosen: Accuracy, samples, seed and precision.

    Returns:
        The nodes, and how accurate they are in some of these states; not a number for the mean
        field, whose error is not known.
    """
    if program.closure == "sampled":
        return Fit(draw_samples(program, starts.shape[-1], chosen.samples, chosen.seed))
    if program.closure == "mean field":
        return Fit(error=math.nan)
    usable = _usable(starts)
    if not program.node_names or not len(usable):
        return Fit()
    accuracy = _accuracy(chosen)
    states, numbers = starts[usable], _of(parameters, usable)
    served, fit = _typical(states), Fit()
    for _ in range(ROUNDS):
        first = served[:1]
        looked = np.concatenate([states[served], _equal(states[first])])
        own = _of(numbers, np.append(served, first))
        fit = fit_nodes(program, looked, own, MARGIN * accuracy)
        excess = _errors(program, fit, states, numbers, chosen.dtype).excess
        worst = np.argsort(excess)[::-1][:SERVED]
        worst = worst[excess[worst] > accuracy]
        if not len(worst):
            break
        served = np.concatenate([served, worst])
    return fit


def judged(
    program: Program,
    fit: Fit,
    starts: NDArray,
    batch: Batch,
    parameters: Numbers,
    chosen: Settings,
) -> tuple[Fit, Batch]:
    """Judge nodes in states that every trajectory has visited.

    Args:
        program: The dynamics.
        fit: The nodes.
        starts: States at the first time (trajectories, states, modes).
        batch: What became of them; its values are states at some times, or none.
        parameters: By name, a number, or one for each trajectory (trajectories,).
        chosen: Accuracy and precision.

    Returns:
        The nodes with their error estimate, and the batch, in which trajectories that they did not
        serve are "closure-inaccurate".
    """
    done = np.flatnonzero(batch.status == COMPLETED)
    if not program.node_names or not len(done):
        return fit, batch
    times = np.unique(np.linspace(0, batch.values.shape[-1] - 1, SERVED).astype(int))
    visited = [starts[done], *np.moveaxis(batch.values[..., times][done], -1, 0)]
    numbers = _of(parameters, done)
    if program.closure == "sampled":
        some = _typical(starts[done])
        own = _of(numbers, some)
        errors = [standard_error(program, fit.nodes, each[some], own) for each in visited]
        return replace(fit, error=max(errors)), batch
    found = [_errors(program, fit, states, numbers, chosen.dtype) for states in visited]
    excess = np.max([each.excess for each in found], axis=0)
    wrong = excess > _accuracy(chosen)
    status = batch.status.copy()
    status[done[wrong]] = INACCURATE
    error = max(float(each.absolute.max()) for each in found)
    fit = replace(fit, error=error, reached=not wrong.any())
    return fit, replace(batch, status=status)


def _errors(program: Program, fit: Fit, states: NDArray, parameters: Numbers, dtype: str) -> Errors:
    """Compare with a finer and wider rule in all states (points, states, modes)."""
    finer = reference_nodes(program, fit)
    return errors_of_many(program, fit.nodes, finer, states, parameters, dtype)


def _accuracy(chosen: Settings) -> float:
    return max(chosen.closure_accuracy, 10 * float(np.finfo(chosen.dtype).eps))


def _of(parameters: Numbers, rows: NDArray) -> dict[str, float | NDArray]:
    """Numbers of some trajectories."""
    return {name: p[rows] if isinstance(p, np.ndarray) else p for name, p in parameters.items()}


def _usable(starts: NDArray) -> NDArray:
    """Rows that can be followed."""
    singular = starts[:, 0]
    with np.errstate(invalid="ignore"):
        usable = np.isfinite(singular).all(axis=1) & (singular >= 0).all(axis=1)
    return np.flatnonzero(usable & (singular.max(axis=1, initial=0) > 0))


def _typical(states: NDArray) -> NDArray:
    """Rows of the widest spectra, and of some evenly among all."""
    singular = states[:, 0]
    with np.errstate(divide="ignore"):
        width = singular.max(axis=1) / singular.min(axis=1)
    widest = np.argsort(width)[::-1][:SERVED]
    evenly = np.linspace(0, len(states) - 1, min(SERVED, len(states))).astype(int)
    return np.union1d(widest, evenly)


def _equal(states: NDArray) -> NDArray:
    mean = np.sqrt(np.mean(states**2, axis=-1, keepdims=True))
    return np.broadcast_to(mean, states.shape)
