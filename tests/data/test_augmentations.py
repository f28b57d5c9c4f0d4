"""Claims about augmentations: the moments of their views, by hand, by scipy and by drawing."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform, map_coordinates
from structures import full_but

from eigendyn.data.asked import read_augmentations
from eigendyn.data.augmentations import AUGMENTATIONS, drawn, expectation

SHAPE = (3, 4)
PIXELS = 12
MIXING = np.random.default_rng(0).normal(size=(PIXELS, PIXELS))
SECOND = MIXING @ MIXING.T  # of inputs
IMAGES = np.random.default_rng(1).normal(size=(5, *SHAPE))
ALL = ["shift:1", "flip", "rotate:40", "crop:0.5", "brightness:0.7", "contrast:0.9"]
SEVERAL = "crop:0.6,shift:2,contrast:0.5,mask:0.1,noise:0.3,flip"
ALL += ["noise:0.8", "mask:0.3", SEVERAL]
QUICK = {SEVERAL, "rotate:40", "brightness:0.7"}  # every one of them stands in these


def expected(text):
    return expectation(read_augmentations(text, "augment"), SHAPE)


def moved(text, images=IMAGES):
    """E[T] of images (count, height, width), as the expectation says."""
    flat = images.reshape(len(images), -1)
    return expected(text).mean(flat.T).T.reshape(images.shape)


def averages(maps):
    """E[T] and S → E[T S Tᵀ] of equally likely maps, written out."""
    return sum(maps) / len(maps), sum(m @ SECOND @ m.T for m in maps) / len(maps)


def matrix_of(function):
    """The matrix of a linear function of images."""
    basis = np.eye(PIXELS).reshape(-1, *SHAPE)
    return np.stack([function(image).ravel() for image in basis], axis=1)


def shifted(image, down, right):
    """An image in a frame of zeros, cut out where it has been moved to."""
    height, width = image.shape
    frame = np.pad(image, 2)
    return frame[2 - down : 2 - down + height, 2 - right : 2 - right + width]


def test_every_augmentation_is_tested():
    assert {part.split(":")[0] for text in ALL for part in text.split(",")} == set(AUGMENTATIONS)


@pytest.mark.parametrize("text", full_but({text: text for text in ALL}, QUICK))
def test_moments_of_drawn_views_are_those_expected(text):
    """Two views of the same Gaussian inputs; each entry within five of its standard errors."""
    rng, draws = np.random.default_rng(2), 100_000
    inputs = rng.normal(size=(draws, PIXELS)) @ MIXING.T
    steps = read_augmentations(text, "augment")
    first, second = (drawn(inputs, steps, SHAPE, rng) for _ in range(2))
    found = expectation(steps, SHAPE)
    pairs = {
        "first with itself": (first, first, found.second(SECOND)),
        "first with second": (first, second, found.mean(found.mean(SECOND).T)),
    }
    for left, right, wanted in pairs.values():
        products = left[:, :, None] * right[:, None, :]
        error = products.std(axis=0) / draws**0.5
        assert np.abs((products.mean(axis=0) - wanted) / error).max() < 5


def test_shifts_are_every_one_of_nine_with_zeros_behind():
    maps = [
        matrix_of(lambda image, a=a, b=b: shifted(image, a, b))
        for a in (-1, 0, 1)
        for b in (-1, 0, 1)
    ]
    mean, second = averages(maps)
    np.testing.assert_allclose(moved("shift:1").reshape(5, -1), IMAGES.reshape(5, -1) @ mean.T)
    np.testing.assert_allclose(expected("shift:1").second(SECOND), second)


def test_a_shift_of_drawn_images_is_one_of_the_nine_and_all_occur():
    many = np.repeat(IMAGES[:1], 500, axis=0).reshape(500, -1)
    views = drawn(many, read_augmentations("shift:1", "augment"), SHAPE, np.random.default_rng(3))
    nine = {shifted(IMAGES[0], a, b).tobytes() for a in (-1, 0, 1) for b in (-1, 0, 1)}
    assert {view.tobytes() for view in views + 0.0} == nine


def test_a_flip_mirrors_left_and_right_in_half_of_the_cases():
    _, second = averages([np.eye(PIXELS), matrix_of(lambda image: image[:, ::-1])])
    np.testing.assert_allclose(moved("flip"), (IMAGES + IMAGES[:, :, ::-1]) / 2)
    np.testing.assert_allclose(expected("flip").second(SECOND), second)


@pytest.mark.parametrize("degrees", [10, 40, 180])
def test_rotations_agree_with_scipy_averaged_over_many_angles(degrees):
    """Up to what kinks of linear interpolation cost either average, most for the largest angles."""
    centre = (np.array(SHAPE) - 1) / 2

    def turned(angle):
        cosine, sine = np.cos(angle), np.sin(angle)
        matrix = np.array([[cosine, sine], [-sine, cosine]])
        offset = centre - matrix @ centre
        return matrix_of(
            lambda image: affine_transform(image, matrix, offset, order=1, mode="grid-constant")
        )

    angles = np.deg2rad(degrees) * ((np.arange(400) + 0.5) / 200 - 1)
    mean, second = averages([turned(angle) for angle in angles])
    found = expected(f"rotate:{degrees}")
    scale = np.abs(second).max()
    assert np.abs(found.mean(np.eye(PIXELS)) - mean).max() < 2e-3
    assert np.abs(found.second(SECOND) - second).max() < 1e-3 * scale


def test_a_turn_by_a_right_angle_moves_pixels_onto_pixels():
    from eigendyn.data.augmentations import _turned
    from eigendyn.data.interpolation import at_places

    image = np.random.default_rng(4).normal(size=(1, 5, 5))
    turned = at_places(image, *_turned(np.array([np.pi / 2]), (5, 5))).reshape(5, 5)
    np.testing.assert_allclose(turned, np.rot90(image[0]), atol=1e-12)


def test_crops_agree_with_scipy_averaged_over_many_windows():
    line = (np.arange(60) + 0.5) / 60
    shares, places = (one.ravel() for one in np.meshgrid(0.5 + 0.5 * line, line))

    def stretched(size):
        start = (1 - shares) * (size - 1) * places
        coordinates = start[:, None] + shares[:, None] * np.arange(size)
        unit = np.eye(size)
        return np.array(
            [
                [map_coordinates(pixel, [coordinate], order=1) for pixel in unit]
                for coordinate in coordinates
            ]
        ).transpose(0, 2, 1)

    vertical, across = (stretched(size) for size in SHAPE)
    mean = np.einsum("ab,cd->acbd", vertical.mean(axis=0), across.mean(axis=0))
    pairs = [np.einsum("nab,ncd->abcd", one, one) / len(one) for one in (vertical, across)]
    second = np.einsum("abcd,efgh,bfdh->aecg", *pairs, SECOND.reshape(*SHAPE, *SHAPE))
    found = expected("crop:0.5")
    assert np.abs(found.mean(np.eye(PIXELS)) - mean.reshape(PIXELS, PIXELS)).max() < 1e-3
    error = found.second(SECOND) - second.reshape(PIXELS, PIXELS)
    assert np.abs(error).max() < 1e-3 * np.abs(second).max()
    np.testing.assert_allclose(moved("crop:1"), IMAGES)


@pytest.mark.parametrize(
    ("text", "mean", "second"),
    [
        ("brightness:0.6", 1, SECOND + 0.6**2 / 3),
        ("contrast:0.6", 1, SECOND * (1 + 0.6**2 / 3)),
        ("noise:0.6", 1, SECOND + 0.36 * np.eye(PIXELS)),
        ("mask:0.6", 0.4, 0.16 * SECOND + 0.24 * np.diag(np.diag(SECOND))),
        ("noise:0.6,mask:0.6", 0.4, 0.16 * SECOND + np.diag(0.24 * np.diag(SECOND) + 0.4 * 0.36)),
        ("mask:0.6,noise:0.6", 0.4, 0.16 * SECOND + np.diag(0.24 * np.diag(SECOND) + 0.36)),
    ],
)
def test_moments_of_pixels_in_closed_form(text, mean, second):
    found = expected(text)
    np.testing.assert_allclose(found.mean(IMAGES.reshape(5, -1).T).T, mean * IMAGES.reshape(5, -1))
    np.testing.assert_allclose(found.second(SECOND), second)
