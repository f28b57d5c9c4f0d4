"""Record the spectrum of representations while they are trained, and judge it as it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eigendyn.settings.namespace import namespace

__getattr__, __dir__ = namespace(
    __name__,
    {
        "read_record": "recording.reading:read_record",
    },
)
__all__ = [
    "read_record",
]

if TYPE_CHECKING:
    from eigendyn.recording.reading import read_record
