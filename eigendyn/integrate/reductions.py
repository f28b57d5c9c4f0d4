"""What is asked of an ensemble enters; what its kernels keep of the states they pass leaves.

Each reduction remembers arrays in registers, is shown every saved time of every trajectory in
turn, and writes its result, so that only that leaves the device. All of them see the states at
the saved times, nothing between: they equal what the same rule makes of the saved trajectory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import jax
import jax.numpy as jnp
from jax import Array
from numpy.typing import NDArray

from eigendyn.integrate.stepping import States
from eigendyn.integrate.tile import Tile

NEAR = 0.05  # of its end value: so near a mode has been recruited
Memory = tuple[Array, ...]


class Reduction(Protocol):
    """What a kernel does with the states at saved times; see each of them for what it keeps."""

    passes: bool  # whether it wants to see the times between the first and the last

    def shape(self, states: int, modes: int, times: int) -> tuple[int, int, int]:
        """Shape of what is kept of one trajectory: times, states, modes."""
        ...

    def begin(self, tile: Tile, ref, out, time: Array, states: States) -> Memory:
        """Remember the first saved time."""
        ...

    def see(
        self, memory: Memory, tile: Tile, ref, out, index: Array, passed: Array, time: Array,
        states: States,
    ) -> Memory:  # fmt: skip
        """See the saved time of this index (block, 1) in the trajectories that have passed it."""
        ...

    def finish(self, memory: Memory, tile: Tile, ref, out, done: Array, states: States) -> None:
        """Write what is kept; NaN where a trajectory is not done (block, 1)."""
        ...


@dataclass(frozen=True)
class EveryTime:
    """Keep the states at every saved time, written as they are passed."""

    passes: bool = True

    def shape(self, states, modes, times):
        return times, states, modes

    def begin(self, tile, ref, out, time, states):
        return self.see((), tile, ref, out, 0 * tile.rows, tile.rows >= 0, time, states)

    def see(self, memory, tile, ref, out, index, passed, time, states):
        for number, state in enumerate(states):
            tile.store(out, (index, number), state, passed)
        return memory

    def finish(self, memory, tile, ref, out, done, states):
        """Nothing is left to write: the kernel shows NaN for every time that was not reached."""


@dataclass(frozen=True)
class End:
    """Keep the states at the last time."""

    passes: bool = False

    def shape(self, states, modes, times):
        return 1, states, modes

    def begin(self, tile, ref, out, time, states):
        return ()

    def see(self, memory, tile, ref, out, index, passed, time, states):
        return memory

    def finish(self, memory, tile, ref, out, done, states):
        for number, state in enumerate(states):
            tile.store(out, (0, number), jnp.where(done, state, jnp.nan), tile.rows >= 0)


@dataclass(frozen=True)
class Extrema:
    """Keep the smallest and the largest value of each state over the saved times."""

    passes: bool = True

    def shape(self, states, modes, times):
        return 2, states, modes

    def begin(self, tile, ref, out, time, states):
        return (*states, *states)

    def see(self, memory, tile, ref, out, index, passed, time, states):
        low, high = memory[: len(states)], memory[len(states) :]
        lower = (jnp.where(passed, jnp.minimum(m, s), m) for m, s in zip(low, states, strict=True))
        upper = (jnp.where(passed, jnp.maximum(m, s), m) for m, s in zip(high, states, strict=True))
        return (*lower, *upper)

    def finish(self, memory, tile, ref, out, done, states):
        for number, extreme in enumerate(memory):
            place = divmod(number, len(states))
            tile.store(out, place, jnp.where(done, extreme, jnp.nan), tile.rows >= 0)


@dataclass(frozen=True)
class Recruitment:
    """Keep the first time at which each mode's variance is within 5 % of its end value.

    The end must be known, so the ensemble is run twice, first to the end alone; memory does not
    grow with the times. Between two saved times log|v/v_end − 1| is taken as linear, or
    v/v_end itself where it passes through 1, as for single runs.
    """

    passes: bool = True

    def shape(self, states, modes, times):
        return 1, 1, modes

    def begin(self, tile, ref, out, time, states):
        """Remember the distance at the time before, that time, and the time of arrival or −1."""
        distance = self._distance(tile, ref, states)
        found = jnp.where(jnp.abs(distance) <= NEAR, time, -jnp.inf)
        return distance, time, tile.whole(found)

    def see(self, memory, tile, ref, out, index, passed, time, states):
        start, before, found = memory
        stop = self._distance(tile, ref, states)
        same_side = (start > 0) == (stop > 0)
        arrives = passed & (found == -jnp.inf) & ((jnp.abs(stop) <= NEAR) | ~same_side)
        edge = jnp.where(start > 0, NEAR, -NEAR)
        relaxes = same_side & (stop != 0)
        crossed = arrives & relaxes
        rest = jnp.where(crossed, stop / jnp.where(crossed, start, 1.0), 0.5)
        relaxing = jnp.log(edge / jnp.where(crossed, start, edge * 0.5)) / jnp.log(rest)
        linear = (start - edge) / jnp.where(arrives & ~relaxes, start - stop, 1.0)
        fraction = jnp.where(relaxes, relaxing, linear)
        found = jnp.where(arrives, before + fraction * (time - before), found)
        return jnp.where(passed, stop, start), jnp.where(passed, time, before), found

    def finish(self, memory, tile, ref, out, done, states):
        end = tile.load(ref, 0)
        defined = done & (end != 0) & (memory[2] > -jnp.inf)
        tile.store(out, (0, 0), jnp.where(defined, memory[2], jnp.nan), tile.rows >= 0)

    def _distance(self, tile, ref, states):
        """v/v_end − 1, bounded so that ratios of distances stay finite."""
        end = tile.load(ref, 0)
        ratio = states[0] / jnp.where(end == 0, 1.0, end)
        bound = float(jnp.finfo(ratio.dtype).max) ** 0.4
        return jnp.minimum(ratio * ratio - 1, bound)


@dataclass(frozen=True, eq=False)
class Basins:
    """Points whose basins are to be told apart.

    Args:
        points: States of each point (points, states, modes).
        tolerance: Largest distance of an end from its point, the norm over states and modes.
    """

    points: NDArray
    tolerance: float


@dataclass(frozen=True)
class Nearest:
    """Keep the number of the point where each trajectory ends; −1 if it ends at none.

    Args:
        tolerance: That of `Basins`.
    """

    tolerance: float
    passes: bool = False

    def shape(self, states, modes, times):
        return 1, 1, 1

    def begin(self, tile, ref, out, time, states):
        return ()

    def see(self, memory, tile, ref, out, index, passed, time, states):
        return memory

    def finish(self, memory, tile, ref, out, done, states):
        """The nearest of the points within the tolerance; the first of several as near."""
        total = tile.counted().total

        def compare(number, best):
            label, nearest = best
            squares = jnp.zeros(tile.rows.shape, states[0].dtype)
            for state, values in enumerate(states):
                squares = squares + total((values - tile.load_mode(ref, number, state)) ** 2)
            nearer = squares < nearest
            return jnp.where(nearer, number, label), jnp.where(nearer, squares, nearest)

        unknown = (
            jnp.full(tile.rows.shape, -1, jnp.int32),
            jnp.full(tile.rows.shape, jnp.inf, states[0].dtype),
        )
        count = jnp.int32(ref.shape[0])
        label, nearest = jax.lax.fori_loop(jnp.int32(0), count, compare, unknown)
        label = jnp.where(jnp.sqrt(nearest) <= self.tolerance, label, -1)
        tile.store_one(out, jnp.where(done, label.astype(nearest.dtype), jnp.nan), 0, 0, 0)


REDUCTIONS: dict[str, Callable[[], Reduction]] = {
    "trajectory": EveryTime,
    "final": End,
    "extrema": Extrema,
    "recruitment": Recruitment,
}
