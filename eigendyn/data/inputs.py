"""Check that numbers are samples of inputs, vectors or images, and scale grey values to 0…1."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.data.expected import Shape
from eigendyn.errors import InvalidSetting, InvalidSpectrum
from eigendyn.settings.matrices import Matrix, as_matrix

GREY_LEVELS = (16, 255, 65535)  # largest whole number of an image, that is scaled to 1
LARGEST, SMALLEST = 1e30, 1e-30  # deviations: their squares, and single precision, hold these


@dataclass(frozen=True)
class Inputs:
    """Samples, one a row.

    Args:
        values: Samples (samples, inputs), float64.
        shape: Of one sample: (height, width) of an image, (dimensions,) of a vector.
        divisor: What they were divided by.
    """

    values: NDArray
    shape: Shape
    divisor: int = 1


def as_inputs(
    values: ArrayLike | Matrix, what: str, shape: tuple[int, int] | None = None
) -> Inputs:
    """Check that values are samples of inputs.

    Args:
        values: Samples × dimensions, or samples × height × width.
        what: What they are, for messages: "Inputs".
        shape: Height and width, of images that are given as vectors.

    Raises:
        InvalidSpectrum: No such array of finite real numbers, fewer than two samples, all of them
            equal, or numbers so large or small that their squares are none.
        InvalidSetting: `shape` has another number of pixels.
    """
    found = _shaped(values, what, shape)
    samples = found.values
    if len(samples) < 2:
        message = (
            f"{what} must have at least two samples, so that they vary; there is one, of the shape "
            f"{found.shape}. Give samples as rows, samples × dimensions."
        )
        raise InvalidSpectrum(message)
    spread = float(np.ptp(samples, axis=0).max())
    if spread == 0:
        message = (
            f"{what} must vary; all {len(samples)} samples are equal, so that no component has "
            "signal. Check what wrote them."
        )
        raise InvalidSpectrum(message)
    if not SMALLEST <= spread <= LARGEST:
        message = (
            f"{what} must vary by {SMALLEST:g} to {LARGEST:g}, so that their squares are numbers; "
            f"they vary by {spread:g}. Divide them by {spread:.0e}."
        )
        raise InvalidSpectrum(message)
    return found


def _shaped(values: ArrayLike | Matrix, what: str, shape: tuple[int, int] | None) -> Inputs:
    words = "samples × dimensions"
    if isinstance(values, Matrix):
        matrix, own = values.values, values.image
    else:
        try:
            array = np.asarray(values)
        except (TypeError, ValueError, RuntimeError):  # ragged lists, tensors on a GPU
            array = None
        own = None if array is None or array.ndim != 3 else array.shape[1:]
        if array is not None and own is not None and array.size:
            matrix = as_matrix(array.reshape(len(array), -1), what, words).values
        else:
            matrix = as_matrix(
                values if array is None else array, what, f"{words}, or samples × height × width"
            ).values
    if shape is None:
        return Inputs(matrix, own or matrix.shape[1:])
    height, width = _checked(shape)
    if own not in (None, (height, width)) or height * width != matrix.shape[1]:
        given = " × ".join(map(str, own or matrix.shape[1:]))
        message = (
            f"`shape` must have the pixels that a sample has, {given}, not {height} × {width}. "
            "Leave it out, or correct it."
        )
        raise InvalidSetting(message)
    return Inputs(matrix, (height, width))


def _checked(shape: tuple[int, int]) -> tuple[int, int]:
    try:
        height, width = (int(number) for number in shape)
        whole = (height, width) == tuple(shape) and min(height, width) >= 1
    except (TypeError, ValueError):
        height, width, whole = 0, 0, False
    if not whole:
        message = f"`shape` must be height and width, two whole numbers ≥ 1, not {shape}. Try 8,8."
        raise InvalidSetting(message)
    return height, width


def scaled(*every: Inputs) -> tuple[Inputs, ...]:
    """Divide images of whole numbers, as 0 to 255, by their largest grey value; others stay."""
    if any(len(inputs.shape) == 1 or not grey_level(inputs.values) for inputs in every):
        return every
    divisor = max(grey_level(inputs.values) for inputs in every)
    return tuple(
        replace(inputs, values=inputs.values / divisor, divisor=divisor) for inputs in every
    )


def grey_level(values: NDArray) -> int:
    """The largest grey value of whole numbers that look like grey values; 0 of any others."""
    largest = values.max()
    if values.min() < 0 or not 1 < largest <= GREY_LEVELS[-1] or (values != np.rint(values)).any():
        return 0
    return next(level for level in GREY_LEVELS if largest <= level)
