"""Solve with heyoka: compiled adaptive Taylor series, one trajectory per SIMD lane.

Batches are spread over 2 threads with an integrator each, which measured several times faster than
its own ensemble function on systems as small as these; its dense output is the series itself.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from peers import has

PROBLEMS = ("E", "C")
THREADS = 2
COMPACT = 100  # modes from which on code is not unrolled


def is_installed() -> bool:
    """Whether heyoka is here."""
    return has("heyoka")


def solve(problem: str, starts: NDArray, times: NDArray, rtol: float, atol: float) -> NDArray:  # noqa: ARG001
    """Integrate every trajectory (trajectories, modes, times).

    Its only tolerance is relative to the largest state, so that `atol` says nothing to it.
    """
    import heyoka

    lanes = heyoka.recommended_simd_size() if len(starts) > 1 else 1
    integrators = _integrators(problem, starts.shape[1], lanes, float(rtol))
    values = np.empty((*starts.shape, len(times)))
    if lanes == 1:
        integrators[0].time = times[0]
        integrators[0].state[:] = starts[0]
        values[0] = integrators[0].propagate_grid(times)[-1].T
        return values
    grid = np.repeat(times[:, None], lanes, axis=1)
    batches = -(-len(starts) // lanes)

    def work(thread: int) -> None:
        one = integrators[thread]
        for batch in range(thread, batches, THREADS):
            few = starts[batch * lanes : (batch + 1) * lanes]
            one.set_time(times[0])
            one.state[:, : len(few)] = few.T
            one.state[:, len(few) :] = few[-1:].T
            found = one.propagate_grid(grid)[-1]  # (times, modes, lanes)
            values[batch * lanes : (batch + 1) * lanes] = found.T[: len(few)]

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    return values


@lru_cache(maxsize=2)
def _integrators(problem: str, modes: int, lanes: int, tolerance: float):
    import heyoka

    y = heyoka.make_vars(*(f"y{m}" for m in range(modes)))
    y = list(y) if modes > 1 else [y]
    if problem == "E":
        rates = [2.0 * v**2 * (1.0 - v) for v in y]
    else:
        s1, s2, s3 = (heyoka.sum([v**n for v in y]) for n in (1, 2, 3))
        f = 2.0 * (s3**-1.5) * (s1**-0.5)
        rates = [f * v**2 * (s3 - v * s2) for v in y]
    options = {"tol": tolerance, "compact_mode": modes >= COMPACT}
    equations = list(zip(y, rates, strict=True))
    if lanes == 1:
        return [heyoka.taylor_adaptive(equations, [1.0] * modes, **options)]
    first = heyoka.taylor_adaptive_batch(equations, np.ones((modes, lanes)), **options)
    return [first, *(deepcopy(first) for _ in range(THREADS - 1))]
