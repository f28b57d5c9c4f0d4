"""Cross-check the theory with networks, and judge what that shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eigendyn.settings.namespace import namespace

__getattr__, __dir__ = namespace(
    __name__,
    {
        "crosscheck_all": "crosschecks.systems:crosscheck_all",
        "crosscheck_data": "crosschecks.on_data:crosscheck_data",
    },
)
__all__ = [
    "crosscheck_all",
    "crosscheck_data",
]

if TYPE_CHECKING:
    from eigendyn.crosschecks.on_data import crosscheck_data
    from eigendyn.crosschecks.systems import crosscheck_all
