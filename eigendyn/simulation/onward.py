"""Go on from where a run ended: its settings, its last state, and the nodes that served it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.results.labelled import Labelled, check_run
from eigendyn.settings.choices import LOSS_NAMES, MODEL_NAMES
from eigendyn.settings.run_settings import TOLERANCES, Settings
from eigendyn.settings.spectrum import check_modes
from eigendyn.settings.states import STATES
from eigendyn.simulation.equations import Equations
from eigendyn.simulation.initial import starting_states, states_of

if TYPE_CHECKING:
    import xarray

    from eigendyn.theory.derive import ModeDynamics
    from eigendyn.theory.losses import SymbolicLoss

EXPRESSION = "expression"  # among the settings of a result: a loss of one's own, as text


@dataclass(frozen=True, eq=False)
class Begin:
    """Where a run begins.

    Args:
        states: States (states, modes), of whitened components.
        step: Number of the step at which they are.
        served: States (states, modes) that nodes are chosen for first: those with which a run that
            goes on had begun, so that it goes on with the same nodes.
    """

    states: NDArray
    step: int
    served: NDArray


def from_spectrum(system: Equations, spectrum: NDArray) -> Begin:
    """Begin with the states that belong to variances (modes,), at the first step."""
    states = starting_states(system.program, spectrum, system.chosen)
    return Begin(states, 0, states)


def settings_of(
    run: xarray.Dataset | Labelled,
) -> tuple[str | SymbolicLoss | ModeDynamics | None, dict[str, Any]]:
    """The loss or model of a run, and its settings that are not the usual ones.

    Returns:
        The loss or model, None where it is one's own and no text says it; and fields of `Settings`.

    Raises:
        InvalidSetting: It is no run, or does not carry its settings.
    """
    check_run(run)
    if "singular_value" not in run.variables or "settings" not in run.attrs:
        message = "A run that is gone on with must be what eigendyn.simulate(loss) gives."
        raise InvalidSetting(message)
    held = json.loads(run.attrs["settings"])
    usual = Settings()
    rtol, atol = TOLERANCES[held.get("dtype", usual.dtype)]
    followed = {"rtol": rtol, "atol": atol}  # what a flow has where nothing is said
    settings = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in held.items()
        if name in Settings.__dataclass_fields__
        and name != "loss"
        and value not in (None, getattr(usual, name), followed.get(name))
    }
    return _source(held), settings


def _source(held: Mapping[str, Any]) -> str | SymbolicLoss | ModeDynamics | None:
    name, numbers = held.get("model", held.get("loss")), held.get("parameters", {})
    if EXPRESSION in held:
        from eigendyn.theory.loss_text import parse_loss

        return parse_loss(held[EXPRESSION], numbers)
    if name in MODEL_NAMES and numbers and "signal" not in held:
        from eigendyn.theory.models import named_model

        return named_model(name, **numbers)
    return name if name in (*LOSS_NAMES, *MODEL_NAMES) else None


def last_step(run: xarray.Dataset | Labelled) -> int:
    """Number of the step with which a run ends."""
    return round(float(run["step"].values[-1]))


def check_further(run: xarray.Dataset | Labelled, chosen: Settings) -> None:
    """Check that settings go on with a run.

    Raises:
        InvalidSetting: No further step is asked for, or time would not go on.
    """
    reached = last_step(run)
    if chosen.steps <= reached:
        message = (
            f"`steps` counts from the beginning, and the run has come to step {reached}: it must "
            f"be more, not {chosen.steps}. Try `steps={2 * reached}`."
        )
        raise InvalidSetting(message)
    rate = json.loads(run.attrs["settings"])["learning_rate"]
    if chosen.learning_rate != rate:
        message = (
            f"Time is learning rate × step, and goes on only with the `learning_rate={rate:g}` of "
            f"the run, not {chosen.learning_rate:g}. Leave it out."
        )
        raise InvalidSetting(message)
    if chosen.target == "ema" and chosen.ema_schedule == "cosine":
        message = (
            "`ema_schedule='cosine'` ends with the run that it was made for, at a momentum of 1. "
            "Try `ema_schedule='constant'`."
        )
        raise InvalidSetting(message)


def from_run(system: Equations, run: xarray.Dataset | Labelled) -> Begin:
    """Begin with the last states of a run.

    Raises:
        InvalidSetting: The run has other states, or another number of modes, than the equations.
    """
    check_further(run, system.chosen)
    needed = system.program.states
    has = [str(name) for name in run.variables if name in STATES]
    if set(has) != set(needed):
        message = (
            f"A mode has the states {', '.join(needed)} under these settings, and {', '.join(has)} "
            "in the run that is gone on with. Leave predictor, target and momentum as they were."
        )
        raise InvalidSetting(message)
    given = system.chosen.signal
    if isinstance(given, tuple):
        check_modes("signal", given, run["singular_value"].values.shape[0])
    states = states_of(run, needed, system.chosen)
    return Begin(states[..., -1], last_step(run), states[..., 0])
