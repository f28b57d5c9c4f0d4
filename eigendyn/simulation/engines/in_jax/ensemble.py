"""Integrate the gradient flows of many starts in lockstep, in JAX."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from eigendyn.program.in_jax import VectorField
from eigendyn.results.trajectory import (
    COMPLETED,
    DIVERGED,
    INVALID,
    OUT_OF_STEPS,
    Batch,
    Numbers,
    each_row,
)
from eigendyn.simulation.engines.in_jax.flow import integrate

LOCKSTEP = 64  # trajectories that are integrated together
FEWEST = 8  # that are worth a length of their own


def flow_ensemble(
    field: VectorField,
    starts: NDArray,
    times: NDArray,
    parameters: Numbers,
    *,
    rtol: float,
    atol: float,
    solver: str = "explicit",
    max_steps: int = 100_000,
) -> Batch:
    """Integrate the gradient flow from many starts; NaN from a failure on.

    Arguments are those of `flow`, but for starts (trajectories, states, modes), and parameters that
    may have one number for each of them.
    """
    count = len(starts)
    values = np.full((*starts.shape, len(times)), np.nan, starts.dtype)
    status, steps = np.full(count, INVALID, np.int8), np.zeros(count, np.int32)
    numbers = each_row(parameters, count)
    usable = np.isfinite(starts).all(axis=(1, 2)) & (starts[:, 0] >= 0).all(axis=1)
    for number in numbers.values():
        usable &= np.isfinite(number.reshape(count, -1)).all(axis=1)
    if usable.any():
        rows = _padded(np.flatnonzero(usable))
        found = _flows(
            field,
            starts[rows],
            jnp.asarray(times, starts.dtype),
            {name: number[rows] for name, number in numbers.items()},
            solver=solver,
            max_steps=max_steps,
            rtol=rtol,
            atol=atol,
        )
        followed, is_out, taken = (np.array(each)[: usable.sum()] for each in found)
        followed = np.moveaxis(followed, 1, -1)
        followed[..., 0] = starts[usable]  # which is saved only if a step succeeds
        finite = np.isfinite(followed).all(axis=(1, 2))
        reached = np.logical_and.accumulate(finite, axis=-1)
        followed[~np.broadcast_to(reached[:, None, None], followed.shape)] = np.nan
        failed = np.where(is_out, OUT_OF_STEPS, DIVERGED)
        values[usable], steps[usable] = followed, taken
        status[usable] = np.where(reached.all(axis=-1), COMPLETED, failed)
    return Batch(np.asarray(times), values, status, steps)


def _padded(rows: NDArray) -> NDArray:
    """The last row repeated, up to one of few lengths, each of which is compiled for.

    A row alone would be rounded otherwise than beside another.
    """
    count = len(rows)
    longer = min(LOCKSTEP, max(FEWEST, 1 << (count - 1).bit_length()))
    return rows[np.minimum(np.arange(-(-count // longer) * longer), count - 1)]


@partial(jax.jit, static_argnames=("solver", "max_steps"))
def _flows(field, starts, times, parameters, *, solver, max_steps, rtol, atol):
    def one(each: tuple[Array, Mapping]) -> tuple[Array, Array, Array]:
        start, numbers = each
        found = integrate(
            field, start, times, numbers, solver=solver, rtol=rtol, atol=atol, max_steps=max_steps
        )
        is_out = found.result == diffrax.RESULTS.max_steps_reached
        return found.ys, is_out, found.stats["num_steps"]  # pyright: ignore[reportReturnType]

    return jax.lax.map(one, (starts, parameters), batch_size=LOCKSTEP)
