"""Solve with diffrax at its best: chunks that end on their own, in turn on each of 2 devices.

A chunk waits for its slowest trajectory only. Its process needs XLA_FLAGS to make two devices of
the processor.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from peers import diffrax_vmap

PROBLEMS = diffrax_vmap.PROBLEMS
is_installed = diffrax_vmap.is_installed
CHUNK = 250  # trajectories; 16 to 1,000 were tried


def solve(problem: str, starts: NDArray, times: NDArray, rtol: float, atol: float) -> NDArray:
    """Integrate chunks of trajectories (trajectories, modes, times)."""
    import jax

    devices = jax.device_count()
    chunk = min(CHUNK, -(-len(starts) // devices))
    chunks = -(-len(starts) // (devices * chunk))
    missing = devices * chunks * chunk - len(starts)
    padded = np.pad(starts, ((0, missing), (0, 0)), "edge").reshape(devices, chunks, chunk, -1)
    if len(starts) == 1:
        return diffrax_vmap.solve(problem, starts, times, rtol, atol)
    values = np.asarray(_compiled(problem)(padded, times, rtol, atol))
    return values.reshape(-1, starts.shape[1], len(times))[: len(starts)]


@lru_cache
def _compiled(problem: str):
    import jax

    integrate = jax.vmap(diffrax_vmap.one(problem), in_axes=(0, None, None, None))

    def on_device(chunks, times, rtol, atol):
        return jax.lax.map(lambda chunk: integrate(chunk, times, rtol, atol), chunks)

    return jax.pmap(on_device, in_axes=(0, None, None, None))
