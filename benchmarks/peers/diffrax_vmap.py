"""Solve with diffrax: Tsit5 under vmap, as its documentation suggests for an ensemble."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from peers import has

PROBLEMS = ("E", "C")


def is_installed() -> bool:
    """Whether diffrax is here."""
    return has("diffrax")


def solve(problem: str, starts: NDArray, times: NDArray, rtol: float, atol: float) -> NDArray:
    """Integrate all trajectories in lockstep (trajectories, modes, times)."""
    values = _compiled(problem)(starts, times, rtol, atol)
    return np.asarray(values)


def one(problem: str):
    """A function that integrates one trajectory (modes,) to (modes, times), to be compiled."""
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def rate_e(t, y, args):  # noqa: ARG001
        return 2 * y * y * (1 - y)

    def rate_c(t, y, args):  # noqa: ARG001
        square = y * y
        s1, s2, s3 = jnp.sum(y), jnp.sum(square), jnp.sum(square * y)
        return 2 * square * (s3 - y * s2) / (s3 * jnp.sqrt(s3 * s1))

    term = diffrax.ODETerm({"E": rate_e, "C": rate_c}[problem])

    def integrate(start, times, rtol, atol):
        solution = diffrax.diffeqsolve(
            term,
            diffrax.Tsit5(),
            t0=times[0],
            t1=times[-1],
            dt0=None,
            y0=start,
            saveat=diffrax.SaveAt(ts=times),
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
            max_steps=100_000,
            adjoint=diffrax.ForwardMode(),
            throw=False,
        )
        return solution.ys.T

    return integrate


@lru_cache
def _compiled(problem: str):
    import jax

    return jax.jit(jax.vmap(one(problem), in_axes=(0, None, None, None)))
