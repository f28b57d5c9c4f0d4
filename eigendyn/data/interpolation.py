"""Interpolate images linearly at given coordinates; pixels outside of an image are zero.

A pixel of the result takes the image's value at its coordinate, in pixels from the first one. What
moves an image so is a linear map of its pixels. It separates where rows move alike in all columns,
and columns alike in all rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def along_one_direction(coordinates: NDArray, size: int) -> NDArray:
    """Matrices (…, places, size) that take lines of pixels to their values at coordinates.

    Args:
        coordinates: Where to look (…, places) [pixels].
        size: Number of pixels of a line.
    """
    return np.maximum(0.0, 1 - np.abs(coordinates[..., None] - np.arange(size)))


def at_places(images: NDArray, rows: NDArray, columns: NDArray) -> NDArray:
    """Values of images, each at coordinates of its own.

    Args:
        images: Images (count, height, width).
        rows: Coordinates downwards (count, places) [pixels].
        columns: Coordinates to the right, likewise.

    Returns:
        Values (count, places).
    """
    count, height, width = images.shape
    flat = images.reshape(count, -1)
    values = np.zeros(rows.shape)
    for pixel, weight in _corners(rows, columns, (height, width)):
        values += weight * np.take_along_axis(flat, pixel, axis=1)
    return values


def as_matrix(rows: NDArray, columns: NDArray, shape: tuple[int, ...]) -> csr_array:
    """The matrix (places, pixels) that takes an image to its values at coordinates (places,)."""
    from scipy.sparse import csr_array

    corners = list(_corners(rows, columns, shape))
    pixels, weights = (np.concatenate(part) for part in zip(*corners, strict=True))
    places = np.tile(np.arange(len(rows)), len(corners))
    return csr_array((weights, (places, pixels)), shape=(len(rows), shape[0] * shape[1]))


def _corners(
    rows: NDArray, columns: NDArray, shape: tuple[int, ...]
) -> Iterator[tuple[NDArray, NDArray]]:
    """The four pixels around every coordinate, and their weights; 0 for those outside."""
    height, width = shape
    up, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, right = rows - up, columns - left  # of the way to the next pixel
    for row, row_weight in ((up, 1 - down), (up + 1, down)):
        for column, column_weight in ((left, 1 - right), (left + 1, right)):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            pixel = np.where(inside, row * width + column, 0)
            yield pixel, np.where(inside, row_weight * column_weight, 0.0)
