"""Claims about starting points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from eigendyn.errors import (
    EigendynError,
    InvalidSetting,
    InvalidSpectrum,
    UnknownName,
    UnreadableFile,
)
from eigendyn.start import (
    check_variances,
    published_samples,
    published_variances,
    published_weights,
    random_variances,
    read_matrix,
    variances_from_embeddings,
    variances_from_weights,
)


@given(arrays.arrays(float, st.integers(1, 20), elements=st.floats(1e-300, 1e300)))
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
    ],
)
def test_bad_variances_are_refused_with_what_was_given(values, word):
    with pytest.raises(InvalidSpectrum, match=word):
        check_variances(values)


def test_embeddings_give_the_eigenvalues_of_the_uncentred_correlation():
    z = np.random.default_rng(0).normal(loc=0.5, size=(200, 6))
    expected = np.sort(np.linalg.eigvalsh(z.T @ z / 200))[::-1]
    np.testing.assert_allclose(variances_from_embeddings(z), expected, rtol=1e-12)


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
    with pytest.raises(InvalidSetting, match="--seed must be at least 0, not -1"):
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


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv"])
def test_matrices_are_read_as_they_were_saved(tmp_path, suffix):
    matrix = np.random.default_rng(0).normal(size=(7, 3))
    path = tmp_path / f"z{suffix}"
    if suffix == ".npy":
        np.save(path, matrix)
    elif suffix == ".npz":
        np.savez(path, embeddings=matrix, labels=np.arange(7))
    else:
        np.savetxt(path, matrix, delimiter=",", header="a,b,c", comments="", fmt="%.17g")
    np.testing.assert_array_equal(read_matrix(path, "embeddings"), matrix)


@pytest.mark.parametrize(
    "first", ["1,,3", "1,2,x3", "1;2,3", ",1,2"], ids=["gap", "typo", "semicolon", "index"]
)
def test_a_first_row_with_some_numbers_is_never_dropped_as_a_heading(tmp_path, first):
    path = tmp_path / "z.csv"
    path.write_text(f"{first}\n4,5,6\n")
    with pytest.raises(UnreadableFile, match=r"z\.csv must hold a matrix"):
        read_matrix(path, "embeddings")


def test_a_pickle_is_refused_without_advice_to_load_it(tmp_path):
    path = tmp_path / "z.npy"
    _object_array(path)
    with pytest.raises(UnreadableFile, match="Python objects, which are never loaded") as refusal:
        read_matrix(path, "embeddings")
    assert "allow_pickle" not in str(refusal.value)


def test_a_name_too_long_for_any_file_does_not_exist():
    with pytest.raises(UnreadableFile, match="does not exist"):
        read_matrix("n" * 5000 + ".npy", "embeddings")


def _header(text):
    return b"\x93NUMPY\x01\x00\x76\x00" + text.ljust(117) + b"\n"


def _object_array(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def _two_arrays(path):
    np.savez(path, a=np.eye(2), b=np.eye(2))


BAD_FILES = {
    "missing.npy": lambda _: None,
    "folder.npy": lambda path: path.mkdir(),
    "unknown.txt": lambda path: path.write_text("1,2"),
    "empty.npy": lambda path: path.write_bytes(b""),
    "empty.npz": lambda path: path.write_bytes(b""),
    "empty.csv": lambda path: path.write_text(""),
    "garbage.npy": lambda path: path.write_bytes(b"not numpy at all"),
    "header.npy": lambda path: path.write_bytes(_header(b"{'descr': ((((")),
    "huge.npy": lambda path: path.write_bytes(
        _header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000, 5)}")
    ),
    "garbage.npz": lambda path: path.write_bytes(b"PK\x03\x04 not a zip"),
    "binary.csv": lambda path: path.write_bytes(b"\xff\xfe\x00\x01"),
    "pickled.npy": _object_array,
    "two.npz": _two_arrays,
    "ragged.csv": lambda path: path.write_text("1,2\n3\n"),
    "words.csv": lambda path: path.write_text("a,b\nc,d\n"),
    "header_only.csv": lambda path: path.write_text("a,b\n"),
    "nan.csv": lambda path: path.write_text("1,2\n3,nan\n"),
    "inf.npy": lambda path: np.save(path, np.array([[1.0, np.inf]])),
    "flat.npy": lambda path: np.save(path, np.ones(3)),
    "cube.npy": lambda path: np.save(path, np.ones((2, 2, 2))),
    "no_rows.npy": lambda path: np.save(path, np.ones((0, 4))),
    "complex.npy": lambda path: np.save(path, np.ones((2, 2), dtype=complex)),
    "text.npy": lambda path: np.save(path, np.array([["a", "b"]])),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_refused_by_name(tmp_path, name):
    path = tmp_path / name
    BAD_FILES[name](path)
    with pytest.raises((UnreadableFile, InvalidSpectrum), match=name.split(".")[0]) as refusal:
        read_matrix(path, "embeddings")
    assert isinstance(refusal.value, EigendynError)
    assert "\n" not in str(refusal.value)
