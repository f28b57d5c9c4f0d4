"""Tabulate a function of a positive number so that few instructions read it.

Each octave of the argument is cut into blocks, which the leading bits of a float number; each block
is cut into as many equal cells as its polynomials need. So the table is fine near zero and coarse
far from it, its index costs no logarithm and no search, and it is refined only where it has to be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

SHIFT = 50  # bits to the right of a block's number: 52 − 50 = 2 of the mantissa, 4 blocks an octave
TERMS = 8  # of a cell's polynomial, one cache line
MOST_CELLS = 2**12  # in a block

_NODES = chebyshev.chebpts1(TERMS)
_TO_POWERS = np.linalg.inv(np.polynomial.polynomial.polyvander(_NODES, TERMS - 1))
_BETWEEN = chebyshev.chebpts2(TERMS + 1)  # where the interpolation errs most


@dataclass(frozen=True)
class Table:
    """A function on 0 ≤ u ≤ limit by polynomials of degree 7.

    Args:
        first: Number of the first block, which begins at u = 0.
        records: (scale, offset) of each block (blocks, 2): u lies in cell ⌊scale u + offset⌋.
        cells: Coefficients of each cell (cells, TERMS), in powers of the position within it, which
            is 2 (scale u + offset − cell) − 1.
        limit: Largest argument; beyond, that of the limit is taken.
        error: Largest error found between the nodes over the allowed one; at most 1 unless the
            function is rougher than MOST_CELLS in a block.
    """

    first: int
    records: NDArray
    cells: NDArray
    limit: float
    error: float

    def __call__(self, u: NDArray) -> NDArray:
        """Read the table, as machine code does."""
        u = np.minimum(np.asarray(u, dtype=float), self.limit)
        block = np.clip(block_number(u) - self.first, 0, len(self.records) - 1)
        position = u * self.records[block, 0] + self.records[block, 1]
        cell = np.floor(position)
        return _values(self.cells[cell.astype(int)], 2 * (position - cell) - 1)


def block_number(u: NDArray) -> NDArray:
    """Number of the block that a positive float lies in."""
    return np.right_shift(u.view(np.int64), SHIFT)


def tabulate(
    function: Callable[[NDArray], NDArray],
    allowed: Callable[[NDArray, NDArray], NDArray],
    smallest: float,
    largest: float,
    *,
    flat: bool,
) -> Table:
    """Tabulate a function to an allowed error, measured between the nodes of every cell.

    Args:
        function: Takes and returns arrays of any shape.
        allowed: Allowed error, from arguments and values.
        smallest: Where octaves begin, roughly.
        largest: Largest argument.
        flat: True if the function is a constant below `smallest`, else it is a polynomial there.
    """
    first, last = (int(block_number(np.array([u]))[0]) for u in (smallest, largest))
    first -= flat  # the constant needs a block that is below `smallest` altogether
    numbers = np.arange(first, last + 2, dtype=np.int64)
    edges = np.left_shift(numbers, SHIFT).view(float)
    low, width = edges[:-1].copy(), np.diff(edges)
    if not flat:
        low[0], width[0] = 0.0, edges[1]
    count = np.ones(len(low), dtype=int)
    cells: list[NDArray] = [np.empty(0)] * len(low)
    errors = np.zeros(len(low))
    pending = np.arange(len(low))
    while len(pending):
        pieces = int(count[pending[0]])
        start = low[pending, None] + width[pending, None] * (np.arange(pieces) / pieces)
        half = (width[pending] / (2 * pieces))[:, None, None]
        middle = start[..., None] + half
        series = function(middle + half * _NODES) @ _TO_POWERS.T
        between = middle + half * _BETWEEN
        exact = function(between)
        error = np.abs(_values(series[..., None, :], _BETWEEN) - exact) / allowed(between, exact)
        errors[pending] = error.max(axis=(1, 2))
        for block, found in zip(pending, series, strict=True):
            cells[block] = found
        pending = pending[(errors[pending] > 1) & (pieces < MOST_CELLS)]
        count[pending] *= 2
    if flat:
        value = function(edges[:1])
        cells[0], count[0], errors[0] = _constant(value), 1, 0.0
        width[0], low[0] = edges[1], 0.0
    # one multiplication and one addition lead from u to its cell, whichever block it is in
    scale = count / width
    begins = np.concatenate([[0], np.cumsum(count)[:-1]])
    beyond = _constant(function(edges[-1:]))  # what rounding up at the limit finds
    return Table(
        first=first,
        records=np.stack([scale, begins - low * scale], axis=1),
        cells=np.concatenate([*cells, beyond]),
        limit=float(edges[-1]) * (1 - 2**-53),
        error=float(errors.max()),
    )


def _values(coefficients: NDArray, x: NDArray) -> NDArray:
    value = coefficients[..., TERMS - 1]
    for k in range(TERMS - 2, -1, -1):
        value = value * x + coefficients[..., k]
    return value


def _constant(value: NDArray) -> NDArray:
    return np.concatenate([value[:, None], np.zeros((1, TERMS - 1))], axis=1)
