"""Follow mode dynamics from a start to labelled trajectories, one start or many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eigendyn.settings.namespace import namespace

__getattr__, __dir__ = namespace(
    __name__,
    {
        "VectorField": "program.in_jax:VectorField",
        "descent_steps": "simulation.engines.in_jax.steps:descent_steps",
        "flow": "simulation.engines.in_jax.flow:flow",
        "stream_ensemble": "simulation.ensemble:stream_ensemble",
    },
)
__all__ = [
    "VectorField",
    "descent_steps",
    "flow",
    "stream_ensemble",
]

if TYPE_CHECKING:
    from eigendyn.program.in_jax import VectorField
    from eigendyn.simulation.engines.in_jax.flow import flow
    from eigendyn.simulation.engines.in_jax.steps import descent_steps
    from eigendyn.simulation.ensemble import stream_ensemble
