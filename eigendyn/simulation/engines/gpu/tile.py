"""Locate in memory the trajectories and modes that one GPU kernel holds.

A tile is a block of trajectories times the modes, both powers of two, as Triton wants them. What
it has too many of are copies: of the last trajectory, of the first mode. Copies behave as their
originals do, so that nothing which is not finite comes from them; they are left out of what is
taken over the modes, and never written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array
from jax.experimental.pallas import triton

from eigendyn.program.in_jax import Modes


@dataclass(frozen=True)
class Tile:
    """Trajectories and modes that one kernel holds.

    Args:
        rows: Number of each trajectory in the ensemble (block, 1).
        columns: Number of each mode (1, padded modes).
        trajectories: Number of trajectories that there are.
        modes: Number of modes that there are.
    """

    rows: Array
    columns: Array
    trajectories: int
    modes: int

    @property
    def shape(self) -> tuple[int, int]:
        """Trajectories and modes, copies included."""
        return self.rows.shape[0], self.columns.shape[1]

    def counted(self) -> Modes:
        """Reductions over the modes that there are, each once."""
        is_mode = self.columns < self.modes

        def total(summand: Array) -> Array:
            return jnp.sum(jnp.where(is_mode, summand, 0), axis=-1, keepdims=True)

        return Modes(self.modes, total, lambda v: jnp.max(self.whole(v), axis=-1, keepdims=True))

    def whole(self, values: Array) -> Array:
        """Repeat what is the same for all trajectories or modes."""
        return jnp.broadcast_to(values, self.shape)

    def load(self, ref, *place: int | Array) -> Array:
        """Read (block, modes) numbers of an array whose first and last axes are those."""
        rows = jnp.minimum(self.rows, self.trajectories - 1)
        return self._at(ref, rows, *place, self._own_columns())

    def load_mode(self, ref, *place: int | Array) -> Array:
        """Read numbers (block, modes), the same for every trajectory, whose last axis is modes."""
        return self._at(ref, *place, self._own_columns())

    def load_one(self, ref) -> Array:
        """Read one number (block, 1) for each trajectory."""
        return triton.load(ref.at[jnp.minimum(self.rows, self.trajectories - 1)])

    def store(self, ref, place: Sequence[int | Array], values: Array, where: Array) -> None:
        """Write (block, modes) numbers where it is asked for (block, 1)."""
        exists = (self.rows < self.trajectories) & (self.columns < self.modes)
        at = (self.whole(jnp.asarray(i, jnp.int32)) for i in (self.rows, *place, self.columns))
        triton.store(ref.at[tuple(at)], self.whole(values), mask=self.whole(where & exists))

    def store_all(self, ref, place: Sequence[int | Array], values: Array) -> None:
        """Write (block, modes) numbers of every trajectory."""
        self.store(ref, place, values, self.rows >= 0)

    def store_one(self, ref, values: Array) -> None:
        """Write one number (block, 1) for each trajectory."""
        triton.store(ref.at[(self.rows,)], values, mask=self.rows < self.trajectories)

    def _own_columns(self) -> Array:
        return jnp.where(self.columns < self.modes, self.columns, 0)

    def _at(self, ref, *place: int | Array) -> Array:
        return triton.load(ref.at[tuple(self.whole(jnp.asarray(i, jnp.int32)) for i in place)])


def tile_at(index: Array, block: int, trajectories: int, modes: int) -> Tile:
    """Find the tile of the `index`-th kernel, of `block` trajectories, a power of two."""
    rows = index * block + jax.lax.broadcasted_iota(jnp.int32, (block, 1), 0)
    columns = jax.lax.broadcasted_iota(jnp.int32, (1, padded(modes)), 1)
    return Tile(rows, columns, trajectories, modes)


def padded(count: int) -> int:
    """Smallest power of two that holds a number of things."""
    return 1 << (count - 1).bit_length()
