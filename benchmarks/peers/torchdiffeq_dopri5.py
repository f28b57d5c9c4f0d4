"""Solve with torchdiffeq: dopri5 on the whole ensemble, one step size for all; optional."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from peers import has

PROBLEMS = ("E", "C")
THREADS = 2


def is_installed() -> bool:
    """Whether torchdiffeq is here."""
    return has("torch", "torchdiffeq")


def solve(problem: str, starts: NDArray, times: NDArray, rtol: float, atol: float) -> NDArray:
    """Integrate all trajectories as one system (trajectories, modes, times)."""
    import torch
    from torchdiffeq import odeint

    torch.set_num_threads(THREADS)
    with torch.no_grad():
        values = odeint(
            rate(problem),
            torch.as_tensor(starts),
            torch.as_tensor(times),
            rtol=rtol,
            atol=atol,
            method="dopri5",
        )
    return np.moveaxis(values.numpy(), 0, -1)


def rate(problem: str):
    """dλ/dt of (…, modes) in PyTorch."""
    import torch

    def rate_e(_time, y):
        return 2 * y * y * (1 - y)

    def rate_c(_time, y):
        square = y * y
        s1, s2, s3 = (x.sum(-1, keepdim=True) for x in (y, square, square * y))
        return 2 * square * (s3 - y * s2) / (s3 * torch.sqrt(s3 * s1))

    return {"E": rate_e, "C": rate_c}[problem]
