"""Learning dynamics of non-contrastive self-supervised learning, mode by mode.

    >>> import eigendyn
    >>> run = eigendyn.simulate("cosine", [0.05, 0.3, 1.0, 2.0])
    >>> run.variance.sel(mode=0)

Names are loaded when they are first used, so that `import eigendyn` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eigendyn.settings.namespace import namespace

__version__ = "0.2.0"

_HOMES = {
    "simulate": "simulation.simulate:simulate",
    "ensemble": "simulation.ensemble:ensemble",
    "sweep": "sweeping.sweep:sweep",
    "crosscheck": "crosschecks.crosscheck:crosscheck",
    "audit": "crosschecks.audit:audit",
    "Settings": "settings.run_settings:Settings",
    "SymbolicLoss": "theory.losses:SymbolicLoss",
    "named_loss": "theory.losses:named_loss",
    "parse_loss": "theory.loss_text:parse_loss",
    "vector_field": "simulation.simulate:vector_field",
    "matrix_flow": "simulation.matrix.matrix_flow:matrix_flow",
    "train": "training.run:train",
    "SpectrumLog": "recording.log:SpectrumLog",
    "monitor": "fitting.monitor:monitor",
    "fit": "fitting.fit:fit",
    "diagnose": "analysis.rates.diagnosis:diagnose",
    "design_loss": "analysis.design:design_loss",
    "dynamical_system": "analysis.system:dynamical_system",
    "fixed_points": "analysis.fixed_points.fixed_points:fixed_points",
    "phase_plane": "analysis.plane.motion:phase_plane",
    "continue_fixed_points": "analysis.bifurcations.continuation:continue_fixed_points",
    "explore": "show.notebook.explorer:explore",
    "export_loss": "theory.export:export_loss",
    "save": "results.files:save",
    "load": "results.files:load",
    "EigendynError": "errors:EigendynError",
}
_MOVED = {  # names of version 0.1, which go with the release after 0.2
    "Architecture": "theory.Architecture",
    "LOSSES": "theory.LOSSES",
    "ModeDynamics": "theory.ModeDynamics",
    "Network": "network.Network",
    "VectorField": "simulation.VectorField",
    "close": "theory.close",
    "conserved_quantities": "theory.conserved_quantities",
    "crosscheck_all": "crosschecks.crosscheck_all",
    "derivation": "theory.derivation",
    "descend": "network.descend",
    "descent_steps": "simulation.descent_steps",
    "design_multiplier": "analysis.design_multiplier",
    "flow": "simulation.flow",
    "fold_curve": "analysis.fold_curve",
    "loss_from_function": "theory.loss_from_function",
    "mode_dynamics": "theory.mode_dynamics",
    "named_model": "theory.named_model",
    "passage_time": "analysis.passage_time",
    "phase_portrait": "plot.phase_portrait",
    "plot_agreement": "plot.agreement",
    "plot_bifurcation": "plot.bifurcation",
    "plot_diagnosis": "plot.diagnosis",
    "plot_spectrum": "plot.run",
    "published_variances": "spectrum.published",
    "random_variances": "spectrum.random",
    "variances_from_embeddings": "spectrum.from_embeddings",
    "variances_from_weights": "spectrum.from_weights",
    "stream_ensemble": "simulation.stream_ensemble",
    "without_predictor": "theory.without_predictor",
    "without_stop_gradient": "theory.without_stop_gradient",
}
_NAMESPACES = (
    "analysis",
    "crosschecks",
    "data",
    "network",
    "plot",
    "recording",
    "simulation",
    "spectrum",
    "theory",
)
__all__ = [
    "EigendynError",
    "Settings",
    "SpectrumLog",
    "SymbolicLoss",
    "analysis",
    "audit",
    "continue_fixed_points",
    "crosscheck",
    "crosschecks",
    "data",
    "design_loss",
    "diagnose",
    "dynamical_system",
    "ensemble",
    "explore",
    "export_loss",
    "fit",
    "fixed_points",
    "load",
    "matrix_flow",
    "monitor",
    "named_loss",
    "network",
    "parse_loss",
    "phase_plane",
    "plot",
    "recording",
    "save",
    "simulate",
    "simulation",
    "spectrum",
    "sweep",
    "theory",
    "train",
    "vector_field",
]

if TYPE_CHECKING:
    from eigendyn import (
        analysis,
        crosschecks,
        data,
        network,
        plot,
        recording,
        simulation,
        spectrum,
        theory,
    )
    from eigendyn.analysis.bifurcations.continuation import continue_fixed_points
    from eigendyn.analysis.design import design_loss
    from eigendyn.analysis.fixed_points.fixed_points import fixed_points
    from eigendyn.analysis.plane.motion import phase_plane
    from eigendyn.analysis.rates.diagnosis import diagnose
    from eigendyn.analysis.system import dynamical_system
    from eigendyn.crosschecks.audit import audit
    from eigendyn.crosschecks.crosscheck import crosscheck
    from eigendyn.errors import EigendynError
    from eigendyn.fitting.fit import fit
    from eigendyn.fitting.monitor import monitor
    from eigendyn.recording.log import SpectrumLog
    from eigendyn.results.files import load, save
    from eigendyn.settings.run_settings import Settings
    from eigendyn.show.notebook.explorer import explore
    from eigendyn.simulation.ensemble import ensemble
    from eigendyn.simulation.matrix.matrix_flow import matrix_flow
    from eigendyn.simulation.simulate import simulate, vector_field
    from eigendyn.sweeping.sweep import sweep
    from eigendyn.theory.export import export_loss
    from eigendyn.theory.loss_text import parse_loss
    from eigendyn.theory.losses import SymbolicLoss, named_loss
    from eigendyn.training.run import train


__getattr__, __dir__ = namespace(__name__, _HOMES, _MOVED, _NAMESPACES)
