"""Claims about the readout: what is told of features, and what of features that tell nothing."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from eigendyn.training.images import digits_images
from eigendyn.training.readout import knn_accuracy, linear_accuracy, standardised

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
