"""Lock the chunks that a process works on, so that no two follow the same ones at once.

Every chunk is one byte of a file, locked as long as the process lives: a killed one leaves no lock.
Such locks are those of `fcntl`, which shared file systems pass on.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from eigendyn.errors import InvalidSetting

_held: set[Path] = set()  # by this process, which its own locks would not stop
_guard = Lock()


@contextmanager
def locked(file: Path, numbers: Sequence[int], store: Path) -> Iterator[None]:
    """Hold chunks as long as the context lasts.

    Args:
        file: Whose bytes are locked.
        numbers: Those of the chunks.
        store: What is said to be in use.

    Raises:
        InvalidSetting: Another process, or this one, holds one of them.
    """
    place = file.resolve()
    with _guard:
        if place in _held:
            raise _in_use(store)
        _held.add(place)
    try:
        with place.open("r+b") as handle:
            for first, count in _stretches(numbers):
                try:
                    fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, count, first)
                except OSError as error:
                    raise _in_use(store) from error
            yield
    finally:
        with _guard:
            _held.discard(place)


def _stretches(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First number, and count, of what follows each other."""
    first = previous = None
    for number in numbers:
        if first is not None and previous is not None and number != previous + 1:
            yield first, previous - first + 1
            first = None
        first, previous = number if first is None else first, number
    if first is not None and previous is not None:
        yield first, previous - first + 1


def _in_use(store: Path) -> InvalidSetting:
    return InvalidSetting(
        f"Another sweep is writing to {store}. Wait for it, or give each its own `shard`, as 1/2 "
        "and 2/2."
    )
