"""Find the initial variances of modes: of embeddings, of weights, drawn, or published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eigendyn.settings.namespace import namespace

__getattr__, __dir__ = namespace(
    __name__,
    {
        "from_embeddings": "settings.spectrum:variances_from_embeddings",
        "from_weights": "settings.spectrum:variances_from_weights",
        "published": "settings.spectrum:published_variances",
        "random": "settings.spectrum:random_variances",
    },
)
__all__ = [
    "from_embeddings",
    "from_weights",
    "published",
    "random",
]

if TYPE_CHECKING:
    from eigendyn.settings.spectrum import published_variances as published
    from eigendyn.settings.spectrum import random_variances as random
    from eigendyn.settings.spectrum import variances_from_embeddings as from_embeddings
    from eigendyn.settings.spectrum import variances_from_weights as from_weights
