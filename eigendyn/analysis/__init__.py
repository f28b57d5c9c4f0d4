"""Analyse mode dynamics: fixed points, stability, bifurcations, passage times, collapse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eigendyn.settings.namespace import namespace

__getattr__, __dir__ = namespace(
    __name__,
    {
        "component_limits": "analysis.rates.component_limits:component_limits",
        "design_multiplier": "analysis.design:design_multiplier",
        "fold_curve": "analysis.bifurcations.folds:fold_curve",
        "passage_time": "analysis.rates.passage_time:passage_time",
    },
)
__all__ = [
    "component_limits",
    "design_multiplier",
    "fold_curve",
    "passage_time",
]

if TYPE_CHECKING:
    from eigendyn.analysis.bifurcations.folds import fold_curve
    from eigendyn.analysis.design import design_multiplier
    from eigendyn.analysis.rates.component_limits import component_limits
    from eigendyn.analysis.rates.passage_time import passage_time
