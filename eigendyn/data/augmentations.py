"""List the augmentations: how each draws views, and what it does to moments, in one row.

Each acts on inputs less their mean, so that what an image moves away from, or what is masked, is
filled with the mean image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from eigendyn.data import expected
from eigendyn.data.expected import Expected, Shape
from eigendyn.data.interpolation import along_one_direction, at_places
from eigendyn.settings.checks import NONNEGATIVE, Domain

PARTS = 32  # midpoints of each random number of a crop, for expectations
ANGLES_PER_PIXEL = 8  # likewise, by how far the corners of an image move: errors of some 1e-4

Coordinates = Callable[[float, int, NDArray], NDArray]


@dataclass(frozen=True)
class Augmentation:
    """A way to draw views, and what it makes of moments.

    Args:
        does: What it does, in words, with {} for its number.
        number: What its number is, in words; empty where it takes none.
        domain: What the number may be.
        example: How it is written.
        draw: Views of inputs (count, …), by the number and a generator.
        expect: What it makes of moments, by the number and the shape of one input.
        of_images: Whether inputs must be images.
        taken: How expectations over it are taken; empty where exactly.
    """

    does: str
    number: str
    domain: Domain
    example: str
    draw: Callable[[NDArray, float, Generator], NDArray]
    expect: Callable[[float, Shape], Expected]
    of_images: bool = False
    taken: str = ""


def _shifted(pixels: float, size: int, chance: NDArray) -> NDArray:
    """Lines moved by a whole number of pixels from −pixels to pixels, each as likely."""
    return np.arange(size) - (np.floor(chance * (2 * pixels + 1)) - pixels)


def _draw_shifted(images: NDArray, pixels: float, rng: Generator) -> NDArray:
    """Whole pixels are moved as they are; matrices would take several times as long."""
    count, height, width = images.shape
    most = int(pixels)
    down, right = (np.floor(rng.random(count) * (2 * most + 1)).astype(int) for _ in range(2))
    around = np.pad(images, ((0, 0), (most, most), (most, most)))
    windows = np.lib.stride_tricks.sliding_window_view(around, (height, width), axis=(1, 2))
    return windows[np.arange(count), 2 * most - down, 2 * most - right]


def _mirrored(_: float, size: int, chance: NDArray) -> NDArray:
    line = np.arange(size)
    return np.where(chance < 0.5, line, line[::-1])


def _still(_: float, size: int, chance: NDArray) -> NDArray:
    return np.broadcast_to(np.arange(size), (len(chance), size))


def _window(smallest: float, size: int, chance: NDArray) -> NDArray:
    """A window of a share from `smallest` to 1 of a line, anywhere, stretched to the whole line."""
    share = smallest + (1 - smallest) * chance[:, :1]
    start = (1 - share) * (size - 1) * chance[:, 1:]
    return start + share * np.arange(size)


def _midpoints(parts: int, numbers: int) -> NDArray:
    """Midpoints (partsⁿ, n) of equal parts of the unit cube."""
    line = (np.arange(parts) + 0.5) / parts
    return np.stack(np.meshgrid(*[line] * numbers, indexing="ij"), axis=-1).reshape(-1, numbers)


def _lines(
    does: str,
    number: str,
    domain: Domain,
    example: str,
    *,
    rows: Coordinates,
    columns: Coordinates,
    parts: Callable[[float], int],
    numbers: int = 1,
    taken: str = "",
) -> Augmentation:
    """An augmentation that moves rows alike in all columns, and columns alike in all rows.

    Args:
        does: As of `Augmentation`, and so on.
        number: Likewise.
        domain: Likewise.
        example: Likewise.
        rows: Where each row comes from, by the number, the height, and random numbers from 0 to 1.
        columns: Likewise of columns.
        parts: Into how many equally likely parts each random number falls, for expectations.
        numbers: How many random numbers rows and columns take each.
        taken: As of `Augmentation`.
    """

    def draw(images: NDArray, argument: float, rng: Generator) -> NDArray:
        count, height, width = images.shape
        vertical = along_one_direction(rows(argument, height, rng.random((count, numbers))), height)
        across = along_one_direction(columns(argument, width, rng.random((count, numbers))), width)
        return vertical @ images @ across.transpose(0, 2, 1)

    def expect(argument: float, shape: Shape) -> Expected:
        height, width = shape
        chances = _midpoints(parts(argument), numbers)
        return expected.along_lines(
            rows(argument, height, chances), columns(argument, width, chances)
        )

    return Augmentation(does, number, domain, example, draw, expect, of_images=True, taken=taken)


def _turned(angles: NDArray, shape: Shape) -> tuple[NDArray, NDArray]:
    """Rows and columns (cases, pixels) from which images turned about their centres come."""
    height, width = shape
    down, right = (one.ravel() for one in np.indices(shape, float))
    down, right = down - (height - 1) / 2, right - (width - 1) / 2
    cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    rows, columns = cosine * down + sine * right, cosine * right - sine * down
    return rows + (height - 1) / 2, columns + (width - 1) / 2


def _draw_turned(images: NDArray, degrees: float, rng: Generator) -> NDArray:
    angles = np.deg2rad(degrees) * rng.uniform(-1, 1, len(images))
    return at_places(images, *_turned(angles, images.shape[1:])).reshape(images.shape)


def _expect_turned(degrees: float, shape: Shape) -> Expected:
    """Gauss–Legendre on either side of no turn, where linear interpolation has a kink."""
    largest = np.deg2rad(degrees)
    half = int(np.ceil(ANGLES_PER_PIXEL * largest * math.hypot(*shape) / 2)) + 2
    places, weights = np.polynomial.legendre.leggauss(half)
    angles = largest * (1 + places) / 2
    rows, columns = _turned(np.concatenate([-angles, angles]), shape)
    return expected.at_coordinates(rows, columns, np.tile(weights / 4, 2), shape)


def _one_each(images: NDArray, largest: float, rng: Generator) -> NDArray:
    """A number from −largest to largest for every image, shaped to be added to it."""
    return rng.uniform(-largest, largest, (len(images),) + (1,) * (images.ndim - 1))


AUGMENTATIONS = {
    "shift": replace(
        _lines(
            "shifted by −{0} to {0} whole pixels in each direction, each as likely",
            "pixels",
            Domain(lambda x: x > 0 and x == int(x), "a whole number ≥ 1"),
            "shift:1",
            rows=_shifted,
            columns=_shifted,
            parts=lambda pixels: int(2 * pixels + 1),
        ),
        draw=_draw_shifted,
    ),
    "flip": _lines(
        "mirrored left to right in one of two cases",
        "",
        NONNEGATIVE,
        "flip",
        rows=_still,
        columns=_mirrored,
        parts=lambda _: 2,
    ),
    "rotate": Augmentation(
        "turned about the centre by an angle uniform from −{0}° to {0}°",
        "degrees",
        Domain(lambda x: 0 < x <= 180, "> 0 and at most 180"),
        "rotate:10",
        _draw_turned,
        _expect_turned,
        of_images=True,
        taken=f"by quadrature, {ANGLES_PER_PIXEL} angles per pixel that corners move",
    ),
    "crop": _lines(
        "cropped, in each direction to a share uniform from {0} to 1 at a uniform place, and "
        "stretched to the whole",
        "smallest share of each side",
        Domain(lambda x: 0 < x <= 1, "> 0 and at most 1"),
        "crop:0.8",
        rows=_window,
        columns=_window,
        parts=lambda _: PARTS,
        numbers=2,
        taken=f"by quadrature, {PARTS} shares × {PARTS} places in each direction",
    ),
    "brightness": Augmentation(
        "with one number uniform from −{0} to {0} added to all of its dimensions",
        "largest change",
        NONNEGATIVE,
        "brightness:0.2",
        lambda images, largest, rng: images + _one_each(images, largest, rng),
        lambda largest, _: expected.one_number_each(largest**2 / 3),
    ),
    "contrast": Augmentation(
        "times one number uniform from 1 − {0} to 1 + {0}",
        "largest relative change",
        Domain(lambda x: 0 <= x <= 1, "at least 0 and at most 1"),
        "contrast:0.3",
        lambda images, largest, rng: images * (1 + _one_each(images, largest, rng)),
        lambda largest, _: expected.one_factor_each(1.0, 1 + largest**2 / 3),
    ),
    "noise": Augmentation(
        "with Gaussian noise of standard deviation {0} added, independently in every dimension",
        "standard deviation",
        NONNEGATIVE,
        "noise:0.05",
        lambda images, deviation, rng: images + deviation * rng.standard_normal(images.shape),
        lambda deviation, _: expected.independent_noise(deviation**2),
    ),
    "mask": Augmentation(
        "with every dimension set to its mean with probability {0}, independently",
        "probability",
        Domain(lambda x: 0 <= x < 1, "at least 0 and below 1"),
        "mask:0.2",
        lambda images, share, rng: images * (rng.random(images.shape) >= share),
        lambda share, _: expected.kept_with(1 - share),
    ),
}


@dataclass(frozen=True)
class Step:
    """An augmentation with its number.

    Args:
        name: One of `AUGMENTATIONS`.
        number: Its number; 0 where it takes none.
    """

    name: str
    number: float

    @property
    def row(self) -> Augmentation:
        """What is known of the augmentation."""
        return AUGMENTATIONS[self.name]


def drawn(inputs: NDArray, steps: Sequence[Step], shape: Shape, rng: Generator) -> NDArray:
    """Draw one view of each centred input.

    Args:
        inputs: Inputs less their mean (count, inputs).
        steps: Augmentations, in the order in which they are made.
        shape: Of one input.
        rng: Draws them.

    Returns:
        Views (count, inputs).
    """
    views = inputs.reshape(len(inputs), *shape)
    for step in steps:
        views = step.row.draw(views, step.number, rng)
    return views.reshape(inputs.shape)


def expectation(steps: Sequence[Step], shape: Shape) -> Expected:
    """What augmentations, one after the other, make of moments of centred inputs."""
    return expected.one_after_the_other([step.row.expect(step.number, shape) for step in steps])
