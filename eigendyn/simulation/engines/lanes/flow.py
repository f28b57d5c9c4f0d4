"""Integrate the gradient flow of one start in machine code."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import NDArray

from eigendyn.program import Program
from eigendyn.program.averaging import Nodes
from eigendyn.results.trajectory import Trajectory
from eigendyn.simulation.engines.alone import only_trajectory
from eigendyn.simulation.engines.lanes.build import across_of
from eigendyn.simulation.engines.lanes.ensemble import compiled_ensemble

FEW = 2**14  # nodes × coordinates up to which optimising costs more time than it saves


def compiled_flow(
    program: Program,
    nodes: Nodes,
    start: NDArray,
    times: NDArray,
    parameters: Mapping[str, float],
    *,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    max_steps: int = 100_000,
) -> Trajectory:
    """Integrate the gradient flow of one start, and say how it ended.

    Args:
        program: The right-hand side.
        nodes: Where its averages are taken; none if it takes none.
        start: States at the first time (states, modes).
        times: Increasing times to save (times,), learning rate × step.
        parameters: One number for each of the program's parameters.
        rtol: Error allowed, relative to the state.
        atol: Error allowed, absolute.
        max_steps: Adaptive steps of a run after which to give up.

    Returns:
        States at the saved times, cut before the first that was not reached; status "diverged",
        "out-of-steps" or "inaccurate" says why.
    """
    across = across_of(program, start.shape[1])
    batch = compiled_ensemble(
        nodes,
        program,
        start[None],
        times,
        parameters,
        rtol=rtol,
        atol=atol,
        max_steps=max_steps,
        threads=1,
        across="nodes" if across == "trajectories" else across,
        quickly=start.size * max(1, len(nodes.weights)) <= FEW,
    )
    return only_trajectory(batch, program, start, rtol)
