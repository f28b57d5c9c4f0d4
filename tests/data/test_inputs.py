"""Claims about inputs that are none, augmentations that do not fit, and data worth a remark."""

import numpy as np
import pytest

from eigendyn.data import from_inputs, from_views
from eigendyn.errors import EigendynError, UnknownName

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6))
IMAGES = RNG.random((40, 3, 4))
HOLE = np.where(np.arange(240).reshape(40, 6) == 9, np.nan, X)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (HOLE, r"Inputs must be finite; row 1, column 3 is nan\. Leave out"),
        (np.where(np.isnan(HOLE), np.inf, X), r"row 1, column 3 is inf\."),
        (X + 1j, "must be a matrix of real numbers, samples × dimensions"),
        ([["a", "b"], ["c", "d"]], "must be a matrix of real numbers"),
        ([[1.0], [1.0, 2.0]], "must be a matrix of real numbers"),
        (None, r"must be a matrix, .*, not of the shape \(\)"),
        (X[0], r"not of the shape \(6,\)\. Reshape it"),
        (np.empty((0, 6)), r"not of the shape \(0, 6\)"),
        (np.empty((0, 3, 4)), r"not of the shape \(0, 3, 4\)"),
        (np.zeros((9, 3, 4, 3)), r"samples × height × width, not of the shape \(9, 3, 4, 3\)"),
        (X[:1], r"at least two samples, so that they vary; there is one, of the shape \(6,\)"),
        (np.ones((9, 6)), "all 9 samples are equal"),
        (1e40 * X, r"they vary by 5\.\d+e\+40\. Divide them by 5e\+40\."),
        (1e-40 * X, "they vary by"),
    ],
)
def test_what_is_no_inputs_is_refused_in_a_sentence(inputs, words):
    with pytest.raises(EigendynError, match=words) as refusal:
        from_inputs(inputs, "noise:0.1")
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    ("augment", "words"),
    [
        (
            "shfit:1",
            r"There is no augmentation 'shfit'\. Did you mean 'shift'\? Known: shift, flip",
        ),
        ("noise:0.1,Flip", "Did you mean 'flip'"),
        ("", "must name an augmentation; it is empty"),
        ("noise:0.1,", "There is no augmentation ''"),
        (None, "must be text, not None"),
        (0.1, "must be text, not 0.1"),
        ("noise", r"noise takes a number, its standard deviation, .* ≥ 0, and there is none"),
        ("noise:-1", r"finite and ≥ 0, not '-1'\. Try noise:0\.05"),
        ("noise:inf", "not 'inf'"),
        ("noise:nan", "not 'nan'"),
        ("noise:a", "not 'a'"),
        ("shift:1.5", r"a whole number ≥ 1, not '1\.5'\. Try shift:1"),
        ("shift:0", "a whole number ≥ 1"),
        ("shift:3", "shift must be below the image's height and width, 3 × 4, not 3"),
        ("mask:1", "at least 0 and below 1, not '1'"),
        ("mask:-0.1", "at least 0 and below 1"),
        ("crop:0", "> 0 and at most 1"),
        ("crop:1.1", "> 0 and at most 1"),
        ("contrast:2", "at least 0 and at most 1"),
        ("rotate:360", "> 0 and at most 180"),
        ("flip:2", r"flip takes no number, not 'flip:2'\. Try flip"),
    ],
)
def test_augmentations_without_meaning_are_refused(augment, words):
    for views in ({"augment": augment}, {"augment": "noise:0", "augment2": augment}):
        if views.get("augment2", "") is None:
            continue
        with pytest.raises(EigendynError, match=words) as refusal:
            from_inputs(IMAGES, **views)
        assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("augment", ["shift:1", "flip", "rotate:5", "crop:0.9"])
def test_augmentations_of_images_are_refused_of_vectors(augment):
    with pytest.raises(EigendynError, match="needs images, samples × height × width; these inputs"):
        from_inputs(X, f"noise:0.1,{augment}")


@pytest.mark.parametrize(
    ("inputs", "shape", "words"),
    [
        (X, (2, 2), "must have the pixels that a sample has, 6, not 2 × 2"),
        (IMAGES, (4, 3), "3 × 4, not 4 × 3"),
        (X, (2, 1.5), "two whole numbers ≥ 1"),
        (X, (-2, -3), "two whole numbers ≥ 1"),
        (X, 6, "two whole numbers ≥ 1"),
        (X, (1, 2, 3), "two whole numbers ≥ 1"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(inputs, shape, words):
    with pytest.raises(EigendynError, match=words):
        from_inputs(inputs, "noise:0.1", shape=shape)


@pytest.mark.parametrize("other", [X[:39], X[:, :5], IMAGES])
def test_views_of_unequal_shape_are_no_pairs(other):
    with pytest.raises(
        EigendynError, match=r"Views must be pairs.*; the first are 40 × 6, the sec"
    ):
        from_views(X, other)


def test_an_unknown_keyword_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'augment2'"):
        from_inputs(X, augmen2="noise:0.1")


def remarks(data):
    return data.remarks.splitlines()


def test_ordinary_data_needs_no_remark():
    assert remarks(from_inputs(X, "noise:0.1")) == []


def test_fewer_samples_than_dimensions_are_measured_and_it_is_said():
    data = from_inputs(X[:4], "noise:0.1")
    assert (data.signal.values > 0).sum() == 3
    few, without = remarks(data)
    assert few.startswith("There are fewer samples than dimensions, 4 < 6: at most 3 components")
    assert without == "Components 3 to 5 have no signal."


def test_two_samples_are_enough_for_numbers_without_nan():
    data = from_inputs(X[:2], "noise:0.1")
    assert all(np.isfinite(one.values).all() for one in data.values() if one.dtype.kind == "f")


def test_constant_inputs_are_counted_and_their_components_named():
    x = X.copy()
    x[:, 2] = 3.0
    assert remarks(from_inputs(x, "noise:0.1")) == [
        "1 of 6 inputs is the same in all samples, and has no signal of its own.",
        "Component 5 has no signal.",
    ]


def test_anticorrelated_views_are_named_by_their_components():
    signs = np.array([1, 1, -1, 1, -1, 1])
    data = from_views(X - X.mean(axis=0), (X - X.mean(axis=0)) * signs)
    (found,) = [line for line in remarks(data) if "signal" in line]
    assert found.startswith("Components 4 to 5 have negative signal, down to -")
    assert "anticorrelated" in found
    assert (data.signal.values[4:] < 0).all()


def test_noise_below_zero_is_named():
    """A second view that is half of the first has less variance than both have in common."""
    found = remarks(from_views(X, X / 2))
    assert [
        line for line in found if line.startswith("Components 0 to 5 have negative noise in the")
    ]
    assert "second view" in found[0]


def test_vectors_of_grey_values_stay_and_it_is_asked_whether_they_are_images():
    pixels = RNG.integers(0, 256, size=(50, 12))
    data = from_inputs(pixels, "noise:0.1")
    np.testing.assert_allclose(data["mean"], pixels.mean(axis=0))
    assert "if they are images, give `shape`" in data.remarks
    assert "divided by 255" in from_inputs(pixels, "noise:0.1", shape=(3, 4)).remarks
