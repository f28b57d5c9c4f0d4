"""Solve with torchode: Tsit5, a step size for every trajectory, in lockstep; optional."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from peers import has
from peers.torchdiffeq_dopri5 import THREADS, rate

PROBLEMS = ("E", "C")


def is_installed() -> bool:
    """Whether torchode is here."""
    return has("torch", "torchode")


def solve(problem: str, starts: NDArray, times: NDArray, rtol: float, atol: float) -> NDArray:
    """Integrate all trajectories (trajectories, modes, times)."""
    import torch
    import torchode

    torch.set_num_threads(THREADS)
    term = torchode.ODETerm(rate(problem))
    method = torchode.Tsit5(term=term)
    controller = torchode.IntegralController(atol=atol, rtol=rtol, term=term)
    solver = torchode.AutoDiffAdjoint(method, controller)
    grid = torch.as_tensor(times).repeat(len(starts), 1)
    with torch.no_grad():
        solution = solver.solve(torchode.InitialValueProblem(torch.as_tensor(starts), t_eval=grid))
    return np.moveaxis(solution.ys.numpy(), 1, -1)
