"""Claims about the readout: what is told of features, and what of features that tell nothing."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from eigendyn.training import readout as readout_module
from eigendyn.training.images import digits_images
from eigendyn.training.readout import (
    fitted_rows,
    knn_accuracy,
    linear_accuracy,
    readouts,
    standardised,
)

DIGITS = digits_images()
GIVEN = (DIGITS.train, DIGITS.train_labels, DIGITS.test, DIGITS.test_labels)


def random_features():
    """What an untrained layer makes of digits, in single precision, one feature of them dead."""
    weights = np.random.default_rng(0).normal(size=(64, 256)) / 8
    weights[:, 7] = 0
    mean = DIGITS.train.mean(axis=0)
    return [np.maximum((x - mean) @ weights, 0).astype(np.float32) for x in (GIVEN[0], GIVEN[2])]


def test_a_linear_readout_of_raw_digits_is_right_in_96_to_97_percent():
    assert 0.96 <= linear_accuracy(*GIVEN) <= 0.97


def test_a_linear_readout_is_within_one_image_of_the_converged_one():
    train, test = random_features()
    found = linear_accuracy(train, GIVEN[1], test, GIVEN[3])
    left, right = standardised(train, test)
    with threadpool_limits(1):
        whole = LogisticRegression(tol=1e-7, max_iter=1_000).fit(left, GIVEN[1])
    assert abs(found - whole.score(right, GIVEN[3])) <= 1 / len(test)


def test_neighbours_are_those_of_scikit_learn():
    train, test = random_features()
    theirs = KNeighborsClassifier(5, metric="cosine").fit(train, GIVEN[1]).score(test, GIVEN[3])
    assert knn_accuracy(train, GIVEN[1], test, GIVEN[3]) == theirs


@pytest.mark.parametrize("readout", [linear_accuracy, knn_accuracy])
def test_features_that_are_not_finite_have_no_readout(readout):
    for wrong in (np.nan, np.inf):
        assert np.isnan(readout(np.full((8, 3), wrong), np.arange(8) % 2, np.ones((2, 3)), [0, 1]))


@pytest.mark.parametrize("scale", [0.0, 1.0, 1e-30, 1e30])
@pytest.mark.parametrize("readout", [linear_accuracy, knn_accuracy])
def test_collapsed_features_give_chance(readout, scale):
    """Those that differ by the rounding of single precision, too, as a constant network's do."""
    rng = np.random.default_rng(0)
    labels = [np.arange(n) % 10 for n in (400, 200)]
    train, test = (
        (scale * (1 + 1e-7 * rng.normal(size=(len(y), 9)))).astype(np.float32) for y in labels
    )
    assert readout(train, labels[0], test, labels[1]) < 0.2


@pytest.mark.parametrize("scale", [1e-30, 1e30])
@pytest.mark.parametrize("readout", [linear_accuracy, knn_accuracy])
def test_the_size_of_features_does_not_matter(readout, scale):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    features = (np.eye(3)[labels] + 0.3 * rng.normal(size=(60, 3))).astype(np.float32)
    whole = readout(features[:40], labels[:40], features[40:], labels[40:])
    features *= np.float32(scale)
    assert readout(features[:40], labels[:40], features[40:], labels[40:]) == whole > 0.8


def test_of_many_images_a_share_of_every_class_is_fitted_always_the_same(monkeypatch):
    labels = np.append(np.random.default_rng(0).choice(3, p=[0.6, 0.3, 0.1], size=1_999), 3)
    np.testing.assert_array_equal(fitted_rows(labels), np.arange(2_000))
    monkeypatch.setattr(readout_module, "READ_OUT", 200)
    rows = fitted_rows(labels)
    assert 200 <= len(rows) <= 204 and (np.diff(rows) > 0).all()
    counted = np.bincount(labels[rows])
    np.testing.assert_allclose(counted[:3], np.bincount(labels)[:3] / 10, atol=2)
    assert counted[3] == 1
    np.testing.assert_array_equal(rows, fitted_rows(labels))
    seen = []
    readouts(lambda pixels: seen.append(len(pixels)) or pixels, DIGITS)
    assert seen == [len(fitted_rows(DIGITS.train_labels)), 360] and seen[0] < 220
