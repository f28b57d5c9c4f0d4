"""A vector field and many starts enter; their gradient flows leave, as accurate as asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from eigendyn.compile import VectorField
from eigendyn.integrate.flow import flow
from eigendyn.trajectory import BATCH_STATUSES, Batch

BATCH = 64  # trajectories in lockstep
CLOSER = 0.03  # tolerance of a run over that of the run before it
SMALLEST = 1e-14  # relative tolerance at which to give up
COMPLETED, DIVERGED, OUT_OF_STEPS, INVALID, INACCURATE = range(len(BATCH_STATUSES))


def flow_ensemble(
    field: VectorField,
    starts: NDArray,
    times: NDArray,
    parameters: Mapping[str, float | NDArray],
    *,
    rtol: float,
    atol: float,
    solver: str = "explicit",
    max_steps: int = 100_000,
) -> Batch:
    """Integrate the gradient flow from many starts, until two runs of each agree.

    An error in a step may grow afterwards, as a mode recruited a little later shows. So each
    trajectory is integrated with ever smaller tolerances, until two runs differ by no more than
    rtol |s| + atol; the second of them is returned.

    Args:
        field: Rates of change of the states.
        starts: States at the first time (trajectories, states, modes).
        times: Increasing times to save (times,), learning rate × step.
        parameters: One number for each of the field's parameters, or one for each trajectory.
        rtol: Error allowed, relative to the state.
        atol: Error allowed, absolute.
        solver: "explicit" or "stiff" (see `flow`).
        max_steps: Adaptive steps of a run after which to give up.

    Returns:
        The batch; a trajectory whose runs never agree is "inaccurate".
    """
    count = len(starts)
    values = np.full((*starts.shape, len(times)), np.nan, starts.dtype)
    status, steps = np.full(count, COMPLETED, np.int8), np.zeros(count, np.int32)
    usable = np.isfinite(starts).all(axis=(1, 2)) & (starts[:, 0] >= 0).all(axis=1)
    usable &= np.all([np.isfinite(np.broadcast_to(p, count)) for p in parameters.values()], axis=0)
    status[~usable] = INVALID
    left = np.flatnonzero(usable)
    finest = max(SMALLEST, 4 * float(np.finfo(starts.dtype).eps))
    share = 1.0
    while len(left):
        numbers = {n: np.broadcast_to(p, count)[left] for n, p in parameters.items()}
        found, ended, taken = _followed(
            field, starts[left], times, numbers, share * rtol, share * atol, solver, max_steps
        )
        steps[left] += taken
        with np.errstate(invalid="ignore"):
            close = np.abs(found - values[left]) <= atol + rtol * np.abs(found)
        done = close.all(axis=(1, 2, 3)) | (ended != COMPLETED)
        values[left], status[left] = found, np.where(done, ended, INACCURATE)
        left = left[~done]
        share *= CLOSER
        if share * rtol < finest and share < CLOSER**2:
            break
    return Batch(np.asarray(times), values, status, steps)


def _followed(
    field: VectorField,
    starts: NDArray,
    times: NDArray,
    parameters: Mapping[str, NDArray],
    rtol: float,
    atol: float,
    solver: str,
    max_steps: int,
) -> tuple[NDArray, NDArray, NDArray]:
    """One run of each: states, NaN from a failure on, how it ended, and adaptive steps."""
    saved = jnp.asarray(times, starts.dtype)
    found, is_out, taken = _flows(
        field, starts, saved, dict(parameters), solver, max_steps, rtol, atol
    )
    values = np.array(np.moveaxis(found, 1, -1))
    values[..., 0] = starts
    finite = np.isfinite(values).all(axis=(1, 2))
    reached = np.logical_and.accumulate(finite, axis=-1)
    values[~np.broadcast_to(reached[:, None, None], values.shape)] = np.nan
    failed = np.where(is_out, OUT_OF_STEPS, DIVERGED)
    return values, np.where(reached.all(axis=-1), COMPLETED, failed), np.asarray(taken)


@partial(jax.jit, static_argnames=("solver", "max_steps"))
def _flows(field, starts, times, parameters, solver, max_steps, rtol, atol):
    def one(each: tuple[Array, Mapping]) -> tuple[Array, Array, Array]:
        start, numbers = each
        found = flow(
            field, start, times, numbers, solver=solver, rtol=rtol, atol=atol, max_steps=max_steps
        )
        is_out = found.result == diffrax.RESULTS.max_steps_reached
        return found.ys, is_out, found.stats["num_steps"]  # pyright: ignore[reportReturnType]

    return jax.lax.map(one, (starts, parameters), batch_size=BATCH)
