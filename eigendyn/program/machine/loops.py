"""Write a counted loop in LLVM's intermediate representation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

from eigendyn.program.machine.vectors import I64


@contextmanager
def counted(at: ir.IRBuilder, rounds: Any) -> Iterator[Any]:
    """Write what stands inside `with` as the body of a loop; no round if there are none.

    Args:
        at: The builder.
        rounds: Number of rounds, an integer of 64 bits.

    Yields:
        The index, from zero on.
    """
    before = at.block
    head, body, after = (at.append_basic_block(name) for name in ("head", "body", "after"))
    at.branch(head)
    at.position_at_end(head)
    index = at.phi(I64)
    index.add_incoming(I64(0), before)
    at.cbranch(at.icmp_signed("<", index, rounds), body, after)
    at.position_at_end(body)
    yield index
    index.add_incoming(at.add(index, I64(1)), at.block)
    at.branch(head)
    at.position_at_end(after)
