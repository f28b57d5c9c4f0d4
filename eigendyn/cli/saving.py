"""Save files after the results were printed, so that a full disk takes no result along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from eigendyn.errors import OutputExists


@contextmanager
def saving() -> Iterator[None]:
    """End with exit code 1, "failed", where a file cannot be saved: 2 would say "nothing was run".

    Raises:
        OSError: A file could not be saved.
    """
    try:
        yield
    except OutputExists as refusal:
        raise OSError(str(refusal)) from refusal
