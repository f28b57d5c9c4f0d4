"""Learning dynamics of non-contrastive self-supervised learning, mode by mode.

    >>> import eigendyn
    >>> run = eigendyn.simulate("cosine", [0.05, 0.3, 1.0, 2.0])
    >>> run.variance.sel(mode=0)

Names are loaded when they are first used, so that `import eigendyn` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "simulate": "simulation.simulate",
    "ensemble": "simulation.ensemble",
    "stream_ensemble": "simulation.ensemble",
    "crosscheck": "crosschecks.crosscheck",
    "crosscheck_all": "crosschecks.systems",
    "audit": "crosschecks.audit",
    "descend": "network.descent",
    "Network": "network.network",
    "Settings": "settings.run_settings",
    "LOSSES": "theory.losses",
    "SymbolicLoss": "theory.losses",
    "named_loss": "theory.losses",
    "named_model": "theory.models",
    "loss_from_function": "theory.losses",
    "parse_loss": "theory.loss_text",
    "Architecture": "settings.siamese",
    "without_predictor": "theory.losses",
    "without_stop_gradient": "theory.losses",
    "derivation": "theory.formula",
    "ModeDynamics": "theory.derive",
    "mode_dynamics": "theory.derive",
    "close": "theory.closure",
    "VectorField": "program.in_jax",
    "vector_field": "simulation.simulate",
    "conserved_quantities": "theory.conservation",
    "diagnose": "analysis.rates.diagnosis",
    "design_loss": "analysis.design",
    "design_multiplier": "analysis.design",
    "dynamical_system": "analysis.system",
    "fixed_points": "analysis.fixed_points.fixed_points",
    "phase_plane": "analysis.plane.motion",
    "phase_portrait": "show.plot.phase",
    "continue_fixed_points": "analysis.bifurcations.continuation",
    "fold_curve": "analysis.bifurcations.folds",
    "passage_time": "analysis.rates.passage_time",
    "explore": "show.notebook.explorer",
    "export_loss": "theory.export",
    "flow": "simulation.engines.in_jax.flow",
    "descent_steps": "simulation.engines.in_jax.steps",
    "variances_from_embeddings": "settings.spectrum",
    "variances_from_weights": "settings.spectrum",
    "random_variances": "settings.spectrum",
    "published_variances": "settings.spectrum",
    "save": "results.files",
    "load": "results.files",
    "plot_agreement": "show.plot.agreement",
    "plot_bifurcation": "show.plot.bifurcation",
    "plot_diagnosis": "show.plot.collapse",
    "plot_spectrum": "show.plot.spectrum",
    "EigendynError": "errors",
}
__all__ = [
    "LOSSES",
    "Architecture",
    "EigendynError",
    "ModeDynamics",
    "Network",
    "Settings",
    "SymbolicLoss",
    "VectorField",
    "audit",
    "close",
    "conserved_quantities",
    "continue_fixed_points",
    "crosscheck",
    "crosscheck_all",
    "derivation",
    "descend",
    "descent_steps",
    "design_loss",
    "design_multiplier",
    "diagnose",
    "dynamical_system",
    "ensemble",
    "explore",
    "export_loss",
    "fixed_points",
    "flow",
    "fold_curve",
    "load",
    "loss_from_function",
    "mode_dynamics",
    "named_loss",
    "named_model",
    "parse_loss",
    "passage_time",
    "phase_plane",
    "phase_portrait",
    "plot_agreement",
    "plot_bifurcation",
    "plot_diagnosis",
    "plot_spectrum",
    "published_variances",
    "random_variances",
    "save",
    "simulate",
    "stream_ensemble",
    "variances_from_embeddings",
    "variances_from_weights",
    "vector_field",
    "without_predictor",
    "without_stop_gradient",
]

if TYPE_CHECKING:
    from eigendyn.analysis.bifurcations.continuation import continue_fixed_points
    from eigendyn.analysis.bifurcations.folds import fold_curve
    from eigendyn.analysis.design import design_loss, design_multiplier
    from eigendyn.analysis.fixed_points.fixed_points import fixed_points
    from eigendyn.analysis.plane.motion import phase_plane
    from eigendyn.analysis.rates.diagnosis import diagnose
    from eigendyn.analysis.rates.passage_time import passage_time
    from eigendyn.analysis.system import dynamical_system
    from eigendyn.crosschecks.audit import audit
    from eigendyn.crosschecks.crosscheck import crosscheck
    from eigendyn.crosschecks.systems import crosscheck_all
    from eigendyn.errors import EigendynError
    from eigendyn.network.descent import descend
    from eigendyn.network.network import Network
    from eigendyn.program.in_jax import VectorField
    from eigendyn.results.files import load, save
    from eigendyn.settings.run_settings import Settings
    from eigendyn.settings.siamese import Architecture
    from eigendyn.settings.spectrum import (
        published_variances,
        random_variances,
        variances_from_embeddings,
        variances_from_weights,
    )
    from eigendyn.show.notebook.explorer import explore
    from eigendyn.show.plot.agreement import plot_agreement
    from eigendyn.show.plot.bifurcation import plot_bifurcation
    from eigendyn.show.plot.collapse import plot_diagnosis
    from eigendyn.show.plot.phase import phase_portrait
    from eigendyn.show.plot.spectrum import plot_spectrum
    from eigendyn.simulation.engines.in_jax.flow import flow
    from eigendyn.simulation.engines.in_jax.steps import descent_steps
    from eigendyn.simulation.ensemble import ensemble, stream_ensemble
    from eigendyn.simulation.simulate import simulate, vector_field
    from eigendyn.theory.closure import close
    from eigendyn.theory.conservation import conserved_quantities
    from eigendyn.theory.derive import ModeDynamics, mode_dynamics
    from eigendyn.theory.export import export_loss
    from eigendyn.theory.formula import derivation
    from eigendyn.theory.loss_text import parse_loss
    from eigendyn.theory.losses import (
        LOSSES,
        SymbolicLoss,
        loss_from_function,
        named_loss,
        without_predictor,
        without_stop_gradient,
    )
    from eigendyn.theory.models import named_model


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module 'eigendyn' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(f"eigendyn.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
