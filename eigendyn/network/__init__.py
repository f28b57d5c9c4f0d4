"""Train real networks by gradient descent, independently of the symbolic side.

Losses are written afresh and differentiated automatically; nothing here imports `losses` or
`derive`, so that both sides of a comparison cannot be wrong together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eigendyn.settings.namespace import namespace

__getattr__, __dir__ = namespace(
    __name__,
    {
        "Network": "network.network:Network",
        "descend": "network.descent:descend",
    },
)
__all__ = [
    "Network",
    "descend",
]

if TYPE_CHECKING:
    from eigendyn.network.descent import descend
    from eigendyn.network.network import Network
