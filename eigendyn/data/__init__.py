"""Measure what augmentations leave of data: signal and noise of every principal component."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eigendyn.settings.namespace import namespace

__getattr__, __dir__ = namespace(
    __name__,
    {
        "digits": "data.measure:digits",
        "draw": "data.views:draw_pairs",
        "from_inputs": "data.measure:from_inputs",
        "from_views": "data.measure:from_views",
        "start": "data.starting:start",
    },
)
__all__ = [
    "digits",
    "draw",
    "from_inputs",
    "from_views",
    "start",
]

if TYPE_CHECKING:
    from eigendyn.data.measure import digits, from_inputs, from_views
    from eigendyn.data.starting import start
    from eigendyn.data.views import draw_pairs as draw
