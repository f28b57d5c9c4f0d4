"""Check images and their labels, and split them into those trained on and those tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.data.asked import check_fit
from eigendyn.data.augmentations import Step
from eigendyn.data.expected import Shape
from eigendyn.data.inputs import as_inputs, scaled
from eigendyn.errors import InvalidSetting, as_given
from eigendyn.settings.matrices import Matrix

TEST_SHARE = 0.2  # of images kept apart for tests
SPLIT = 0  # random_state of that split: the same for the networks of every seed
SMALLEST = 4  # height and width from which an image is convolved
CHANNELS = (3, 4)  # of images in colour, and with transparency


@dataclass(frozen=True)
class Images:
    """Images that are trained on, and others that are tested on.

    Args:
        train: One image a row (images, pixels), float64.
        test: Likewise.
        train_labels: Class of each (images,), as a place in `classes`; None without labels.
        test_labels: Likewise.
        classes: Names of the classes; none without labels.
        shape: Of one image: (height, width), or (dimensions,) of a vector.
        name: What the images are called.
    """

    train: NDArray
    test: NDArray
    train_labels: NDArray | None
    test_labels: NDArray | None
    classes: tuple[str, ...]
    shape: Shape
    name: str


def digits_images() -> Images:
    """Split scikit-learn's 1,797 handwritten digits, 8 × 8 pixels, into 1,437 and 360.

    Source: scikit-learn's load_digits; Alpaydin & Kaynak 1998.
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    return split_images(found.images, found.target, name="digits")


def split_images(
    images: ArrayLike | Matrix,
    labels: ArrayLike | None = None,
    *,
    name: str = "images",
) -> Images:
    """Keep a fifth of images apart for tests, of every class alike, and one of each at least.

    The split is that of scikit-learn, train_test_split(…, stratify=labels, random_state=0),
    whatever seed networks are trained from.

    Args:
        images: Images × height × width, grey, or vectors, samples × dimensions. Images of whole
            numbers, 0 to 16, 255 or 65535, are divided by that.
        labels: Class of every image, whole numbers or text; None without labels.
        name: What the images are called.

    Returns:
        Both parts.

    Raises:
        InvalidSpectrum: No array of images, not finite, or nothing varies.
        InvalidSetting: Images in colour, or too few of them; labels that are no names, not one for
            each image, of a single class, or of a class with a single image.
    """
    from sklearn.model_selection import train_test_split

    pixels, shape = _pixels(images)
    codes, classes = (None, ()) if labels is None else _classes(labels, len(pixels))
    count, fewest = len(pixels), max(len(classes), 1)
    tested = min(max(int(np.ceil(TEST_SHARE * count)), fewest), count - max(fewest, 2))
    if tested < 1:
        message = f"There must be three images or more, to train and to test; there are {count}."
        raise InvalidSetting(message)
    train, test = train_test_split(
        np.arange(count), test_size=tested, stratify=codes, random_state=SPLIT
    )
    return _parted(pixels, shape, codes, classes, train, test, name)


def given_split(
    train: tuple[ArrayLike, ArrayLike | None],
    test: tuple[ArrayLike, ArrayLike | None],
    *,
    name: str = "images",
) -> Images:
    """Take images that come with a test set of their own.

    Args:
        train: Images as of `split_images`, and their labels, or None.
        test: Likewise.
        name: What the images are called.

    Returns:
        Both parts.

    Raises:
        InvalidSpectrum: As `split_images`.
        InvalidSetting: As `split_images`; or test images of another shape, without labels where the
            others have some, or of classes that the others are not of.
    """
    parts = [np.atleast_1d(images) for images, _ in (train, test)]
    if not len(parts[1]):
        message = "There must be images to test on; their array is empty. Leave it out."
        raise InvalidSetting(message)
    if parts[0].shape[1:] != parts[1].shape[1:]:
        ours, theirs = (" × ".join(map(str, part.shape)) or "none" for part in parts)
        message = (
            f"Images that are tested on must have the shape of those trained on, {ours}, not "
            f"{theirs}. Resize them, or leave them out."
        )
        raise InvalidSetting(message)
    pixels, shape = _pixels(np.concatenate(parts))
    first, codes, classes = len(parts[0]), None, ()
    if train[1] is not None and test[1] is not None:
        names = [
            _names(labels, len(part))
            for labels, part in ((train[1], parts[0]), (test[1], parts[1]))
        ]
        _, classes = _classes(names[0], first)
        strange = sorted(set(names[1].tolist()) - set(names[0].tolist()))
        if strange:
            message = (
                "Images that are tested on must be of the classes of those trained on, and "
                f"none of these is of class {str(strange[0])!r}. Leave such images out."
            )
            raise InvalidSetting(message)
        codes = np.unique(np.concatenate(names), return_inverse=True)[1]
    elif train[1] is not test[1]:
        lacking = "trained on" if train[1] is None else "tested on"
        message = f"Labels must be of all images or of none; those {lacking} have none. Add them."
        raise InvalidSetting(message)
    rows = np.arange(len(pixels))
    return _parted(pixels, shape, codes, classes, rows[:first], rows[first:], name)


def check_batch(images: Images, batch: int) -> None:
    """Check that there are images enough for a batch.

    Raises:
        InvalidSetting: There are fewer to train on.
    """
    count = len(images.train)
    if batch > count:
        message = (
            f"`batch` must be at most {count}, as many images as are trained on, not {batch}. Try "
            f"`batch={2 ** int(np.log2(max(count // 4, 2)))}`, or more images."
        )
        raise InvalidSetting(message)


def check_network(images: Images, network: str) -> None:
    """Check that a network takes images of their shape.

    Raises:
        InvalidSetting: A convolutional one is given vectors, or images of a few pixels.
    """
    if network != "conv":
        return
    given = " × ".join(map(str, images.shape))
    if len(images.shape) == 1:
        message = (
            "`network='conv'` takes images, samples × height × width; these are vectors of "
            f"{given} dimensions. Reshape them, or try `network='mlp'`."
        )
        raise InvalidSetting(message)
    if min(images.shape) < SMALLEST:
        message = (
            f"`network='conv'` takes images of {SMALLEST} × {SMALLEST} pixels or more, not "
            f"{given}. Try `network='mlp'`."
        )
        raise InvalidSetting(message)


def check_augmentations(images: Images, steps: Sequence[Step]) -> None:
    """Check that augmentations can be made of images of their shape.

    Raises:
        InvalidSetting: They move pixels and the images are vectors, or shift them out of sight.
    """
    moving = [step.name for step in steps if step.row.of_images]
    if moving and len(images.shape) == 1:
        message = (
            f"{moving[0]} needs images, samples × height × width; these are vectors of "
            f"{images.shape[0]} dimensions. Reshape them, or try `augment='noise:0.05'`."
        )
        raise InvalidSetting(message)
    check_fit(steps, images.shape)


def _pixels(images: ArrayLike | Matrix) -> tuple[NDArray, Shape]:
    """Grey values, one image a row, and the shape of an image."""
    try:
        axes = () if isinstance(images, Matrix) else np.shape(images)
    except ValueError:  # a ragged list, refused below
        axes = ()
    if len(axes) == 4:
        raise _channels_refused(axes)
    (inputs,) = scaled(as_inputs(images, "Images"))
    return inputs.values, inputs.shape


def _channels_refused(shape: tuple[int, ...]) -> InvalidSetting:
    """Say how images with channels become grey."""
    axis = 3 if shape[3] in (1, *CHANNELS) or shape[1] not in (1, *CHANNELS) else 1
    what = "in colour" if shape[axis] in CHANNELS else "with channels"
    given = " × ".join(map(str, shape))
    return InvalidSetting(
        f"Images must be grey, images × height × width; these are {what}, {given}. Average their "
        f"channels: images.mean(axis={axis})."
    )


def _names(labels: ArrayLike, count: int) -> NDArray:
    """Labels as whole numbers or text, one for each image."""
    try:
        array = np.asarray(labels)
    except ValueError:  # a ragged list
        array = np.empty(0, object)
    if array.shape[1:] == (1,):
        array = array.ravel()
    if array.ndim != 1 or len(array) != count:
        tried = "Try labels.argmax(axis=1)." if array.ndim == 2 else "Keep those of these images."
        given = " × ".join(map(str, array.shape)) or "a single one"
        message = f"Labels must be one for each of the {count} images, not {given}. {tried}"
        raise InvalidSetting(message)
    kind = array.dtype.kind
    if kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    elif kind == "O" and all(isinstance(one, str) for one in array):
        array = array.astype(str)
    elif kind == "f" and np.isfinite(array).all() and (array == np.rint(array)).all():
        array = array.astype(int)
    elif kind not in "biuU":
        wrong = next((one for one in array.tolist() if not _is_label(one)), array[0])
        message = (
            f"Labels must be whole numbers or text, not {as_given(wrong)}. Number the classes."
        )
        raise InvalidSetting(message)
    return array


def _is_label(one: object) -> bool:
    return isinstance(one, str | int) or (isinstance(one, float) and one.is_integer())


def _classes(labels: ArrayLike, count: int) -> tuple[NDArray, tuple[str, ...]]:
    """Place of every label among the classes, and their names."""
    names, codes, sizes = np.unique(_names(labels, count), return_inverse=True, return_counts=True)
    if len(names) < 2:
        message = (
            f"Labels must be of two classes or more; all are {str(names[0])!r}. Leave labels out, "
            "and nothing is read out."
        )
        raise InvalidSetting(message)
    if sizes.min() < 2:
        message = (
            "Every class must have two images or more, to train and to test; "
            f"{str(names[sizes.argmin()])!r} has one. Leave it out."
        )
        raise InvalidSetting(message)
    return codes, tuple(map(str, names))


def _parted(
    pixels: NDArray,
    shape: Shape,
    codes: NDArray | None,
    classes: tuple[str, ...],
    train: NDArray,
    test: NDArray,
    name: str,
) -> Images:
    labels = (None, None) if codes is None else (codes[train], codes[test])
    return Images(pixels[train], pixels[test], *labels, classes, shape, name)
