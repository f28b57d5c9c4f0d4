"""Read classes out of features, linearly and from the nearest neighbours, and count what is right.

Both are called dozens of times in a run, and keep to one thread: for matrices of a few thousand
rows several threads mostly wait for each other, which has been seen to take fifty times as long.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from eigendyn.settings.training import READ_OUT
from eigendyn.training.images import Images

STRENGTH = 1.0  # scikit-learn's C: the inverse weight of ‖W‖²/2 beside the sum of log losses
TOLERANCE = 1e-4  # largest slope with which the solver ends: on digits within two images of 1e-7
ITERATIONS = 300  # of some 30 that are usual
NEIGHBOURS = 5
CHUNK = 1_000  # test images whose cosines are held at once
CONSTANT = 2.0**-20  # deviation over the mean up to which a float32 feature is but rounding


def readouts(features: Callable[[NDArray], NDArray], images: Images) -> dict[str, float]:
    """Both readouts of features of labelled images, by their names.

    Args:
        features: Takes images (images, pixels), gives their features (images, features).
        images: Labelled images; those of `fitted_rows` are fitted, and all others tested on.
    """
    assert images.train_labels is not None and images.test_labels is not None
    rows = fitted_rows(images.train_labels)
    fitted, tested = features(images.train[rows]), features(images.test)
    told = (fitted, images.train_labels[rows], tested, images.test_labels)
    return {"linear_accuracy": linear_accuracy(*told), "knn_accuracy": knn_accuracy(*told)}


def fitted_rows(labels: NDArray) -> NDArray:
    """Images that readouts fit: all of them, or of more than `READ_OUT` so many.

    Of every class as large a share, as they stand, and at least one: always the same images.

    Args:
        labels: Classes of images that are trained on (images,).

    Returns:
        Their rows, in ascending order.
    """
    if len(labels) <= READ_OUT:
        return np.arange(len(labels))
    by_class = np.argsort(labels, kind="stable")
    _, firsts = np.unique(labels, return_index=True)
    evenly = by_class[np.arange(READ_OUT) * len(labels) // READ_OUT]
    return np.union1d(evenly, firsts)


def linear_accuracy(
    train: NDArray, train_labels: NDArray, test: NDArray, test_labels: NDArray
) -> float:
    """Share of test images whose class a linear readout of their features tells.

    Multinomial logistic regression, on features less their mean and over their deviation, both of
    the images that are trained on.

    Args:
        train: Features (images, features).
        train_labels: Classes (images,), two or more.
        test: Features of test images, likewise.
        test_labels: Their classes.

    Returns:
        From 0 to 1; NaN if a feature is not finite.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    if not (np.isfinite(train).all() and np.isfinite(test).all()):
        return np.nan
    train, test = (part.astype(np.float32) for part in standardised(train, test))  # half the time
    model = LogisticRegression(C=STRENGTH, tol=TOLERANCE, max_iter=ITERATIONS)
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(model.fit(train, train_labels).score(test, test_labels))


def standardised(train: NDArray, test: NDArray) -> tuple[NDArray, NDArray]:
    """Features less their mean, over their deviation; zero where they are constant."""
    train, test = train.astype(np.float64), test.astype(np.float64)
    size = np.abs(train).max() or 1.0  # whose square may not be finite
    mean, deviation = train.mean(axis=0), size * (train / size).std(axis=0)
    varies = deviation > CONSTANT * np.abs(mean)
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
    return (train - mean) * scale, (test - mean) * scale


def knn_accuracy(
    train: NDArray, train_labels: NDArray, test: NDArray, test_labels: NDArray
) -> float:
    """Share of test images that most of their nearest neighbours are of the class of.

    The five images with the largest cosine to an image's features vote; of classes with as many
    votes, the first is taken.

    Args:
        train: As of `linear_accuracy`; so are the others.
        train_labels: Classes, whole numbers from 0.
        test: See there.
        test_labels: See there.

    Returns:
        From 0 to 1; NaN if a feature is not finite.
    """
    from threadpoolctl import threadpool_limits

    if not (np.isfinite(train).all() and np.isfinite(test).all()):
        return np.nan
    train, test = directions(train), directions(test)
    train -= train.mean(axis=0)  # all cosines of an image less one number, to single precision
    train, test = train.astype(np.float32), test.astype(np.float32)
    count, votes_of = min(NEIGHBOURS, len(train)), np.eye(int(train_labels.max()) + 1)[train_labels]
    right = 0
    with threadpool_limits(1):
        for first in range(0, len(test), CHUNK):
            rows = slice(first, first + CHUNK)
            nearest = np.argpartition(test[rows] @ train.T, -count, axis=1)[:, -count:]
            votes = votes_of[nearest].sum(axis=1)
            right += int((votes.argmax(axis=1) == test_labels[rows]).sum())
    return right / len(test)


def directions(features: NDArray) -> NDArray:
    """Features over their length; zero where they are all zero."""
    features = features.astype(np.float64)
    features /= np.abs(features).max() or 1.0  # whose square may not be finite
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.divide(features, lengths, out=np.zeros_like(features), where=lengths > 0)
