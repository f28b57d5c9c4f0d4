"""Find the saddle-nodes of a mode over two parameters, to be drawn over a map of a sweep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.analysis.rates.component_limits import LOSSES, component_limits
from eigendyn.errors import EigendynError
from eigendyn.program import REDUCTIONS
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.equations import equations

if TYPE_CHECKING:
    import xarray

DECAY = "weight_decay"
NOISES = ("sigma1", "noise1", "signal")  # that the closed form knows
POINTS = 200
Curve = tuple[NDArray, NDArray]  # across, and up


def saddle_nodes(dataset: xarray.Dataset, x: str, y: str, at: Mapping[str, Any]) -> list[Curve]:
    """Curves on which the fixed point of a mode that lives merges with the one below it.

    In closed form where weight decay is swept over noise or signal under a Euclidean loss, see
    `component_limits`; else by continuation, `fold_curve`, where modes do not feel each other.

    Args:
        dataset: A sweep, cut to one value of whatever is not on the axes.
        x: Parameter across.
        y: Parameter up.
        at: Further parameters, and the loss, that have one value here.

    Returns:
        Curves; none where these are no two parameters of the theory, or modes compete.
    """
    if x not in PARAMETERS or y not in PARAMETERS:
        return []
    settings = json.loads(dataset.attrs.get("settings", "{}"))
    scalars = {str(n): c.values.item() for n, c in dataset.coords.items() if c.ndim == 0}
    known = {*Settings.__dataclass_fields__}
    settings |= {n: v for n, v in {**scalars, **at}.items() if n in known}
    loss = str(settings.pop("loss", ""))
    fixed = {n: v for n, v in settings.items() if n in known and n not in (x, y, "method")}
    fixed = {n: v for n, v in fixed.items() if v != getattr(Settings, n, None)}
    between = {name: (float(dataset[name].min()), float(dataset[name].max())) for name in (x, y)}
    try:
        other = y if x == DECAY else x
        if DECAY in (x, y) and other in NOISES and loss in LOSSES:
            return _closed_form(loss, fixed, other, between[other], across=x == DECAY)
        return _continued(loss, fixed, (x, y), between)
    except EigendynError:  # no closed form, or nothing to follow: no curve
        return []


def _closed_form(
    loss: str, fixed: dict[str, Any], other: str, between: tuple[float, float], across: bool
) -> list[Curve]:
    """Largest weight decay with which a mode can live, at many values of noise or signal."""
    values = np.linspace(*between, POINTS)
    own: dict[str, Any] = {"noise1": values**2} if other == "sigma1" else {other: values}
    every: dict[str, Any] = {**fixed, **own}
    limits = component_limits(loss, **every)
    decay = limits["largest_weight_decay"].values
    return [(decay, values) if across else (values, decay)]


def _continued(
    loss: str, fixed: dict[str, Any], names: tuple[str, str], between: Mapping[str, Any]
) -> list[Curve]:
    """Follow the saddle-node of one mode, where it does not feel others."""
    from eigendyn.analysis.bifurcations.folds import fold_curve
    from eigendyn.analysis.system import dynamical_system

    program = equations(loss, fixed).program
    if any(program.operations[place].kind in REDUCTIONS for place in program.needed(program.rates)):
        return []
    system = dynamical_system(loss, modes=1, **fixed)
    first, second = names
    curves = fold_curve(system, first, between[first], second, between[second])
    return [(curve.first, curve.second) for curve in curves]
