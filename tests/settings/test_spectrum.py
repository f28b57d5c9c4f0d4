"""Claims about starting points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from eigendyn.errors import InvalidSetting, InvalidSpectrum, UnknownName
from eigendyn.settings.spectrum import (
    check_variances,
    published_samples,
    published_variances,
    published_weights,
    random_variances,
    variances_from_embeddings,
    variances_from_weights,
)


@given(arrays.arrays(float, st.integers(1, 20), elements=st.floats(1e-300, 1e75)))
def test_good_variances_pass_unchanged(values):
    np.testing.assert_array_equal(check_variances(values), values)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ([], "at least one mode"),
        ([[1.0]], "shape"),
        (1.0, "shape"),
        ([1.0, float("nan")], "mode 1 has nan"),
        ([float("inf")], "mode 0 has inf"),
        ([0.5, -1e-9], "mode 1 has -1e-09"),
        ([0.0, 0.0], "all are 0"),
        (["a"], "list of real numbers.*'a'"),
        ([[1], [1, 2]], "list of real numbers"),
        (np.array([1 + 0j]), "list of real numbers"),
        ([10**400], "list of real numbers"),
        ([1.0, 1e300], r"at most 1e\+75.*mode 1 has 1e\+300. Divide all of them by the largest"),
    ],
)
def test_bad_variances_are_refused_with_what_was_given(values, word):
    with pytest.raises(InvalidSpectrum, match=word):
        check_variances(values)


def test_a_zero_has_no_sign():
    assert not np.signbit(check_variances([-0.0, 1.0])).any()


def test_embeddings_give_the_eigenvalues_of_the_uncentred_correlation():
    z = np.random.default_rng(0).normal(loc=0.5, size=(200, 6))
    expected = np.sort(np.linalg.eigvalsh(z.T @ z / 200))[::-1]
    np.testing.assert_allclose(variances_from_embeddings(z), expected, rtol=1e-12)


def test_centred_embeddings_give_the_eigenvalues_of_the_covariance():
    z = np.random.default_rng(0).normal(loc=3, size=(200, 6))
    expected = np.sort(np.linalg.eigvalsh(np.cov(z, rowvar=False, bias=True)))[::-1]
    np.testing.assert_allclose(variances_from_embeddings(z, center=True), expected, rtol=1e-12)


def test_centring_takes_one_direction_from_fewer_samples_than_dimensions():
    z = np.random.default_rng(0).normal(loc=3, size=(5, 20))
    assert np.count_nonzero(variances_from_embeddings(z)) == 5
    assert np.count_nonzero(variances_from_embeddings(z, center=True)) == 4


def test_embeddings_that_are_all_alike_have_no_covariance():
    z = np.tile(np.random.default_rng(0).normal(size=64), (1000, 1))
    with pytest.raises(InvalidSpectrum, match="all are 0"):
        variances_from_embeddings(z, center=True)


def test_weights_give_the_eigenvalues_of_their_covariance():
    w = np.random.default_rng(0).normal(size=(6, 9))
    expected = np.sort(np.linalg.eigvalsh(w @ w.T))[::-1]
    np.testing.assert_allclose(variances_from_weights(w), expected, rtol=1e-12)


def test_directions_without_variance_are_exactly_zero():
    z = np.random.default_rng(1).normal(size=(50, 3)) @ np.ones((3, 5))
    variances = variances_from_embeddings(z)
    assert variances.shape == (5,)
    assert (variances[1:] == 0).all()
    assert (variances_from_weights(np.ones((4, 2)))[1:] == 0).all()


def test_fewer_samples_than_dimensions_still_give_every_dimension():
    assert variances_from_embeddings(np.eye(2, 5)).tolist() == [0.5, 0.5, 0, 0, 0]


@pytest.mark.parametrize("spectrum", [variances_from_embeddings, variances_from_weights])
@pytest.mark.parametrize(
    ("matrix", "word"),
    [
        ([1.0], r"shape \(1,\)"),
        (np.ones((0, 3)), r"shape \(0, 3\)"),
        ([[1], [1, 2]], "real numbers"),
        ([["a"]], "real numbers.*'a'"),
        (np.ones((2, 2), dtype=complex), "real numbers"),
        ([[1.0, np.nan]], "row 0, column 1 is nan"),
        (np.zeros((2, 3)), "all are 0"),
        ([[1e200, 1.0]], "mode 0 has inf"),
    ],
)
def test_bad_matrices_are_refused_with_what_was_given(spectrum, matrix, word):
    with pytest.raises(InvalidSpectrum, match=word):
        spectrum(matrix)


def test_random_starts_depend_on_their_seed_alone():
    np.testing.assert_array_equal(random_variances(10, 15, 2), random_variances(10, 15, 2))
    assert (random_variances(10, 15, 2) != random_variances(10, 15, 3)).all()


def test_random_entries_have_variance_one_sixteenth():
    assert random_variances(200, 400, 0).mean() == pytest.approx(400 / 16, rel=0.02)


@pytest.mark.parametrize(("modes", "inputs"), [(0, 5), (-1, 5), (4, 3)])
def test_impossible_random_starts_are_refused(modes, inputs):
    with pytest.raises(InvalidSetting, match="at least"):
        random_variances(modes, inputs)


@pytest.mark.parametrize("arguments", [(3.5, 5, 0), (3, "5", 0), (3, 5, None), (3, 5, True)])
def test_random_starts_are_counted_in_whole_numbers(arguments):
    with pytest.raises(InvalidSetting, match="must be a whole number"):
        random_variances(*arguments)


def test_a_seed_below_zero_is_refused():
    with pytest.raises(InvalidSetting, match="`seed` must be at least 0, not -1"):
        random_variances(3, 5, -1)


def test_the_published_start_has_ten_modes():
    variances = published_variances()
    assert variances.shape == (10,)
    assert variances[0] == pytest.approx(2.238, abs=1e-3)
    assert variances[-1] == pytest.approx(0.02, abs=1e-3)


@pytest.mark.parametrize(
    ("panel", "shape"),
    [("eigenvalues", (10, 15)), ("trajectories", (2, 6)), ("fixed_points", (3, 2, 6))],
)
def test_published_panels_start_from_encoders(panel, shape):
    weights = published_weights(panel)
    assert weights.shape == shape
    assert np.isfinite(weights).all()


def test_published_samples_fit_the_encoder_that_sees_them():
    assert (published_weights("trajectories") @ published_samples()).shape == (2, 20)


def test_an_unknown_published_panel_is_named():
    with pytest.raises(UnknownName, match="panel"):
        published_weights("eigenvalue")
