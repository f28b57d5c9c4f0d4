"""Judge a recorded spectrum: recruitment, collapse, frozen, oscillating, noise-free views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class Check:
    """What a record says of a training at its last recording.

    Args:
        verdict: One word of the verdicts.
        why: The numbers that it rests on, in a sentence.
        since: Training step from which on it holds.
    """

    verdict: str
    why: str
    since: float


def judge(record: xarray.Dataset) -> Check | None:
    """Judge a record by its last recordings; None while too few of them tell."""
    del record
    return None
