"""Load rows of a table that lie anywhere, and transpose them to a vector for each column."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from eigendyn.program.machine.builder import I32, I64, Builder


def gathered(v: Builder, base: Any, rows: Any, width: int) -> list[Any]:
    """Transpose as many rows of `width` numbers as there are lanes.

    Whole rows are loaded, each from one cache line. Rows that are `width` apart are joined to
    vectors of all lanes; then log2(width) rounds of exchanges between pairs of vectors bring the
    lanes of each column together.

    Args:
        v: Where to write.
        base: Address of the table.
        rows: Which of its rows, a vector of whole numbers.
        width: Numbers in a row, a power of two.

    Returns:
        A vector for each column.
    """
    b, line = v.at, ir.VectorType(v.kind, width)
    rows = b.mul(rows, ir.Constant(ir.VectorType(I64, v.lanes), [width] * v.lanes))
    loaded = []
    for lane in range(v.lanes):
        place = b.gep(base, [b.extract_element(rows, I32(lane))], source_etype=v.kind)
        loaded.append(b.load(place, typ=line, align=v.size * width))
    loaded = [_join(v, loaded[i::width]) for i in range(width)]
    distance = 1
    while distance < width:
        for i in (i for i in range(width) if not i & distance):
            j = i + distance
            loaded[i], loaded[j] = (
                v.mix(loaded[i], loaded[j], _exchange(v.lanes, distance, offset))
                for offset in (0, distance)
            )
        distance *= 2
    return loaded


def _join(v: Builder, parts: list[Any]) -> Any:
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=True)
        parts = [v.mix(one, two, range(2 * one.type.count)) for one, two in pairs]
    return parts[0]


def _exchange(count: int, distance: int, offset: int) -> list[int]:
    """Blocks of `distance` lanes at `offset`, of the first and the second vector in turn."""
    return [
        (lane & ~distance) + offset + (count if lane & distance else 0) for lane in range(count)
    ]
