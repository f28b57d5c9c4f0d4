"""Write the command-line options that choose a given system."""

from __future__ import annotations

import shlex
from dataclasses import fields
from typing import Any

from eigendyn.analysis.system import DynamicalSystem
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.siamese import Siamese
from eigendyn.theory.loss_writer import write_loss

SAMPLED = {"samples", "seed"}
OF_NETWORKS = {field.name for field in fields(Siamese)}
ENGINE = {field.name for field in fields(Settings)} - OF_NETWORKS - SAMPLED - {"closure"}


def command_options(system: DynamicalSystem, is_named: bool) -> str:
    """Options, quoted for a shell, without those of parameters, which sliders change.

    Args:
        system: The system.
        is_named: Whether the loss has a name, or is written out.
    """
    chosen = system.settings
    if is_named:
        options = ["--loss", chosen.loss]
    else:
        assert system.loss is not None  # no model is explored
        options = ["--loss-expr", shlex.quote(write_loss(system.loss.expression))]
    left_out = {"loss", "steps", "predictor_start", *ENGINE, *system.parameters}
    if system.vector_field.closure != "sampled":
        left_out |= SAMPLED
    if chosen.predictor == "none":
        options.append("--no-predictor")
        left_out.add("predictor")
    if not chosen.stop_gradient:
        options.append("--no-stop-gradient")
        left_out.add("stop_gradient")
    for field in fields(Settings):
        value: Any = getattr(chosen, field.name)
        if field.name in left_out or value == field.default:
            continue
        flag = f"--{field.name.replace('_', '-')}"
        options += [flag] if value is True else [flag, plain(value)]
    return " ".join(options)


def plain(value: Any) -> str:
    """A number without the dirt of binary fractions, such as 0.3 for 0.1 + 0.2; else the text."""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def start_option(system: DynamicalSystem) -> str | None:
    """Which options of `eigendyn simulate` start at a point of the plane; None if none do."""
    if system.modes == 2:
        return "variances"
    return "predictor" if system.vector_field.states[1] == "predictor_value" else None
