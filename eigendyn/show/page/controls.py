"""Describe the sliders of a field's parameters: labels, ranges, steps, options."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from eigendyn.settings.run_settings import Settings


@dataclass(frozen=True)
class Control:
    """One slider.

    Args:
        label: What it changes, in words.
        symbol: The same as a sign, or the name that a user gave.
        option: Option of the command line that sets it.
        default: Value that the command line takes without the option; None if it has none.
        value: Where it stands.
        low: Smallest value.
        high: Largest value.
        step: Distance of its values.
    """

    label: str
    symbol: str
    option: str
    default: float | None
    value: float
    low: float
    high: float
    step: float


KNOWN = {  # label, symbol, lowest, highest, step
    "sigma1": ("noise of the first view", "σ₁", 0.0, 2.0, 0.01),
    "sigma2": ("noise of the second view", "σ₂", 0.0, 2.0, 0.01),
    "weight_decay": ("weight decay", "ω", 0.0, 1.0, 0.005),
    "epsilon": ("lift of the eigenvalues", "ε", 0.0, 1.0, 0.01),
    "predictor_rate": ("learning rate of the predictor", "κ", 0.05, 10.0, 0.05),
    "predictor_decay": ("weight decay of the predictor", "ωₚ", 0.0, 1.0, 0.005),
    "ema": ("momentum of the target", "μ", 0.0, 0.995, 0.005),
    "correlation_momentum": ("momentum of the correlation", "μ", 0.0, 0.995, 0.005),
    "learning_rate": ("learning rate", "η", 0.005, 1.0, 0.005),
}


def controls(parameters: Mapping[str, float], own: Mapping[str, float]) -> list[Control]:
    """Sliders of a field's parameters.

    Args:
        parameters: Values by name, in the field's order.
        own: Those of the loss's own.
    """
    return [
        _own(name, value) if name in own else _known(name, value)
        for name, value in parameters.items()
    ]


def _known(name: str, value: float) -> Control:
    label, symbol, low, high, step = KNOWN[name]
    return Control(
        label=label,
        symbol=symbol,
        option=f"--{name.replace('_', '-')}",
        default=getattr(Settings, name),
        value=value,
        low=min(low, value),
        high=max(high, value),
        step=step,
    )


def _own(name: str, value: float) -> Control:
    """A range of twice the value, in a round number of steps."""
    size = abs(value) or 1.0
    return Control(
        label="parameter of the loss",
        symbol=name,
        option="--param",
        default=None,
        value=value,
        low=min(0.0, 2 * value) if value else -1.0,
        high=max(0.0, 2 * value) if value else 1.0,
        step=10.0 ** math.floor(math.log10(size / 20)),
    )
