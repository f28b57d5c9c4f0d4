"""Train modes with heavy ball step by step, as the published algorithms do.

    u ← μ u + D,  s ← s + η u    and for a learned predictor likewise, from the same gradient
    c ← μ_c c + (1 − μ_c)(1 + σ1²) s²    before the step, or at once with it ("use-first")
    ξ ← μ_ξ ξ + (1 − μ_ξ) s    after it, with the new s

D are the forces of the same system without momentum, in machine code where the default takes JAX,
with averages at nodes of their own. Where a loss knows no scale, its forces grow as modes sink,
until descent swings from side to side and any difference grows; and steps that are too long for
modes that have grown do the same. A second run is therefore 1e-15 aside, at its start and in the
forces of every step, with nodes nearly as coarse as the default's. The first one is a reference for
as long as the two agree.
"""

from __future__ import annotations

import numpy as np
from decay_reference import AVERAGES, NoReference
from numpy.typing import NDArray

from eigendyn.program import MOVES
from eigendyn.program.machine.single import rates_of_one
from eigendyn.simulation.equations import Equations
from eigendyn.simulation.initial import field_parameters, starting_states
from eigendyn.simulation.nodes import fit_nodes

ASIDE, COARSER = 1e-15, 3.0  # how the second run differs from the first
DRIVEN = {moved: velocity for velocity, moved in MOVES.items()}


def by_steps(
    system: Equations, still: Equations, spectrum: NDArray, times: NDArray, passed: NDArray
) -> tuple[NDArray, float]:
    """States (states, modes, times), NaN from where two runs differ by a tolerance; how much.

    Args:
        system: The equations.
        still: The same without momentum.
        spectrum: Initial variances (modes,).
        times: Learning rate × step (times,).
        passed: States that nodes must serve (points, states, modes), those of `system`.
    """
    if system.chosen.ema_schedule != "constant":
        message = "the schedule of the target is not stepped here"
        raise NoReference(message)
    start = starting_states(system.program, spectrum, system.chosen)
    aside = start * (1 + ASIDE * np.where(np.arange(start.shape[1]) % 2, 1, -1))
    visited = passed[:, [system.program.states.index(name) for name in still.program.states]]
    ours = _descend(system, still, start, times, visited, AVERAGES, 0.0)
    other = _descend(system, still, aside, times, visited, COARSER * AVERAGES, ASIDE)
    with np.errstate(invalid="ignore"):
        apart = np.abs(ours - other) / (1e-12 + 1e-10 * np.abs(ours))
    agree = np.logical_and.accumulate((apart <= 1).all(axis=(0, 1)))
    ours[..., ~agree] = np.nan
    return ours, float(apart[..., agree].max())


def _descend(
    system: Equations,
    still: Equations,
    start: NDArray,
    times: NDArray,
    visited: NDArray,
    accuracy: float,
    aside: float,
) -> NDArray:
    chosen, names = system.chosen, still.program.states
    numbers = field_parameters(still.program, still.chosen, still.numbers)
    forces = rates_of_one(
        still.program, fit_nodes(still.program, visited, numbers, accuracy).nodes, numbers
    )
    x = {name: row.copy() for name, row in zip(system.program.states, start, strict=True)}
    driven = [(name, DRIVEN[name], names.index(name)) for name in names if name in DRIVEN]
    eta, saved = chosen.learning_rate, {}

    def follow_correlation() -> None:
        if "correlation_value" in x:
            share = chosen.correlation_momentum
            seen = (1 + chosen.sigma1**2) * x["singular_value"] ** 2
            x["correlation_value"] = share * x["correlation_value"] + (1 - share) * seen

    wanted = np.round(times / eta).astype(int)
    for step in range(wanted[-1] + 1):
        if step in wanted:
            saved[step] = np.stack([x[name] for name in system.program.states])
        if chosen.correlation_order == "update-first":
            follow_correlation()
        found = forces(eta * step, np.stack([x[name] for name in names]))
        if chosen.correlation_order == "use-first":
            follow_correlation()
        for name, velocity, row in driven:
            force = (1 + aside * (-1) ** step) * found[row]
            x[velocity] = chosen.momentum * x[velocity] + force
            x[name] = x[name] + eta * x[velocity]
        if "target_value" in x:
            share = chosen.ema
            x["target_value"] = share * x["target_value"] + (1 - share) * x["singular_value"]
    return np.stack([saved[step] for step in wanted], axis=-1)
