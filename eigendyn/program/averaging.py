"""Hold the nodes of a quadrature, or samples, with their weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike, NDArray

if TYPE_CHECKING:
    from jax import Array


@dataclass(frozen=True, eq=False)
class Nodes:
    """Where an average is taken: quadrature nodes, or samples.

    Args:
        weights: Weight of each node (nodes,).
        values: By symbol name, (nodes, 1) if common to all modes, else (nodes, modes).
    """

    weights: Array | NDArray = field(repr=False)
    values: Mapping[str, Array | NDArray] = field(repr=False)

    def __getitem__(self, rows: slice | NDArray) -> Nodes:
        """Some of the nodes."""
        values = {name: value[rows] for name, value in self.values.items()}
        return Nodes(self.weights[rows], values)

    def of_modes(self, modes: NDArray) -> Nodes:
        """Those of some modes."""
        own = {n: v[:, modes] if v.shape[1] > 1 else v for n, v in self.values.items()}
        return Nodes(self.weights, own)

    def in_precision(self, dtype: DTypeLike) -> Nodes:
        """The same in a floating-point type."""
        with np.errstate(over="ignore", under="ignore"):
            values = {name: np.asarray(value, dtype) for name, value in self.values.items()}
            return Nodes(np.asarray(self.weights, dtype), values)


NO_NODES = Nodes(np.zeros(0), {})
