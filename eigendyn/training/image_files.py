"""Read images and their labels from a file of arrays, by the names that public files have."""

from __future__ import annotations

from pathlib import Path

from eigendyn.errors import UnreadableFile
from eigendyn.settings.matrix_files import LISTED, read_arrays
from eigendyn.training.images import Images, given_split, split_images

NAMES = (  # of images, and of their labels
    ("images", "labels"),
    ("x", "y"),
    ("X", "y"),
    ("data", "target"),  # scikit-learn
)
SPLIT_NAMES = (  # likewise, of those that are trained on and of those that are tested on
    ("x_train", "y_train", "x_test", "y_test"),  # Keras' mnist.npz
    ("X_train", "y_train", "X_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),  # MedMNIST
)


def read_images(path: str | Path) -> Images:
    """Read images, and split them as `split_images` does, unless the file has a test set.

    Args:
        path: .npz with `images` and `labels`, under these names or those of `NAMES`, or with a test
            set too, under those of `SPLIT_NAMES`; labels may be missing. Or .npy with images alone.

    Returns:
        Images that are trained on and others that are tested on.

    Raises:
        UnreadableFile: Missing, malformed, without images, or with Python objects for them.
        InvalidSpectrum: As `split_images`.
        InvalidSetting: As `split_images`.
    """
    arrays, name = read_arrays(path, "images"), Path(path).name
    for key in (key for row in (*NAMES, *SPLIT_NAMES) for key in row):
        if key in arrays and arrays[key] is None:
            message = (
                f"{path} must hold numbers or text; {key!r} holds Python objects, which are never "
                f"loaded. Save it as numbers, or text as {key}.astype(str)."
            )
            raise UnreadableFile(message)
    for train, train_labels, test, test_labels in SPLIT_NAMES:
        parts = arrays.get(train), arrays.get(test)
        if parts[0] is not None and parts[1] is not None:
            ours, theirs = (parts[0], arrays.get(train_labels)), (parts[1], arrays.get(test_labels))
            return given_split(ours, theirs, name=name)
    for key, labels in NAMES:
        images = arrays.get(key)
        if images is not None:
            return split_images(images, arrays.get(labels), name=name)
    held = ", ".join(list(arrays)[:LISTED]) or "none"
    message = (
        f"{path} must hold arrays called 'images' and 'labels'; it holds {held}. Try "
        "numpy.savez('images.npz', images=images, labels=labels)."
    )
    raise UnreadableFile(message)
