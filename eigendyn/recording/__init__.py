"""Record the spectrum of representations while they are trained, and judge it as it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eigendyn.settings.namespace import namespace

__getattr__, __dir__ = namespace(
    __name__,
    {
        "MEASURES": "recording.record:MEASURES",
        "as_record": "recording.record:as_record",
        "hook": "recording.adapters.in_torch:hook",
        "lightning_callback": "recording.adapters.in_lightning:lightning_callback",
        "observe_in_jax": "recording.adapters.in_jax:observe_in_jax",
        "read_record": "recording.reading:read_record",
    },
)
__all__ = [
    "MEASURES",
    "as_record",
    "hook",
    "lightning_callback",
    "observe_in_jax",
    "read_record",
]

if TYPE_CHECKING:
    from eigendyn.recording.adapters.in_jax import observe_in_jax
    from eigendyn.recording.adapters.in_lightning import lightning_callback
    from eigendyn.recording.adapters.in_torch import hook
    from eigendyn.recording.reading import read_record
    from eigendyn.recording.record import MEASURES, as_record
