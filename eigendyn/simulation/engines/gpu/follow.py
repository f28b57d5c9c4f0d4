"""Follow many spectra in one kernel of a GPU (experimental)."""

from __future__ import annotations

from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.results.trajectory import Batch, Numbers
from eigendyn.simulation.engines.gpu.ensemble import kernel_ensemble
from eigendyn.simulation.engines.stricter import until_fields_agree
from eigendyn.simulation.engines.task import ManyRuns


def follow_many(run: ManyRuns, starts: NDArray, parameters: Numbers) -> Batch:
    """Flows with the state in registers; of extrema, only these leave the device."""
    if run.system.program.own:
        message = (
            "The experimental kernel takes numbers that all modes share, and here modes have a "
            "signal and noises of their own. Try `engine='flow'`."
        )
        raise InvalidSetting(message)
    keep = "trajectory" if run.keep == "recruitment" else run.keep
    own = {"keep": keep, "device": run.chosen.device}
    return until_fields_agree(kernel_ensemble, run, starts, parameters, **own)
