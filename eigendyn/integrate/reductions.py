"""Define what an ensemble kernel keeps of the states that it passes.

Each reduction remembers arrays in registers, is shown every saved time of every trajectory in
turn, and writes its result, so that only that leaves the device. All of them see the states at
the saved times, nothing between: they equal what the same rule makes of the saved trajectory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from numpy.typing import NDArray

from eigendyn.integrate.stepping import States
from eigendyn.integrate.tile import Tile

NEAR = 0.05  # of its end value: so near a mode has been recruited
Memory = tuple[Array, ...]


@dataclass(frozen=True)
class View:
    """What a reduction works on.

    Args:
        tile: The kernel's trajectories and modes.
        reference: What it compares with, references into memory.
        out: Where it writes (trajectories, times, states, modes).
    """

    tile: Tile
    reference: Any
    out: Any


@dataclass(frozen=True)
class Reduction:
    """What a kernel does with the states at saved times.

    Args:
        shape: (states, modes, times) to the shape of what is kept of a trajectory, times first.
        finish: Write what is kept, NaN where a trajectory is not done (block, 1):
            (view, memory, done, states).
        begin: Remember the first saved time: (view, time, states) to arrays.
        see: (view, memory, index, passed, time, states) to what is remembered, once the saved time
            of that index (block, 1) has been passed; None if only the end matters.
    """

    shape: Callable[[int, int, int], tuple[int, int, int]]
    finish: Callable[[View, Memory, Array, States], None]
    begin: Callable[[View, Array, States], Memory] = lambda _view, _time, _states: ()
    see: Callable[[View, Memory, Array, Array, Array, States], Memory] | None = None


@dataclass(frozen=True, eq=False)
class Basins:
    """Points whose basins are to be told apart.

    Args:
        points: States of each point (points, states, modes).
        tolerance: Largest distance of an end from its point, the norm over states and modes.
    """

    points: NDArray
    tolerance: float


def _write_first(view: View, time: Array, states: States) -> Memory:
    first = jnp.zeros(view.tile.rows.shape, jnp.int32)
    return _write(view, (), first, first == 0, time, states)


def _write(
    view: View, memory: Memory, index: Array, passed: Array, _time: Array, states: States
) -> Memory:
    for number, state in enumerate(states):
        view.tile.store(view.out, (index, number), state, passed)
    return memory


def _has_written(_view: View, _memory: Memory, _done: Array, _states: States) -> None:
    """Leave it: the kernel shows NaN for every time that was not reached."""


def _write_end(view: View, _memory: Memory, done: Array, states: States) -> None:
    for number, state in enumerate(states):
        view.tile.store_all(view.out, (0, number), jnp.where(done, state, jnp.nan))


def _first_extrema(_view: View, _time: Array, states: States) -> Memory:
    return (*states, *states)


def _extend(
    _view: View, memory: Memory, _index: Array, passed: Array, _time: Array, states: States
) -> Memory:
    count = len(states)
    lows = (jnp.minimum(m, s) for m, s in zip(memory[:count], states, strict=True))
    highs = (jnp.maximum(m, s) for m, s in zip(memory[count:], states, strict=True))
    return tuple(jnp.where(passed, b, a) for a, b in zip(memory, (*lows, *highs), strict=True))


def _write_extrema(view: View, memory: Memory, done: Array, states: States) -> None:
    for number, extreme in enumerate(memory):
        place = divmod(number, len(states))
        view.tile.store_all(view.out, place, jnp.where(done, extreme, jnp.nan))


def _distance(view: View, states: States) -> Array:
    """v/v_end − 1, bounded so that ratios of distances stay finite."""
    end = view.tile.load(view.reference, 0)
    ratio = states[0] / jnp.where(end == 0, 1.0, end)
    return jnp.minimum(ratio * ratio - 1, float(jnp.finfo(ratio.dtype).max) ** 0.4)


def _first_distance(view: View, time: Array, states: States) -> Memory:
    """Remember the distance, its time, and the time of arrival; −∞ where there is none yet."""
    distance = _distance(view, states)
    return distance, time, jnp.where(jnp.abs(distance) <= NEAR, time, -jnp.inf)


def _arrive(
    view: View, memory: Memory, _index: Array, passed: Array, time: Array, states: States
) -> Memory:
    """Between two saved times log|x| is taken as linear, or x where it changes sign or vanishes.

    The branch that is not taken gets numbers for which it is finite.
    """
    start, before, found = memory
    stop = _distance(view, states)
    same_side = (start > 0) == (stop > 0)
    arrives = passed & (found == -jnp.inf) & ((jnp.abs(stop) <= NEAR) | ~same_side)
    edge = jnp.where(start > 0, NEAR, -NEAR)
    is_smooth = same_side & (stop != 0)
    relaxes = arrives & is_smooth
    rest = jnp.where(relaxes, stop / jnp.where(relaxes, start, 1.0), 0.5)
    relaxing = jnp.log(edge / jnp.where(relaxes, start, 2 * edge)) / jnp.log(rest)
    linear = (start - edge) / jnp.where(arrives & ~is_smooth, start - stop, 1.0)
    arrival = before + jnp.where(is_smooth, relaxing, linear) * (time - before)
    found = jnp.where(arrives, arrival, found)
    return jnp.where(passed, stop, start), jnp.where(passed, time, before), found


def _write_arrival(view: View, memory: Memory, done: Array, _states: States) -> None:
    defined = done & (view.tile.load(view.reference, 0) != 0)
    view.tile.store_all(view.out, (0, 0), jnp.where(defined, memory[2], jnp.nan))


def _write_nearest(view: View, _memory: Memory, done: Array, states: States) -> None:
    """Number of the nearest point within the tolerance; the first of several as near."""
    points, tolerance = view.reference
    total, shape = view.tile.counted().total, view.tile.rows.shape

    def compare(number: Array, best: tuple[Array, Array]) -> tuple[Array, Array]:
        label, nearest = best
        squares = jnp.zeros(shape, states[0].dtype)
        for state, values in enumerate(states):
            squares = squares + total((values - view.tile.load_mode(points, number, state)) ** 2)
        nearer = squares < nearest
        return jnp.where(nearer, number, label), jnp.where(nearer, squares, nearest)

    none = jnp.full(shape, -1, jnp.int32), jnp.full(shape, jnp.inf, states[0].dtype)
    label, nearest = jax.lax.fori_loop(jnp.int32(0), jnp.int32(points.shape[0]), compare, none)
    label = jnp.where(jnp.sqrt(nearest) <= tolerance[0], label, -1).astype(nearest.dtype)
    view.tile.store_one(view.out, jnp.where(done, label, jnp.nan), 0, 0, 0)


END = Reduction(shape=lambda states, modes, _times: (1, states, modes), finish=_write_end)
RECRUITMENT = Reduction(
    shape=lambda _states, modes, _times: (1, 1, modes),
    begin=_first_distance,
    see=_arrive,
    finish=_write_arrival,
)
NEAREST = Reduction(shape=lambda _states, _modes, _times: (1, 1, 1), finish=_write_nearest)
REDUCTIONS: Mapping[str, Reduction] = MappingProxyType(
    {
        "trajectory": Reduction(
            shape=lambda states, modes, times: (times, states, modes),
            begin=_write_first,
            see=_write,
            finish=_has_written,
        ),
        "final": END,
        "extrema": Reduction(
            shape=lambda states, modes, _times: (2, states, modes),
            begin=_first_extrema,
            see=_extend,
            finish=_write_extrema,
        ),
        "recruitment": RECRUITMENT,
    }
)
