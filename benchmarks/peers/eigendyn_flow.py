"""Solve with eigendyn's flow engine under vmap: Dormand–Prince 8, differentiable."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from peers.eigendyn_engine import SETTINGS

PROBLEMS = ("E", "C", "X")


def is_installed() -> bool:
    """The flow is always there."""
    return True


def solve(problem: str, starts: NDArray, times: NDArray, rtol: float, atol: float) -> NDArray:
    """Variances of every mode (trajectories, modes, times)."""
    import eigendyn

    settings = dict(SETTINGS[problem])
    accuracy = {"closure_accuracy": min(1e-2, max(rtol, 1e-13))} if problem == "X" else {}
    mean = starts[:1].mean(axis=1, keepdims=True) + 0 * starts[:1]
    served = np.concatenate([starts[:8], mean]) if problem == "X" else starts[:1]
    field, _, parameters = eigendyn.vector_field(
        settings.pop("loss"), served, **settings, **accuracy
    )
    states = np.sqrt(starts)[:, None]
    values = _compiled()(field, states, times, parameters, max(rtol, 1e-14), atol)
    return np.moveaxis(np.asarray(values)[:, :, 0] ** 2, 1, -1)


@lru_cache
def _compiled():
    import jax

    import eigendyn

    def one(field, start, times, parameters, rtol, atol):
        return eigendyn.simulation.flow(field, start, times, parameters, rtol=rtol, atol=atol).ys

    return jax.jit(jax.vmap(one, in_axes=(None, 0, None, None, None, None)))
