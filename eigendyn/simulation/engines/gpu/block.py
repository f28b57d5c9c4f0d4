"""Build the body of a GPU kernel that integrates a whole block of trajectories.

The kernel holds a block of trajectories in registers from the first time to the last: the adaptive
Runge–Kutta loop, with a step size for each trajectory, its error control, the dense output and what
is kept. A block ends when its slowest trajectory does, and waits for no other block. The rates are
the vector field itself, traced here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.experimental import pallas
from jax.experimental.pallas import triton

from eigendyn.program.in_jax import Modes, VectorField
from eigendyn.results.trajectory import COMPLETED, DIVERGED, INVALID, OUT_OF_STEPS
from eigendyn.simulation.engines.gpu import stepping
from eigendyn.simulation.engines.gpu.reductions import Memory, Reduction, View
from eigendyn.simulation.engines.gpu.stepping import Rates, States
from eigendyn.simulation.engines.gpu.tile import Tile, tile_at

SHORTEST = 1e-30  # step as a fraction of the time, where rates that are not finite end the run
RUNNING = -1


class Inputs(NamedTuple):
    """What a kernel reads, each an array or a kernel's reference to it.

    Args:
        starts: (trajectories, states, modes).
        times: Saved times (times,).
        tolerance: rtol, atol (2,).
        max_steps: Adaptive steps after which to give up (1,).
        parameters: One number per trajectory, for each of the field's parameters (trajectories,).
        weights: Weight of each of the field's nodes (nodes,), or None.
        nodes: By name, values (nodes, 1) if common to all modes, else (nodes, modes).
    """

    starts: Any
    times: Any
    tolerance: Any
    max_steps: Any
    parameters: Mapping[str, Any]
    weights: Any
    nodes: Mapping[str, Any]


class Outputs(NamedTuple):
    """What a kernel writes.

    Args:
        values: What the reduction keeps (trajectories, times, states, modes).
        status: Index into `BATCH_STATUSES` (trajectories,), int32.
        steps: Adaptive steps taken (trajectories,), int32.
    """

    values: Any
    status: Any
    steps: Any


class Run(NamedTuple):
    """Where every trajectory of a block is: what goes around the loop. Numbers are (block, 1)."""

    time: Array
    step: Array
    saved: Array  # how many saved times have been passed
    status: Array
    steps: Array
    states: States
    rates: States
    memory: Memory


@dataclass(frozen=True)
class Block:
    """One block of an ensemble, as a kernel sees it."""

    tile: Tile
    rates: Rates
    norm: stepping.Norm
    reduction: Reduction
    view: View
    read: Inputs
    write: Outputs
    times: int
    begin: Array
    end: Array
    tolerance: tuple[Array, Array]

    def time(self, index: Array) -> Array:
        """Read saved times (block, 1); the last one again beyond it."""
        return triton.load(self.read.times.at[jnp.minimum(index, self.times - 1)])


def kernel_body(field: VectorField, reduction: Reduction, block: int) -> Callable:
    """Build the function that a Pallas grid runs, of `Inputs` and `Outputs`.

    Args:
        field: Rates of change; its nodes are read from the inputs.
        reduction: What to keep.
        block: Trajectories of one kernel, a power of two.
    """

    def body(read: Inputs, *written: Any) -> None:
        write = Outputs(*written)
        trajectories, count, modes = read.starts.shape
        tile = tile_at(pallas.program_id(0), block, trajectories, modes)
        over = tile.counted()
        numbers = {name: tile.load_one(ref) for name, ref in read.parameters.items()}

        def rates(time: Array, states: States) -> States:
            averages = _averages(field, tile, read, states, numbers, over)
            found = field.rates(time, states, numbers, over, averages)
            return tuple(tile.whole(jnp.asarray(rate, states[0].dtype)) for rate in found)

        def norm(values) -> Array:
            squares = sum(over.total(value * value) for value in values)
            return jnp.sqrt(squares / (count * modes))

        tolerance = read.tolerance[0], read.tolerance[1]
        times = read.times.shape[0]
        begin, end = (jnp.full(tile.rows.shape, read.times[at]) for at in (0, times - 1))
        here = Block(
            *(tile, rates, norm, reduction, View(tile, write.values)),
            *(read, write, times, begin, end, tolerance),
        )
        states = tuple(tile.load(read.starts, state) for state in range(count))
        run = jax.lax.while_loop(_any_runs, lambda run: _advance(here, run), _begin(here, states))
        _finish(here, run)

    return body


def _averages(
    field: VectorField, tile: Tile, read: Inputs, states: States, numbers: Mapping, over: Modes
) -> tuple[Array, ...]:
    """Sum weight × integrand over the nodes, read one by one."""
    if not field.code.averages:
        return ()

    def add(node, totals):
        values = {
            name: ref[node, 0] if ref.shape[1] == 1 else tile.load_mode(ref, node)
            for name, ref in read.nodes.items()
        }
        parts = field.integrands(states, numbers, over, values)
        weight = read.weights[node]
        return tuple(t + weight * tile.whole(p) for t, p in zip(totals, parts, strict=False))

    nothing = (jnp.zeros(tile.shape, states[0].dtype),) * field.code.averages
    count = jnp.int32(read.weights.shape[0])
    return jax.lax.fori_loop(jnp.int32(0), count, add, nothing)


def _begin(here: Block, states: States) -> Run:
    """Look at the starts: what is not finite, or a negative singular value, does not run."""
    time, end = here.begin, here.end
    zero = jnp.zeros(here.tile.rows.shape, jnp.int32)
    bad = sum(here.tile.counted().total(_is_bad(state, i == 0)) for i, state in enumerate(states))
    parameters = (here.tile.load_one(ref) for ref in here.read.parameters.values())
    bad = bad + sum(_is_bad(number, False) for number in parameters)
    first = here.rates(time, states)
    step = stepping.first_step(here.rates, here.norm, time, states, first, here.tolerance)
    step = jnp.where(jnp.isfinite(step), step, end - time)
    return Run(
        time=time,
        step=jnp.minimum(step, end - time),
        saved=zero + 1,
        status=jnp.where(bad > 0, INVALID, RUNNING).astype(jnp.int32),
        steps=zero,
        states=states,
        rates=first,
        memory=here.reduction.begin(here.view, time, states),
    )


def _is_bad(values: Array, is_size: bool) -> Array:
    """1 where a number is not finite, or negative where it is a size."""
    bad = ~jnp.isfinite(values)
    bad = bad | (values < 0) if is_size else bad
    return jnp.where(bad, 1.0, 0.0).astype(values.dtype)


def _any_runs(run: Run) -> Array:
    return jnp.max(jnp.where(run.status == RUNNING, 1, 0)) > 0


def _advance(here: Block, run: Run) -> Run:
    """Attempt a step of every trajectory; those that have ended stay as they are."""
    runs = run.status == RUNNING
    is_last = run.time + run.step >= here.end
    arrival = jnp.where(is_last, here.end, run.time + run.step)
    step = arrival - run.time  # as long as the rounded times say
    reached, stages = stepping.attempt(here.rates, run.time, run.states, run.rates, step)
    ratio = stepping.error_ratio(here.norm, run.states, reached, stages, step, here.tolerance)
    accepted = runs & (ratio <= 1)
    following = stepping.next_step(step, ratio)
    steps = run.steps + jnp.where(runs, 1, 0)
    limit = here.read.max_steps[0]
    time = jnp.where(accepted, arrival, run.time)
    ahead = time + following
    stuck = (ahead == time) | (~accepted & (ahead == arrival))  # the same step would be tried again
    stuck = stuck | (following <= SHORTEST * (here.end - here.begin))
    status = jnp.where(runs & (steps >= limit), OUT_OF_STEPS, run.status)
    status = jnp.where(runs & stuck, DIVERGED, status)
    status = jnp.where(accepted & is_last, COMPLETED, status)
    saved, memory = _show_passed(here, run, accepted, arrival, step, reached, stages)
    return Run(
        time=time,
        step=jnp.where(runs, following, run.step),
        saved=saved,
        status=status.astype(jnp.int32),
        steps=steps.astype(jnp.int32),
        states=_chosen(accepted, reached, run.states),
        rates=_chosen(accepted, stages[-1], run.rates),
        memory=memory,
    )


def _show_passed(
    here: Block,
    run: Run,
    accepted: Array,
    arrival: Array,
    step: Array,
    reached: States,
    stages: list[States],
) -> tuple[Array, Memory]:
    """Show the reduction every saved time that the accepted steps have passed."""
    see = here.reduction.see
    if see is None:
        return run.saved, run.memory

    def passes(saved: Array, time: Array) -> Array:
        return accepted & (saved < here.times) & (time <= arrival)

    def any_passes(carry) -> Array:
        return jnp.max(jnp.where(passes(carry[0], carry[1]), 1, 0)) > 0

    def show(carry):
        saved, time, memory = carry
        passed = passes(saved, time)
        there = stepping.within(run.states, step, stages, (time - run.time) / step)
        there = _chosen(time == arrival, reached, there)
        memory = see(here.view, memory, saved, passed, time, there)
        saved = saved + jnp.where(passed, 1, 0).astype(jnp.int32)
        return saved, here.time(saved), memory

    first = run.saved, here.time(run.saved), run.memory
    saved, _, memory = jax.lax.while_loop(any_passes, show, first)
    return saved, memory


def _finish(here: Block, run: Run) -> None:
    """Write what is kept, and NaN for the saved times that were not reached."""
    see, memory = here.reduction.see, run.memory
    if see is not None:
        nothing = tuple(jnp.full_like(state, jnp.nan) for state in run.states)
        first = jnp.where(run.status == INVALID, 0, run.saved).astype(jnp.int32)

        def any_is_missing(carry) -> Array:
            return jnp.max(jnp.where(carry[0] < here.times, 1, 0)) > 0

        def fill(carry):
            index, memory = carry
            missing = index < here.times
            return index + 1, see(here.view, memory, index, missing, here.time(index), nothing)

        _, memory = jax.lax.while_loop(any_is_missing, fill, (first, memory))
    here.reduction.finish(here.view, memory, run.status == COMPLETED, run.states)
    here.tile.store_one(here.write.status, run.status)
    here.tile.store_one(here.write.steps, run.steps)


def _chosen(where: Array, new: States, old: States) -> States:
    return tuple(jnp.where(where, a, b) for a, b in zip(new, old, strict=True))
