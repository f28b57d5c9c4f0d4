"""Find the borders that the theory draws over a map of a sweep, where a mode ceases to live."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eigendyn.analysis.rates.component_limits import LOSSES, component_limits
from eigendyn.errors import EigendynError, NoClosedForm
from eigendyn.program import REDUCTIONS
from eigendyn.settings.choices import LOSS_NAMES
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.run_settings import Settings
from eigendyn.show.plot.held import settings_held
from eigendyn.simulation.equations import equations

if TYPE_CHECKING:
    import xarray

DECAY, START = "weight_decay", "variance"
NOISES = ("sigma1", "noise1", "signal")  # that the closed form knows
POINTS = 200
SADDLE_NODE = "saddle-node (theory)"
TRANSCRITICAL = "transcritical (theory)"
OF_START = "border of the start (theory)"


class Border(NamedTuple):
    """A curve in the plane of two parameters.

    Args:
        words: What it is.
        x: Across (points,).
        y: Up (points,).
    """

    words: str
    x: NDArray
    y: NDArray


def borders(dataset: xarray.Dataset, x: str, y: str, at: Mapping[str, Any]) -> list[Border]:
    """Where the fixed point of a mode that lives merges with another, and where its start is lost.

    In closed form where weight decay is swept over noise, signal or the start under a Euclidean
    loss, see `component_limits`; else saddle-nodes by continuation, `fold_curve`, where modes do
    not feel each other.

    Args:
        dataset: A sweep, cut to one value of whatever is not on the axes.
        x: Parameter across.
        y: Parameter up.
        at: Further parameters, the loss and the mode, that have one value here.

    Returns:
        Curves; none where these are no two parameters of the theory, or modes compete.
    """
    if not {x, y} <= {*PARAMETERS, START}:
        return []
    settings, variances = settings_held(dataset.attrs)
    scalars = {str(n): c.values.item() for n, c in dataset.coords.items() if c.ndim == 0}
    here = {**settings, **scalars, **at}
    loss = str(here.get("loss", Settings.loss))
    fixed = {
        name: value
        for name, value in here.items()
        if name in Settings.__dataclass_fields__ and name not in (x, y, "loss", "method")
    }
    if loss not in LOSS_NAMES or "preset" in here:
        return []
    start = here.get(START)
    if start is None and variances is not None and "mode" in here:
        start = variances[int(here["mode"])]
    between = {name: (float(dataset[name].min()), float(dataset[name].max())) for name in (x, y)}
    other = y if x == DECAY else x
    if DECAY in (x, y) and other in (*NOISES, START) and loss in LOSSES:
        with suppress(NoClosedForm):
            found = _closed_form(loss, fixed, other, between[other], start)
            return found if x == other else [one._replace(x=one.y, y=one.x) for one in found]
    try:
        return _continued(loss, fixed, (x, y), between)
    except EigendynError:  # nothing to follow: no curve
        return []


def _closed_form(
    loss: str, fixed: dict[str, Any], other: str, between: tuple[float, float], start: float | None
) -> list[Border]:
    """Largest weight decay of a mode, up, at many values of noise, signal or start, across."""
    low, high = between
    values = np.geomspace(low, high, POINTS) if low > 0 else np.linspace(low, high, POINTS)
    own: dict[str, Any] = {other: values}
    if other == "sigma1":
        own = {"noise1": values**2}
    elif other == START:
        own = {"variances": values}
    if other != START and start is not None:
        own["variances"] = np.full(POINTS, start)
    every: dict[str, Any] = {**fixed, **own}
    limits = component_limits(loss, **every)
    alive = np.broadcast_to(limits["largest_weight_decay"].values, POINTS)
    found = [Border(SADDLE_NODE if loss == LOSSES[0] else TRANSCRITICAL, values, alive)]
    if "variances" in own:
        kept = limits["largest_weight_decay_of_start"].values
        if not np.allclose(kept, alive):
            found.append(Border(OF_START, values, kept))
    return found


def _continued(
    loss: str, fixed: dict[str, Any], names: tuple[str, str], between: Mapping[str, Any]
) -> list[Border]:
    """Follow the saddle-node of one mode, where it does not feel others."""
    from eigendyn.analysis.bifurcations.folds import fold_curve
    from eigendyn.analysis.system import dynamical_system

    program = equations(loss, fixed).program
    if any(program.operations[place].kind in REDUCTIONS for place in program.needed(program.rates)):
        return []
    system = dynamical_system(loss, modes=1, **fixed)
    first, second = names
    curves = fold_curve(system, first, between[first], second, between[second])
    return [Border(SADDLE_NODE, curve.first, curve.second) for curve in curves]
