"""Integrate an ensemble in one kernel on a GPU, and keep only what is asked for.

A Pallas kernel (its Triton backend) runs the whole adaptive loop of a block of trajectories, see
`block`. Without a GPU the same kernel is interpreted: slow, but with the same result. Experimental:
it has been interpreted and lowered for CUDA, but never run on a GPU, and JAX 0.11.2 deprecates that
backend and warns where it is used. So it is followed only when it is asked for by name;
benchmarks/gpu_ensemble.py measures it on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import pallas
from jax.experimental.pallas import triton
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.program.in_jax import NO_NODES, VectorField
from eigendyn.results.trajectory import Batch
from eigendyn.settings.checks import check_whole
from eigendyn.settings.choices import DTYPES, check_choice
from eigendyn.settings.device import find_device
from eigendyn.settings.run_settings import SMALLEST_RTOL
from eigendyn.simulation.engines.gpu.block import Inputs, Outputs, kernel_body
from eigendyn.simulation.engines.gpu.reductions import REDUCTIONS, Reduction
from eigendyn.simulation.engines.gpu.tile import padded

TILE = 128  # numbers of all states in a kernel: four in each thread of a warp
MEMORY = 2**30  # bytes on the device
SHARE = 0.1  # of the tolerances that a step may use: errors add up and grow along a trajectory


def kernel_ensemble(
    field: VectorField,
    starts: NDArray,
    times: NDArray,
    parameters: Mapping[str, float | NDArray],
    *,
    rtol: float,
    atol: float,
    max_steps: int = 100_000,
    keep: str = "trajectory",
    block: int | None = None,
    memory: int = MEMORY,
    device: str = "auto",
) -> Batch:
    """Integrate an ensemble, each trajectory with its own step size, in one kernel on a GPU.

    It cannot be differentiated; `flow` can.

    Args:
        field: Rates of change of the states.
        starts: States at the first time (trajectories, states, modes), float64 or float32, which
            is the precision of everything.
        times: Increasing times to save (times,), learning rate × step.
        parameters: One number for each of the field's parameters, or one for each trajectory.
        rtol: Error allowed, relative to the state; a step may use a tenth of it.
        atol: Error allowed, absolute; likewise.
        max_steps: Adaptive steps after which a trajectory gives up.
        keep: What leaves the device. "trajectory": the states at the saved times; "final": at the
            last of them; "extrema": their smallest and largest values over the saved times, on the
            last axis.
        block: Trajectories of one kernel, a power of two; None takes as many as fill a tile.
        memory: Bytes that inputs and outputs may take on the device; the ensemble is run in
            chunks of trajectories that fit in.
        device: One of `choices.DEVICES`.

    Returns:
        What was kept, and how each trajectory ended: one that fails is NaN from there on and
        changes no other.

    Raises:
        InvalidSetting: Tolerances below the precision, a block that is no power of two, times
            that do not increase, or a memory that holds no block.
        DeviceUnavailable: There is no such device.
    """
    starts, times = np.asarray(starts), np.asarray(times)
    precision = check_choice("dtype", starts.dtype.name, DTYPES)
    count, states, modes = starts.shape
    block = _fitting(states, modes) if block is None else check_whole("block", block, 1)
    _check(precision, rtol, block, times)
    where = find_device(device)
    interpret = where.platform == "cpu"
    reduction = REDUCTIONS[check_choice("reduction", keep, REDUCTIONS)]
    shape = reduction.shape(states, modes, len(times))
    numbers = {
        name: np.broadcast_to(np.asarray(parameters[name], precision), count)
        for name in field.parameters
    }
    bytes_each = starts.itemsize * (states * modes + len(numbers) + int(np.prod(shape))) + 8
    size = _chunk(count, block, bytes_each, memory)
    shared = _shared(field, times, rtol, atol, max_steps, precision)
    values = np.empty((count, *shape), precision)
    status, steps = np.empty(count, np.int8), np.empty(count, np.int32)
    with jax.default_device(where):
        shared = jax.device_put(shared, where)
        for chunk, read in _chunks(starts, numbers, shared, size):
            rest = chunk.stop - chunk.start
            written = launch(
                replace(field, nodes=NO_NODES), read, reduction, block=block, interpret=interpret
            )
            values[chunk] = written.values[:rest]
            status[chunk], steps[chunk] = written.status[:rest], written.steps[:rest]
    return Batch(
        times=times if keep == "trajectory" else times[-1:],
        values=np.moveaxis(values, 1, -1),
        status=status,
        steps=steps,
    )


@partial(jax.jit, static_argnames=("reduction", "block", "interpret"))
def launch(
    field: VectorField, read: Inputs, reduction: Reduction, *, block: int, interpret: bool
) -> Outputs:
    """Run the kernel over a chunk of trajectories that is on the device.

    Args:
        field: Rates of change, without nodes: those are in `read`.
        read: What the kernel reads.
        reduction: What it keeps.
        block: Trajectories of one kernel, a power of two.
        interpret: Run it as plain JAX operations.

    Returns:
        What it writes.
    """
    count, states, modes = read.starts.shape
    shape = reduction.shape(states, modes, read.times.shape[0])
    call = pallas.pallas_call(
        kernel_body(field, reduction, block),
        out_shape=Outputs(
            jax.ShapeDtypeStruct((count, *shape), read.starts.dtype),
            jax.ShapeDtypeStruct((count,), jnp.int32),
            jax.ShapeDtypeStruct((count,), jnp.int32),
        ),
        grid=(-(-count // block),),
        compiler_params=triton.CompilerParams(
            num_warps=max(1, block * padded(modes) // TILE), num_stages=1
        ),
        interpret=interpret,
        name="ensemble",
    )
    return Outputs(*call(read))


def _fitting(states: int, modes: int) -> int:
    """Trajectories whose states and stages fit in the registers of a warp, a power of two."""
    return 1 << (max(1, TILE // (states * padded(modes))).bit_length() - 1)


def _check(precision: str, rtol: float, block: int, times: NDArray) -> None:
    if rtol < SMALLEST_RTOL[precision]:
        message = (
            f"rtol must be at least {SMALLEST_RTOL[precision]:g} in {precision}, not {rtol:g}: a "
            "step cannot be more accurate than its numbers. Try a larger one, or float64."
        )
        raise InvalidSetting(message)
    if block & (block - 1):
        message = f"block must be a power of two, not {block}. Try {padded(block)}."
        raise InvalidSetting(message)
    if len(times) < 2 or not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
        message = "times must be at least two, finite and increasing. Try numpy.linspace."
        raise InvalidSetting(message)


def _chunk(count: int, block: int, bytes_each: int, memory: int) -> int:
    """Trajectories of a chunk: whole blocks, and no more than there are."""
    blocks = memory // (bytes_each * block)
    if blocks < 1:
        message = (
            f"memory must hold one block of {block} trajectories, {bytes_each * block} bytes, not "
            f"{memory}. Try more memory, fewer times or a smaller block."
        )
        raise InvalidSetting(message)
    return min(blocks * block, count)


def _shared(
    field: VectorField,
    times: NDArray,
    rtol: float,
    atol: float,
    max_steps: int,
    precision: str,
) -> Inputs:
    """What all chunks read, without what is a trajectory's own."""
    has_nodes = field.code.averages > 0
    nodes = {name: field.nodes.values[name] for name in field.node_names} if has_nodes else {}
    read = Inputs(
        starts=None,
        times=times,
        tolerance=np.array([max(SHARE * rtol, SMALLEST_RTOL[precision]), SHARE * atol]),
        max_steps=None,
        parameters={},
        weights=field.nodes.weights if has_nodes else None,
        nodes=nodes,
    )
    read = jax.tree.map(lambda leaf: np.asarray(leaf, precision), read)
    return read._replace(max_steps=np.array([max_steps], np.int32))


def _chunks(
    starts: NDArray, numbers: Mapping[str, NDArray], shared: Inputs, size: int
) -> Iterator[tuple[slice, Inputs]]:
    """Cut the ensemble; the last chunk is filled up, so that one compiled kernel serves all."""
    count = len(starts)
    for first in range(0, count, max(size, 1)):
        chunk = slice(first, min(first + size, count))
        taken = np.minimum(np.arange(first, first + size), count - 1)
        own = {name: jnp.asarray(values[taken]) for name, values in numbers.items()}
        yield chunk, shared._replace(starts=jnp.asarray(starts[taken]), parameters=own)
