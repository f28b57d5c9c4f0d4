"""Choose the nodes that serve many spectra, and measure their error.

Wide spectra have nodes of their own, so that they change no bit of what becomes of the others.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.program import Program
from eigendyn.results.trajectory import CLOSURE_INACCURATE, COMPLETED, Batch, Numbers, of_rows
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.node_errors import Errors, errors_of_many
from eigendyn.simulation.nodes import (
    FAINT,
    Fit,
    coarse_nodes,
    fit_nodes,
    reference_nodes,
)
from eigendyn.simulation.samples import draw_samples, standard_error

SERVED = 4  # spectra of each kind that nodes are chosen for, and saved times they are judged at
ROUNDS = 4  # in which nodes are chosen, each time for the worst served ones too
MARGIN = 0.1  # nodes are chosen more accurate than asked for, since trajectories go elsewhere
WIDEST = 12  # decades of a spectrum that has no nodes of its own, nor has one twice as wide, …
GROUPS = 8  # more than there are by width


def by_width(program: Program, starts: NDArray) -> NDArray:
    """Group spectra that are served by the same nodes: by how many decades they reach over.

    Those with modes without variance, which nodes need not serve, are groups of their own.

    Args:
        program: The dynamics.
        starts: States at the first time (trajectories, states, modes).

    Returns:
        The group of each (trajectories,): 0 for all but wide ones, and for other closures.
    """
    group = np.zeros(len(starts), int)
    if program.closure != "exact quadrature":
        return group
    with np.errstate(all="ignore"):
        decades = 2 * np.log10(starts[:, 0].astype(float))
        largest = decades.max(axis=1, initial=-np.inf)
        smallest = np.where(np.isfinite(decades), decades, np.inf).min(axis=1, initial=np.inf)
        reach = np.maximum(largest - smallest, np.abs(largest))
        holds_none = (starts[:, 0] == 0).any(axis=1)
    wide = np.isfinite(reach) & (reach > WIDEST)
    group[wide] = 1 + np.log2(reach[wide] / WIDEST).astype(int)
    return group + np.where(holds_none, GROUPS, 0)


def nodes_for(program: Program, starts: NDArray, parameters: Numbers, chosen: Settings) -> Fit:
    """Choose nodes that serve all starts, and equal variances.

    They are chosen for the widest spectra and some others, and anew together with those that are
    served worst, until all are served. Those that no nodes can serve have no say.

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
    usable = _usable(starts, chosen.dtype)
    if not program.node_names:
        return Fit()
    accuracy = _accuracy(chosen)
    if not len(usable):  # nothing will be followed
        return replace(coarse_nodes(program), error=0.0, reached=True)
    states, numbers = starts[usable], of_rows(parameters, usable)
    worst, fit = np.zeros(0, int), Fit()
    for _ in range(ROUNDS):
        typical = _typical(states)
        served = np.union1d(typical, worst)
        fit = _fitted(program, states, served, numbers, MARGIN * accuracy)
        if not fit.reached:
            alone = [_fitted(program, states, [i], numbers, MARGIN * accuracy) for i in served]
            hopeless = served[[not each.reached for each in alone]]
            if len(hopeless) == len(states):
                return coarse_nodes(program)  # which are soon done with, and will be found out
            if not len(hopeless):
                break
            states = np.delete(states, hopeless, axis=0)
            numbers = of_rows(numbers, np.delete(np.arange(len(states) + len(hopeless)), hopeless))
            worst = np.zeros(0, int)
            continue
        excess = _errors(program, fit, states, numbers, chosen.dtype).excess
        order = np.argsort(excess)[::-1][:SERVED]
        worse = order[(excess[order] > accuracy) & np.isfinite(excess[order])]
        if not len(worse):
            break
        worst = np.union1d(worst, worse)
    return fit


def _fitted(
    program: Program, states: NDArray, rows: ArrayLike, parameters: Numbers, accuracy: float
) -> Fit:
    """Nodes for some starts, and for equal variances."""
    rows = np.asarray(rows)
    first = rows[:1]
    looked = np.concatenate([states[rows], _equal(states[first])])
    return fit_nodes(program, looked, of_rows(parameters, np.append(rows, first)), accuracy)


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
    count = batch.values.shape[-1]
    times = np.unique(np.linspace(0, count - 1, SERVED).astype(int))[:count]
    visited = [starts[done], *np.moveaxis(batch.values[..., times][done], -1, 0)]
    faint = [np.abs(each[:, 0]).max(axis=1, initial=0) < FAINT for each in visited]
    visited = [
        np.where(is_faint[:, None, None], starts[done], each)
        for each, is_faint in zip(visited, faint, strict=True)
    ]
    numbers = of_rows(parameters, done)
    if program.closure == "sampled":
        some = _typical(starts[done])
        own = of_rows(numbers, some)
        errors = [standard_error(program, fit.nodes, each[some], own) for each in visited]
        return replace(fit, error=max(errors)), batch
    found = [_errors(program, fit, states, numbers, chosen.dtype) for states in visited]
    excess = np.max([each.excess for each in found], axis=0)
    wrong = excess > _accuracy(chosen)
    status = batch.status.copy()
    status[done[wrong]] = CLOSURE_INACCURATE
    error = max(float(each.absolute.max()) for each in found)
    fit = replace(fit, error=error, reached=not wrong.any())
    return fit, replace(batch, status=status)


def _errors(program: Program, fit: Fit, states: NDArray, parameters: Numbers, dtype: str) -> Errors:
    """Compare with a finer and wider rule in all states (points, states, modes)."""
    finer = reference_nodes(program, fit)
    return errors_of_many(program, fit.nodes, finer, states, parameters, dtype)


def _accuracy(chosen: Settings) -> float:
    return max(chosen.closure_accuracy, 10 * float(np.finfo(chosen.dtype).eps))


def _usable(starts: NDArray, dtype: str) -> NDArray:
    """Rows that can be followed in that precision."""
    with np.errstate(all="ignore"):
        singular = starts[:, 0].astype(dtype)
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
