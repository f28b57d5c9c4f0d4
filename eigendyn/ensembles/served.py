"""Many spectra and a closure enter; the nodes that serve all of them, and their error, leave."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eigendyn.nodes import Fit, draw_samples, fit_nodes, judge_nodes, standard_error
from eigendyn.program import Program
from eigendyn.settings import Settings
from eigendyn.trajectory import BATCH_STATUSES, Batch

SERVED = 4  # spectra of each kind, and times, that nodes are chosen for and judged in
MARGIN = 0.1  # nodes are chosen more accurate than asked for, since they serve many spectra

Numbers = Mapping[str, float | NDArray]


def nodes_for(program: Program, starts: NDArray, parameters: Numbers, chosen: Settings) -> Fit:
    """Choose nodes that serve all starts: the widest spectra, some others, and equal variances.

    Args:
        program: The dynamics.
        starts: States (trajectories, states, modes).
        parameters: By name, a number, or one for each trajectory (trajectories,).
        chosen: Accuracy, samples, seed and precision.

    Returns:
        The nodes, and how accurate they are in these states; not a number for the mean field,
        whose error is not known.
    """
    if program.closure == "sampled":
        return Fit(draw_samples(program, starts.shape[-1], chosen.samples, chosen.seed))
    if program.closure == "mean field":
        return Fit(error=math.nan)
    rows = _typical(starts)
    if not program.node_names or not len(rows):
        return Fit()
    served = np.concatenate([starts[rows], _equal(starts[rows[:1]])])
    accuracy = MARGIN * _accuracy(chosen)
    fits = [fit_nodes(program, served, numbers, accuracy) for numbers in _extremes(parameters)]
    return max(fits, key=lambda fit: len(fit.nodes.weights))


def judged(
    program: Program, fit: Fit, spectra: NDArray, parameters: Numbers, chosen: Settings
) -> Fit:
    """Judge nodes in some of the states (points, states, modes) that trajectories have visited."""
    some = spectra[_typical(spectra)]
    if not program.node_names or not len(some):
        return fit
    extremes = _extremes(parameters)
    if program.closure == "sampled":
        errors = [standard_error(program, fit.nodes, some, numbers) for numbers in extremes]
        return replace(fit, error=max(errors))
    found = [judge_nodes(program, fit, some, numbers, _accuracy(chosen)) for numbers in extremes]
    return replace(
        fit, error=max(one.error for one in found), reached=all(one.reached for one in found)
    )


def visited(batch: Batch) -> NDArray:
    """States (points, states, modes) at a few times of typical trajectories that completed."""
    done = batch.values[batch.status == BATCH_STATUSES.index("completed")]
    some = done[_typical(done[..., 0])]
    times = np.unique(np.linspace(0, some.shape[-1] - 1, SERVED).astype(int))
    return np.moveaxis(some[..., times], -1, 1).reshape(-1, *some.shape[1:3]).astype(float)


def _accuracy(chosen: Settings) -> float:
    return max(chosen.closure_accuracy, 10 * float(np.finfo(chosen.dtype).eps))


def _typical(states: NDArray) -> NDArray:
    """Rows of the widest spectra, and of some evenly among all, that can be followed."""
    singular = states[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        usable = np.isfinite(singular).all(axis=1) & (singular >= 0).all(axis=1)
        usable &= singular.max(axis=1, initial=0) > 0
        width = singular.max(axis=1, initial=0) / singular.min(axis=1, initial=np.inf)
    rows = np.flatnonzero(usable)
    widest = rows[np.argsort(width[rows])[::-1][:SERVED]]
    evenly = rows[np.linspace(0, len(rows) - 1, min(SERVED, len(rows))).astype(int)]
    return np.union1d(widest, evenly)


def _equal(states: NDArray) -> NDArray:
    mean = np.sqrt(np.mean(states**2, axis=-1, keepdims=True))
    return np.broadcast_to(mean, states.shape)


def _extremes(parameters: Numbers) -> list[dict[str, float]]:
    """Numbers where what is swept is smallest, and where it is largest."""
    sides = [np.min, np.max] if any(np.ndim(p) for p in parameters.values()) else [np.max]
    return [{name: float(of(p)) for name, p in parameters.items()} for of in sides]
