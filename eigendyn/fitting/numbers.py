"""List the numbers that a fit looks for: what each does, where it may lie, where it is looked for.

They are held as coordinates (numbers,) in which the likelihood is nearly a parabola: logarithms of
what is a scale, the numbers themselves of what may vanish. A number that every mode has for itself
is e^δ_m times the shared one, its δ_m drawn from a normal distribution, of which the spread is one
number more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.settings.choices import check_choice
from eigendyn.settings.parameters import PARAMETERS


class Number(NamedTuple):
    """One number of a fit.

    Args:
        name: In results and as a keyword.
        sign: As equations write it.
        words: What it is.
        low: Least value.
        high: Largest value.
        first: Between which values it is looked for at first.
        is_log: Whether its coordinate is its logarithm.
        is_rate: Whether it is counted in rates of the record, 1/time.
    """

    name: str
    sign: str
    words: str
    low: float
    high: float
    first: tuple[float, float]
    is_log: bool
    is_rate: bool = False


TIME_SCALE, NOISE1, NOISE2, DECAY, ALPHA, PROCESS, READING = range(7)
SPREADS = {TIME_SCALE: 7, NOISE1: 8}  # of numbers that may be per mode
NUMBERS = (
    Number("time_scale", "A", "time scale of the gradient", 1e-4, 1e4, (0.05, 20), True, True),
    Number("noise1", "c₁", "second moment of the first view, 1 + σ₁²", 1, 1e3, (1, 3), True),
    Number("noise2", "c₂", "second moment of the second view, 1 + σ₂²", 1, 1e3, (1, 3), True),
    Number("weight_decay", "ω", PARAMETERS["weight_decay"].label, 0, 1e4, (0, 0.5), False, True),
    Number("alpha", "α", PARAMETERS["alpha"].label, 0.02, 20, (0.3, 1.6), True),
    Number("batch_noise", "q", "noise of batches in the weights", 1e-9, 1e2, (1e-5, 1e-2), True),
    Number("reading_noise", "r", "noise of one recording", 1e-5, 1e2, (1e-3, 1e-1), True),
    Number("time_scale_spread", "τ_A", "spread of ln A over modes", 3e-3, 2, (0.1, 1), True),
    Number("noise1_spread", "τ_c", "spread of ln (c₁ − 1) over modes", 3e-3, 2, (0.1, 1), True),
)
NAMES = tuple(row.name for row in NUMBERS)
NOISES = ("recorded", "looked-for")  # where those of modes come from
LEAST_NOISE = 1e-4  # c₁ − 1 that has a logarithm
LEAST = 1e-300  # stands for zero under a logarithm
LOGS = np.array([row.is_log for row in NUMBERS])


def box(rate: float) -> tuple[NDArray, NDArray]:
    """Coordinates between which each number must lie, at a typical rate of a record."""
    return _coordinates([row.low for row in NUMBERS], rate), _coordinates(
        [row.high for row in NUMBERS], rate
    )


def first_box(rate: float, has_error: bool) -> tuple[NDArray, NDArray]:
    """Coordinates between which each is looked for at first; r is near 1 if errors are known."""
    ranges = [row.first for row in NUMBERS]
    if has_error:
        ranges[READING] = (0.5, 3.0)
    return tuple(_coordinates([pair[end] for pair in ranges], rate) for end in (0, 1))  # pyright: ignore[reportReturnType]


def _coordinates(values: list[float], rate: float) -> NDArray:
    scaled = [v * rate if row.is_rate else v for v, row in zip(values, NUMBERS, strict=True)]
    return to_coordinates(np.array(scaled))


def to_coordinates(values: NDArray) -> NDArray:
    """Coordinates (…, numbers) of the numbers themselves."""
    with np.errstate(divide="ignore"):
        return np.where(LOGS, np.log(np.where(LOGS, values, 1.0)), values)


def to_values(coordinates: NDArray) -> NDArray:
    """The numbers (…, numbers) of coordinates."""
    return np.where(LOGS, np.exp(np.where(LOGS, coordinates, 0.0)), coordinates)


def modal_numbers(names: Sequence[str]) -> tuple[int, ...]:
    """Which numbers every mode is to have for itself, of their names.

    Raises:
        UnknownName: There is no such number.
        InvalidSetting: It is one for all modes.
    """
    for name in names:
        check_choice("number", name, NAMES[:PROCESS])
    can = [NAMES[row] for row in SPREADS]
    for name in names:
        if name not in can:
            message = (
                f"{name!r}, {NUMBERS[NAMES.index(name)].words}, is one number for all modes. Try "
                f"{' or '.join(map(repr, can))}."
            )
            raise InvalidSetting(message)
    return tuple(row for row in SPREADS if NAMES[row] in names)
