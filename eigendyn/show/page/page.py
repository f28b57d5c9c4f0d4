"""Write one HTML file on which the dynamics of a loss can be explored.

The file is self-contained: no server, no network, no other file. Its field is the JavaScript that
`in_javascript` writes from the same closed dynamics, with the same nodes.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from html import escape
from importlib.metadata import version
from importlib.resources import files
from string import Template
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike

from eigendyn.analysis.plane.axes import axes, subject
from eigendyn.analysis.plane.explored import explored_system
from eigendyn.analysis.system import DynamicalSystem
from eigendyn.errors import InvalidSetting
from eigendyn.program.in_javascript import javascript_field
from eigendyn.program.in_jax import Nodes
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.run_settings import Settings
from eigendyn.show.page.command import command_options, start_option
from eigendyn.show.page.controls import Control, controls
from eigendyn.theory.derive import ModeDynamics
from eigendyn.theory.formula import text
from eigendyn.theory.losses import SymbolicLoss

NUMERICS = ("plane.js", "trajectories.js", "nullclines.js", "fixed_points.js")  # need no page
SCRIPTS = (*NUMERICS, "view.js", "draw.js", "state.js", "pictures.js", "words.js", "page.js")
MOST_SAMPLES = 4096
DEFAULT_SAMPLES = 2048
CLOSURES = {
    "exact moments": "Expectations over inputs and noises are exact.",
    "exact quadrature": "Expectations over inputs and noises are exact, by quadrature.",
    "mean field": "Expectations are taken in mean field, leading order in 1/modes: off by tens of "
    "percent for so few modes.",
    "sampled": "Expectations are averages over {count} samples, drawn once.",
}


@takes(Settings)
def explorer_page(loss: str | SymbolicLoss = "cosine", **settings: Unpack[GivenSettings]) -> str:
    """Write the page on which the dynamics of a loss can be explored.

    A predictor that is a function of the weights leaves one state per mode, and the plane is that
    of two modes' variances. A learned predictor, a running correlation or an EMA target adds one,
    and the plane is that of both states of one mode.

    Args:
        loss: Name of a loss, or a loss of your own.
        settings: Fields of `Settings`; learning rate × steps is the time that trajectories take,
            `samples` at most 4,096.

    Returns:
        HTML, with its style, script and nodes in it.

    Raises:
        InvalidSetting: More than two states, or a plane on which nothing moves; too many samples.
        The errors of `dynamical_system` otherwise.
    """
    if settings.get("closure", Settings.closure) in ("auto", "sampled"):
        settings.setdefault("samples", DEFAULT_SAMPLES)
    system, dynamics = explored_system(loss, **settings)
    count = len(system.vector_field.nodes.weights)
    if dynamics.closure == "sampled" and count > MOST_SAMPLES:
        message = (
            f"A page holds at most {MOST_SAMPLES} samples, not {count}. "
            f"Try `samples={DEFAULT_SAMPLES}`."
        )
        raise InvalidSetting(message)
    return page(system, dynamics, is_named=isinstance(loss, str))


def page(system: DynamicalSystem, dynamics: ModeDynamics, is_named: bool = True) -> str:
    """Put a page together from a system of two coordinates and its closed dynamics."""
    data = page_data(system, dynamics, is_named)
    source, style, *scripts = map(_packaged, ("page.html", "page.css", *SCRIPTS))
    closure = CLOSURES[dynamics.closure].format(count=len(system.vector_field.nodes.weights))
    return Template(source).substitute(
        title=escape(_title(system, is_named)),
        equation=escape(_equation(system)),
        subject=escape(subject(system)),
        closure=escape(closure),
        version=escape(version("eigendyn")),
        style=style,
        data=embedded(data),
        script="\n".join([javascript_field(dynamics, system.modes, _numbers(system)), *scripts]),
    )


def page_data(system: DynamicalSystem, dynamics: ModeDynamics, is_named: bool) -> dict[str, Any]:
    """Everything that the script needs to know, as JSON can hold it."""
    return {
        "plane": [asdict(axis) for axis in axes(system, dynamics)],
        "controls": [asdict(one) for each in _controls(system).values() for one in each],
        "nodes": _encoded(system.vector_field.nodes),
        "duration": system.settings.duration,
        "learning_rate": system.settings.learning_rate,
        "command": command_options(system, is_named),
        "start": start_option(system),
    }


def _controls(system: DynamicalSystem) -> dict[str, list[Control]]:
    return controls(system.parameters, dict(system.dynamics.parameters), system.modes)


def _numbers(system: DynamicalSystem) -> tuple[str, ...]:
    """Name of the parameter that each slider is a number of."""
    return tuple(name for name, each in _controls(system).items() for _ in each)


def embedded(data: dict[str, Any]) -> str:
    """JSON that no text in it can end before its end, whatever names users chose."""
    return json.dumps(data, allow_nan=False).replace("<", "\\u003c")


def _title(system: DynamicalSystem, is_named: bool) -> str:
    name, *without = system.name.split(", ")
    return ", ".join([f"The {name} loss", *without]) if is_named else "A loss of one’s own"


def _equation(system: DynamicalSystem) -> str:
    """ℓ = … with the signs of print."""
    assert system.loss is not None  # no model is explored
    signs = {"*": "·", "sqrt": "√", "-": "−"}
    written = text(system.loss.expression)
    for sign, printed in signs.items():
        written = written.replace(sign, printed)
    return f"ℓ = {written}"


def _encoded(nodes: Nodes) -> dict[str, Any]:
    values = {name: _base64(value) for name, value in nodes.values.items()}
    return {"weights": _base64(nodes.weights), "values": values}


def _base64(numbers: ArrayLike) -> str:
    return base64.b64encode(np.asarray(numbers, "<f8").tobytes()).decode("ascii")


def _packaged(name: str) -> str:
    return files("eigendyn").joinpath("show/page", name).read_text(encoding="utf-8")
