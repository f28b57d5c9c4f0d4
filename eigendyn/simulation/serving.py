"""Run with nodes that serve the whole trajectory, and judge the closure along it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eigendyn.program import Program
from eigendyn.program.averaging import Nodes
from eigendyn.results.events import INTERVALS
from eigendyn.results.trajectory import Trajectory
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.engines.task import Follow
from eigendyn.simulation.nodes import FAINT, Fit, fit_nodes, judge_nodes
from eigendyn.simulation.samples import relative_error
from eigendyn.simulation.still import moving_modes
from eigendyn.simulation.sunk import cannot_return, lifted, sunk_modes

MARGIN = 0.01  # nodes are chosen more accurate than asked for, so that they seldom serve badly
REFITS = 4  # times that nodes are chosen anew when the trajectory leaves what they serve
WORST = 3  # of the states that nodes do not serve, those that new ones are chosen for
# Of the standard error; of the flow in JAX steps alone are accurate.
SAMPLED_SHARE = {"compiled": 1.0, "implicit": 1.0, "flow": 0.1}
COARSEST = 0.01  # standard error, relative, that the flow follows at most
CHECKPOINTS = 6  # states in which the closure is judged: so many evenly, so many geometrically


def first_visited(program: Program, start: NDArray) -> NDArray:
    """States that nodes are chosen for first: the start, and what most runs relax to."""
    start = start[:, moving_modes(program, start).some]
    equal = np.broadcast_to(np.sqrt(np.mean(start**2, axis=1, keepdims=True)), start.shape)
    return np.stack([start, equal]).astype(float)


def with_nodes(
    program: Program,
    visited: NDArray,
    moving: NDArray,
    parameters: dict,
    chosen: Settings,
    engine: Follow,
) -> tuple[Fit, Trajectory, NDArray]:
    """Run with nodes that serve the whole trajectory, and measure the closure's error along it.

    `moving` are the modes that nodes are chosen for, whose parameters are given. Nodes are chosen
    for the states visited; if the trajectory leaves the spectra that they serve,
    they are chosen anew for the worst served of what it visited too. A trajectory that ran out of
    steps is left to the next engine, with the states that it visited.
    """
    accuracy = max(chosen.closure_accuracy, 10 * float(np.finfo(chosen.dtype).eps))
    refits = 0
    while True:
        fit = fit_nodes(program, visited, parameters, MARGIN * accuracy)
        trajectory = engine(fit.nodes)
        can_serve = fit.reached
        fit, passed = _judged(program, fit, trajectory, moving, parameters, chosen, accuracy)
        if fit.reached or not can_serve or refits == REFITS:
            break
        worst = np.argsort(fit.excess)[-WORST:]
        visited = np.concatenate([visited, passed[worst]])
        if trajectory.status == "out-of-steps":
            break
        refits += 1
    if not fit.reached and trajectory.status == "completed":
        message = (
            f"The quadrature errs by {fit.error:.1e} in E[z·δ], or by more than the share "
            f"{accuracy:g} that `closure_accuracy` allows in that of a small mode. Try a larger "
            "one, fewer `steps`, or variances that are less far apart."
        )
        trajectory = replace(trajectory, status="closure-inaccurate", message=message)
    return fit, trajectory, visited


def _judged(
    program: Program,
    fit: Fit,
    trajectory: Trajectory,
    moving: NDArray,
    parameters: dict,
    chosen: Settings,
    accuracy: float,
) -> tuple[Fit, NDArray]:
    """Judge nodes where a trajectory passed; modes that have sunk for good count as larger."""
    times, passed = checkpoints(trajectory)
    passed, atol = passed[..., moving], chosen.tolerances[1]
    sunk = sunk_modes(passed, atol)
    while True:
        counted = lifted(program, passed, sunk, atol)
        fit = judge_nodes(program, fit, counted, parameters, accuracy, chosen.dtype)
        if not (fit.reached and sunk.any()):
            return fit, counted
        for_good = cannot_return(program, counted, sunk, parameters, fit.nodes, times)
        if (for_good == sunk).all():
            return fit, counted
        sunk = for_good


def checkpoints(trajectory: Trajectory) -> tuple[NDArray, NDArray]:
    """A few of the times, and the states there (points, states, modes), whatever was saved."""
    times = trajectory.times
    early = (np.geomspace(1, 1 + INTERVALS, CHECKPOINTS) - 1).round()
    wanted = np.union1d(early, np.linspace(0, INTERVALS, CHECKPOINTS).round()) / INTERVALS
    passed = times[0] + (times[-1] - times[0]) * wanted * (1 - 1e-12)
    picked = np.unique(np.searchsorted(times, passed))
    passed = np.moveaxis(trajectory.values[..., picked], -1, 0).astype(float)
    largest = np.abs(passed[:, 0]).max(axis=1)
    seen = largest >= min(FAINT, largest[0])
    return times[picked][seen], passed[seen]


def sampled_rtol(
    program: Program,
    samples: Nodes,
    start: NDArray,
    parameters: dict,
    chosen: Settings,
    method: str,
) -> float | None:
    """Relative error of the flow that a draw of samples deserves; None leaves it as it is.

    It is the standard error over the largest moment at the start. A loss with corners makes a
    sampled field that jumps wherever a sample passes one, so that steps shrink in proportion to
    what is asked for.
    """
    if method not in SAMPLED_SHARE or chosen.rtol is not None:
        return chosen.rtol
    relative = relative_error(program, samples, start[None], parameters)
    return max(chosen.tolerances[0], SAMPLED_SHARE[method] * min(relative, COARSEST))
