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
    "simulate": "simulation",
    "ensemble": "ensembles",
    "stream_ensemble": "ensembles",
    "crosscheck": "crosschecks",
    "crosscheck_all": "systems",
    "audit": "audits",
    "descend": "network.descent",
    "Network": "network.settings",
    "Settings": "settings",
    "LOSSES": "losses",
    "SymbolicLoss": "losses",
    "named_loss": "losses",
    "loss_from_function": "losses",
    "parse_loss": "loss_text",
    "Architecture": "architecture",
    "without_predictor": "losses",
    "without_stop_gradient": "losses",
    "derivation": "formula",
    "ModeDynamics": "derive",
    "mode_dynamics": "derive",
    "close": "closure",
    "VectorField": "compile",
    "vector_field": "simulation",
    "conserved_quantities": "conservation",
    "diagnose": "analysis.collapse",
    "design_loss": "design",
    "design_multiplier": "design",
    "dynamical_system": "analysis.system",
    "fixed_points": "analysis.fixed_points",
    "phase_plane": "explorer.motion",
    "phase_portrait": "plot.phase",
    "continue_fixed_points": "analysis.continuation",
    "fold_curve": "analysis.folds",
    "passage_time": "analysis.passage",
    "explore": "notebook",
    "export_loss": "export",
    "flow": "integrate.flow",
    "descent_steps": "integrate.steps",
    "variances_from_embeddings": "start",
    "variances_from_weights": "start",
    "random_variances": "start",
    "published_variances": "start",
    "save": "store",
    "load": "store",
    "plot_agreement": "plot.agreement",
    "plot_bifurcation": "plot.bifurcation",
    "plot_diagnosis": "plot.collapse",
    "plot_spectrum": "plot.spectrum",
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
    from eigendyn.analysis.collapse import diagnose
    from eigendyn.analysis.continuation import continue_fixed_points
    from eigendyn.analysis.fixed_points import fixed_points
    from eigendyn.analysis.folds import fold_curve
    from eigendyn.analysis.passage import passage_time
    from eigendyn.analysis.system import dynamical_system
    from eigendyn.architecture import Architecture
    from eigendyn.audits import audit
    from eigendyn.closure import close
    from eigendyn.compile import VectorField
    from eigendyn.conservation import conserved_quantities
    from eigendyn.crosschecks import crosscheck
    from eigendyn.derive import ModeDynamics, mode_dynamics
    from eigendyn.design import design_loss, design_multiplier
    from eigendyn.ensembles import ensemble, stream_ensemble
    from eigendyn.errors import EigendynError
    from eigendyn.explorer.motion import phase_plane
    from eigendyn.export import export_loss
    from eigendyn.formula import derivation
    from eigendyn.integrate.flow import flow
    from eigendyn.integrate.steps import descent_steps
    from eigendyn.loss_text import parse_loss
    from eigendyn.losses import (
        LOSSES,
        SymbolicLoss,
        loss_from_function,
        named_loss,
        without_predictor,
        without_stop_gradient,
    )
    from eigendyn.network.descent import descend
    from eigendyn.network.settings import Network
    from eigendyn.notebook import explore
    from eigendyn.plot.agreement import plot_agreement
    from eigendyn.plot.bifurcation import plot_bifurcation
    from eigendyn.plot.collapse import plot_diagnosis
    from eigendyn.plot.phase import phase_portrait
    from eigendyn.plot.spectrum import plot_spectrum
    from eigendyn.settings import Settings
    from eigendyn.simulation import simulate, vector_field
    from eigendyn.start import (
        published_variances,
        random_variances,
        variances_from_embeddings,
        variances_from_weights,
    )
    from eigendyn.store import load, save
    from eigendyn.systems import crosscheck_all


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module 'eigendyn' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(f"eigendyn.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
