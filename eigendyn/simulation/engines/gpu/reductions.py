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

import jax.numpy as jnp
from jax import Array

from eigendyn.simulation.engines.gpu.stepping import States
from eigendyn.simulation.engines.gpu.tile import Tile

Memory = tuple[Array, ...]


@dataclass(frozen=True)
class View:
    """What a reduction works on.

    Args:
        tile: The kernel's trajectories and modes.
        out: Where it writes (trajectories, times, states, modes).
    """

    tile: Tile
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


REDUCTIONS: Mapping[str, Reduction] = MappingProxyType(
    {
        "trajectory": Reduction(
            shape=lambda states, modes, times: (times, states, modes),
            begin=_write_first,
            see=_write,
            finish=_has_written,
        ),
        "final": Reduction(
            shape=lambda states, modes, _times: (1, states, modes), finish=_write_end
        ),
        "extrema": Reduction(
            shape=lambda states, modes, _times: (2, states, modes),
            begin=_first_extrema,
            see=_extend,
            finish=_write_extrema,
        ),
    }
)
