"""Describe the sliders of a field's parameters: labels, ranges, steps, options."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from eigendyn.settings.parameters import PARAMETERS, PER_MODE

LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


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


def controls(
    parameters: Mapping[str, Any], own: Mapping[str, float], modes: int = 1
) -> dict[str, list[Control]]:
    """Sliders of a field's parameters, by name: one, or one for every mode.

    Args:
        parameters: Values by name, in the field's order; tables (1, modes) of parameters per mode.
        own: Those of the loss's own.
        modes: Number of modes.
    """

    def of(name: str, value: Any) -> list[Control]:
        if name in own:
            return [_own(name, value)]
        if name not in PER_MODE:
            return [_known(name, value)]
        values = np.broadcast_to(value, (1, modes))[0].tolist()
        signs = [str(mode + 1).translate(LOWERED) if modes > 1 else "" for mode in range(modes)]
        return [_known(name, one, sign) for one, sign in zip(values, signs, strict=True)]

    return {name: of(name, value) for name, value in parameters.items()}


def _known(name: str, value: float, mode: str = "") -> Control:
    row = PARAMETERS[name]
    assert row.slider is not None, name
    low, high, step = row.slider
    return Control(
        label=row.label,
        symbol=f"{row.sign} {mode}".strip(),
        option=f"--{name.replace('_', '-')}",
        default=row.default,
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
