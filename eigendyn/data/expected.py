"""Take expectations over an augmentation: what it makes of the moments of centred inputs.

Every augmentation here is a view T x + n of an input x, with a linear map T and noise n that are
drawn independently of x. So E[T] and the map S → E[T S Tᵀ] + E[n nᵀ] of second moments are all that
first and second moments of views need, whatever the distribution of the inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eigendyn.data.interpolation import along_one_direction, as_matrix

Shape = tuple[int, ...]  # of one input: (height, width) of images, (dimensions,) of vectors


class Expected(NamedTuple):
    """What a view's random map T and noise n make of moments.

    Args:
        mean: X (inputs, any) → E[T] X.
        second: S (inputs, inputs) → E[T S Tᵀ] + E[n nᵀ].
    """

    mean: Callable[[NDArray], NDArray]
    second: Callable[[NDArray], NDArray]


def one_after_the_other(steps: list[Expected]) -> Expected:
    """Augmentations in the order in which they are made, drawn independently of each other."""

    def mean(values: NDArray) -> NDArray:
        for step in steps:
            values = step.mean(values)
        return values

    def second(moments: NDArray) -> NDArray:
        for step in steps:
            moments = step.second(moments)
        return moments

    return Expected(mean, second)


def along_lines(rows: NDArray, columns: NDArray) -> Expected:
    """Images whose lines move: equally likely coordinates, rows independently of columns.

    With T = V ⊗ H, E[T S Tᵀ] takes E[V ⊗ V] on pairs of rows and E[H ⊗ H] on pairs of columns.

    Args:
        rows: Where each row comes from (cases, height) [pixels].
        columns: Where each column comes from (cases, width).
    """
    height, width = rows.shape[1], columns.shape[1]
    vertical, horizontal = along_one_direction(rows, height), along_one_direction(columns, width)
    on_rows, on_columns = _pairs(vertical), _pairs(horizontal)

    def mean(values: NDArray) -> NDArray:
        images = values.T.reshape(-1, height, width)
        moved = vertical.mean(axis=0) @ images @ horizontal.mean(axis=0).T
        return moved.reshape(values.shape[1], -1).T

    def second(moments: NDArray) -> NDArray:
        pairs = moments.reshape(height, width, height, width).transpose(0, 2, 1, 3)
        moved = on_rows @ pairs.reshape(height**2, width**2) @ on_columns.T
        return (
            moved.reshape(height, height, width, width).transpose(0, 2, 1, 3).reshape(moments.shape)
        )

    return Expected(mean, second)


def _pairs(maps: NDArray) -> NDArray:
    """E[V ⊗ V] (size², size²) of equally likely maps V (cases, size, size)."""
    cases, size, _ = maps.shape
    flat = maps.reshape(cases, -1)
    products = (flat.T @ flat / cases).reshape(size, size, size, size)  # V_ab V_cd
    return products.transpose(0, 2, 1, 3).reshape(size**2, size**2)


def at_coordinates(rows: NDArray, columns: NDArray, chances: NDArray, shape: Shape) -> Expected:
    """Images whose pixels move.

    Args:
        rows: Where each pixel comes from (cases, pixels) [pixels].
        columns: Likewise.
        chances: Of each case (cases,).
        shape: Of an image.
    """
    maps = [as_matrix(*pair, shape) for pair in zip(rows, columns, strict=True)]

    def mean(values: NDArray) -> NDArray:
        found = np.zeros(values.shape)
        for chance, moved in zip(chances, maps, strict=True):
            found += chance * (moved @ values)
        return found

    def second(moments: NDArray) -> NDArray:
        found = np.zeros(moments.shape)
        for chance, moved in zip(chances, maps, strict=True):
            found += chance * (moved @ (moved @ moments).T)
        return found

    return Expected(mean, second)


def one_factor_each(mean: float, square: float) -> Expected:
    """Every input times a random number, of this mean and mean square."""
    return Expected(lambda values: mean * values, lambda moments: square * moments)


def kept_with(share: float) -> Expected:
    """Every dimension kept with this probability, independently, or set to zero."""

    def second(moments: NDArray) -> NDArray:
        return share**2 * moments + np.diag((share - share**2) * np.diag(moments))

    return Expected(lambda values: share * values, second)


def one_number_each(variance: float) -> Expected:
    """The same random number, of mean zero, added to every dimension of an input."""
    return Expected(lambda values: values, lambda moments: moments + variance)


def independent_noise(variance: float) -> Expected:
    """Noise of mean zero added to every dimension, independently."""
    return Expected(
        lambda values: values, lambda moments: moments + variance * np.eye(len(moments))
    )
