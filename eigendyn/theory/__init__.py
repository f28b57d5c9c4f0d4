"""Derive closed mode dynamics from a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eigendyn.settings.namespace import namespace

__getattr__, __dir__ = namespace(
    __name__,
    {
        "LOSSES": "theory.losses:LOSSES",
        "Architecture": "settings.siamese:Architecture",
        "ModeDynamics": "theory.derive:ModeDynamics",
        "close": "theory.closure:close",
        "conserved_quantities": "theory.conservation:conserved_quantities",
        "derivation": "theory.formula:derivation",
        "loss_from_function": "theory.losses:loss_from_function",
        "mode_dynamics": "theory.derive:mode_dynamics",
        "named_model": "theory.models:named_model",
        "without_predictor": "theory.losses:without_predictor",
        "without_stop_gradient": "theory.losses:without_stop_gradient",
    },
)
__all__ = [
    "LOSSES",
    "Architecture",
    "ModeDynamics",
    "close",
    "conserved_quantities",
    "derivation",
    "loss_from_function",
    "mode_dynamics",
    "named_model",
    "without_predictor",
    "without_stop_gradient",
]

if TYPE_CHECKING:
    from eigendyn.settings.siamese import Architecture
    from eigendyn.theory.closure import close
    from eigendyn.theory.conservation import conserved_quantities
    from eigendyn.theory.derive import ModeDynamics, mode_dynamics
    from eigendyn.theory.formula import derivation
    from eigendyn.theory.losses import (
        LOSSES,
        loss_from_function,
        without_predictor,
        without_stop_gradient,
    )
    from eigendyn.theory.models import named_model
