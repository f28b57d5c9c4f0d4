"""Claims about rank: what rounding made is no mode, and a small mode is no rounding."""

import numpy as np
import pytest

from eigendyn.settings.matrices import as_matrix, written_matrix
from eigendyn.settings.spectrum import variances_from_embeddings, variances_from_weights

SHAPES = [(200, 6), (20, 64), (200, 64), pytest.param((5000, 128), marks=pytest.mark.full)]


def _product(samples, dimensions, rank, dtype):
    """A product of two factors, rounded to a type before it is taken and after."""
    rng = np.random.default_rng(rank)
    left, right = rng.normal(size=(samples, rank)), rng.normal(size=(rank, dimensions))
    return (left.astype(dtype) @ right.astype(dtype)).astype(dtype)


def _written(values, form):
    """The matrix that a text file of numbers holds."""
    cells = [form % value for value in values.ravel()]
    return written_matrix(np.array(cells, float).reshape(values.shape), cells)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("rank", [1, 5])
def test_embeddings_have_as_many_modes_as_their_rank(shape, dtype, rank):
    z = _product(*shape, rank, dtype)
    assert np.count_nonzero(variances_from_embeddings(z)) == rank
    assert np.count_nonzero(variances_from_weights(z.T)) == rank


@pytest.mark.parametrize("rank", [1, 8])
def test_float32_embeddings_of_a_wide_network_have_as_many_modes_as_their_rank(rank):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(2000, 1024)).astype(np.float32)
    hidden = np.maximum(inputs, 0)  # sums of one sign round most
    weights = _product(1024, 64, rank, "float32")
    assert np.count_nonzero(variances_from_embeddings(hidden @ weights)) == rank


def test_embeddings_in_bfloat16_have_as_many_modes_as_their_rank():
    ml_dtypes = pytest.importorskip("ml_dtypes")  # comes with JAX
    z = _product(500, 64, 5, "float32").astype(ml_dtypes.bfloat16)
    assert as_matrix(z, "Embeddings", "").stored == "bfloat16"
    assert np.count_nonzero(variances_from_embeddings(z)) == 5


@pytest.mark.parametrize(
    ("dtype", "smallest"), [("float64", 1e-11), ("float32", 1e-4), ("float16", 1e-2)]
)
def test_a_small_mode_that_was_measured_is_kept(dtype, smallest):
    """By its size beside rounding, not beside the largest of many samples."""
    rng = np.random.default_rng(0)
    spread = np.geomspace(1, smallest, 32)
    basis, _ = np.linalg.qr(rng.normal(size=(32, 32)))
    z = (rng.normal(size=(20_000, 32)) * spread @ basis).astype(dtype)
    variances = variances_from_embeddings(z)
    np.testing.assert_allclose(variances[-1], smallest**2, rtol=0.05)


def test_float64_numbers_that_were_float32_are_judged_as_float32():
    z = _product(200, 64, 5, "float32").astype(float)
    assert as_matrix(z, "Embeddings", "").stored == "float32"
    assert np.count_nonzero(variances_from_embeddings(z)) == 5


def test_whole_numbers_are_exact():
    assert as_matrix([[1.0, 2.0], [3.0, 4.0]], "Embeddings", "").stored == "float64"


@pytest.mark.parametrize(
    ("form", "stored"),
    [
        ("%.4f", "4 decimals"),
        ("%.5f", "5 decimals"),
        ("%.6f", "float32"),  # which is coarser, sums included
        ("%.4g", "4 digits"),
        ("%.6g", "6 digits"),
        ("%.9g", "float32"),
        ("%.12g", "12 digits"),
        ("%.17g", "float64"),
        ("%.18e", "float64"),
    ],
)
def test_numbers_written_with_few_digits_have_as_many_modes_as_their_rank(form, stored):
    matrix = _written(_product(300, 40, 5, "float64"), form)
    assert matrix.stored == stored
    assert np.count_nonzero(variances_from_embeddings(matrix)) == 5


@pytest.mark.parametrize("form", ["%s", "%.9g", "%.18e"])
def test_float32_written_as_text_is_judged_as_float32(form):
    matrix = _written(_product(300, 40, 5, "float32"), form)
    assert matrix.stored == "float32"
    assert np.count_nonzero(variances_from_embeddings(matrix)) == 5


def test_a_small_mode_above_the_last_decimal_is_kept():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2000, 20)) * np.geomspace(1, 1e-3, 20)
    matrix = _written(z, "%.4f")
    np.testing.assert_allclose(variances_from_embeddings(matrix)[-1], 1e-6, rtol=0.1)


def test_numbers_of_one_or_two_digits_are_taken_as_exact():
    z = np.array([[1, 0.5], [0.5, 0.26]])
    variances = variances_from_embeddings(_written(z, "%g"))
    np.testing.assert_allclose(variances, np.linalg.svd(z)[1] ** 2 / 2, rtol=1e-12)


@pytest.mark.parametrize("through", ["float32", "float64"])
@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_half_precision_is_recognised_in_numbers_of_a_wider_type(half, through):
    """As `embeddings.float().numpy()` leaves them behind automatic mixed precision."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    kind = np.float16 if half == "float16" else ml_dtypes.bfloat16
    z = _product(500, 64, 5, "float32").astype(kind).astype(through)
    assert as_matrix(z, "Embeddings", "").stored == half
    assert np.count_nonzero(variances_from_embeddings(z)) == 5


@pytest.mark.parametrize("form", ["%.18e", "shortest"])
@pytest.mark.parametrize("rank", [1, 5])
def test_half_precision_is_recognised_in_text(form, rank):
    """As `numpy.savetxt` and pandas write float16."""
    z = _product(500, 64, rank, "float16")
    cells = [str(one) if form == "shortest" else form % one for one in z.ravel()]
    matrix = written_matrix(np.array(cells, float).reshape(z.shape), cells)
    assert matrix.stored == "float16"
    assert np.count_nonzero(variances_from_embeddings(matrix)) == rank


@pytest.mark.parametrize("levels", [16, 256, 1024])
def test_a_grid_of_grey_values_is_exact_in_half_precision_and_was_not_rounded_to_it(levels):
    values = np.random.default_rng(0).integers(0, levels, (500, 20)) / levels
    assert as_matrix(values, "Embeddings", "").stored == "float32"


@pytest.mark.parametrize("decimals", [3, 4, 5])
def test_decimals_are_not_taken_for_half_precision(decimals):
    values = np.random.default_rng(0).normal(size=(500, 20))
    assert _written(values, f"%.{decimals}f").stored == f"{decimals} decimals"


def test_a_few_numbers_by_hand_are_not_taken_for_half_precision():
    assert as_matrix([[0.5, 0.25], [1.5, 2.125]], "Weights", "").stored == "float32"
