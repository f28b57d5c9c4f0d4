"""Draw results: runs, sweeps, records, agreements, bifurcations, portraits, training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eigendyn.settings.namespace import namespace

__getattr__, __dir__ = namespace(
    __name__,
    {
        "agreement": "show.plot.agreement:plot_agreement",
        "bifurcation": "show.plot.bifurcation:plot_bifurcation",
        "components": "show.plot.components:plot_components",
        "diagnosis": "show.plot.collapse:plot_diagnosis",
        "ensemble": "show.plot.ensemble:plot_ensemble",
        "fit": "show.plot.fit:plot_fit",
        "phase_portrait": "show.plot.phase:phase_portrait",
        "record": "show.plot.record:plot_record",
        "run": "show.plot.spectrum:plot_run",
        "runs": "show.plot.runs:plot_runs",
        "sweep": "show.plot.sweep:plot_sweep",
        "training": "show.plot.training:plot_training",
    },
    moved={"spectrum": "plot.run"},
)
__all__ = [
    "agreement",
    "bifurcation",
    "components",
    "diagnosis",
    "ensemble",
    "fit",
    "phase_portrait",
    "record",
    "run",
    "runs",
    "sweep",
    "training",
]

if TYPE_CHECKING:
    from eigendyn.show.plot.agreement import plot_agreement as agreement
    from eigendyn.show.plot.bifurcation import plot_bifurcation as bifurcation
    from eigendyn.show.plot.collapse import plot_diagnosis as diagnosis
    from eigendyn.show.plot.components import plot_components as components
    from eigendyn.show.plot.ensemble import plot_ensemble as ensemble
    from eigendyn.show.plot.fit import plot_fit as fit
    from eigendyn.show.plot.phase import phase_portrait
    from eigendyn.show.plot.record import plot_record as record
    from eigendyn.show.plot.runs import plot_runs as runs
    from eigendyn.show.plot.spectrum import plot_run as run
    from eigendyn.show.plot.sweep import plot_sweep as sweep
    from eigendyn.show.plot.training import plot_training as training
