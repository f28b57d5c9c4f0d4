"""Check that numbers are a matrix, and tell what of it may be nothing but rounding.

Rounding alone makes small singular values out of nothing, and a mode of variance 1e-17 may be
recruited where one of variance 0 cannot. So a matrix keeps how finely it was stored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidSpectrum

EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
SUMMED = 16  # float32 layers of 1,024 inputs round singular values by up to 6 epsilons
DIGITS = {"float32": 9, "float64": 17}  # that write a number so that it is read as it was
BITS = {"bfloat16": 8, "float16": 11}  # of a significand in half precision
ODD, ENOUGH = 0.25, 8  # share of odd last bits that tells a type from a grid, and of how many
HALF_DIGITS = (4, 5)  # of which float16 writes its numbers, where they tell it from decimals
FEWEST_DIGITS = 3  # numbers of fewer digits, as 0.5 and 0.25, are taken to be exact
FRACTION = re.compile(r"[+-]?(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?")


@dataclass(frozen=True)
class Matrix:
    """A matrix, and how finely it was stored.

    Args:
        values: Numbers (rows, columns), float64, finite.
        stored: What rounded them, such as "float32" or "4 decimals".
        spacing: Root mean square distance between neighbouring numbers that could be stored,
            and of sums in that precision [values].
        left_out: What else was in the file, in words.
        remark: How the file was read, where that is unusual; else empty.
        image: Height and width, where every row is an image.
    """

    values: NDArray
    stored: str
    spacing: float
    left_out: tuple[str, ...] = ()
    remark: str = ""
    image: tuple[int, int] | None = None

    @property
    def floor(self) -> float:
        """Singular value up to which there may be nothing but rounding.

        Independent errors of one spacing each have the largest singular value
        spacing · (√rows + √columns); storing a number makes less than a third of such an error.
        The singular value decomposition adds up to ε · max(rows, columns) · ‖Z‖.

        Source: Davidson & Szarek 2001, theorem 2.13, for the norm of a random matrix.
        """
        rows, columns = self.values.shape
        norm = _root_mean_square(self.values) * (rows * columns) ** 0.5
        stored = self.spacing * (rows**0.5 + columns**0.5)
        return stored + EPSILON["float64"] * max(rows, columns) * norm


def as_matrix(values: ArrayLike | Matrix, what: str, shape: str) -> Matrix:
    """Check that values are a finite matrix of real numbers.

    Args:
        values: Anything that may be a matrix; its type says how finely it was stored.
        what: What they are, for the message.
        shape: What its rows and columns are.

    Raises:
        InvalidSpectrum: They are not.
    """
    if isinstance(values, Matrix):
        return values
    try:
        array = np.asarray(values)
        matrix = real(array)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:  # the last of tensors
        message = (
            f"{what} must be a matrix of real numbers, {shape}, not {short(values)}. "
            "Convert it to float64."
        )
        raise InvalidSpectrum(message) from error
    if matrix.ndim != 2 or matrix.size == 0:
        message = f"{what} must be a matrix, {shape}, not of the shape {matrix.shape}. Reshape it."
        raise InvalidSpectrum(message)
    wrong = np.argwhere(~np.isfinite(matrix))
    if len(wrong):
        row, column = wrong[0]
        message = (
            f"{what} must be finite; row {row}, column {column} is {matrix[row, column]}. "
            "Leave out such rows."
        )
        raise InvalidSpectrum(message)
    return stored_matrix(matrix, array.dtype.name)


def stored_matrix(values: NDArray, dtype: str, left_out: tuple[str, ...] = ()) -> Matrix:
    """A matrix of numbers that were stored as a type, by its name.

    Numbers that a coarser type holds too have been of that type; whole ones are exact.
    """
    stored = dtype if dtype in EPSILON else "float64"
    if stored in ("float64", "float32") and (values != np.rint(values)).any():
        with np.errstate(over="ignore"):
            fits = (values.astype(np.float32) == values).all()
        stored = (_half(values) or "float32") if fits else stored
    relative = max(EPSILON[stored], SUMMED * EPSILON[_summed_in(stored)])
    return Matrix(values, stored, relative * _root_mean_square(values), left_out)


def written_matrix(
    values: NDArray, cells: list[str], left_out: tuple[str, ...] = (), remark: str = ""
) -> Matrix:
    """A matrix of numbers that were written as text, with few digits or few decimals.

    Args:
        values: Numbers (rows, columns).
        cells: Text of some of them, with decimal points.
        left_out: As in `Matrix`.
        remark: As in `Matrix`.
    """
    parts = [found for cell in cells if (found := FRACTION.fullmatch(cell))]
    fractions = [part for part in parts if part[2] or part[3]]
    digits = max((len((part[1] + (part[2] or "")).lstrip("0")) for part in fractions), default=17)
    matrix = stored_matrix(values, "float32" if digits <= DIGITS["float32"] else "float64")
    stored, spacing = matrix.stored, matrix.spacing
    if FEWEST_DIGITS <= digits < DIGITS["float64"]:
        decimals = [len(part[2] or "") - int(part[3] or 0) for part in fractions]
        most = max(decimals)
        if 2 * decimals.count(most) >= len(decimals):
            coarse, word = 10.0**-most, f"{most} decimals"
        else:
            coarse, word = 10.0 ** (1 - digits) * _root_mean_square(values), f"{digits} digits"
        if coarse > spacing:
            stored, spacing = word, coarse
        if digits in HALF_DIGITS and all(map(_is_written_half, parts)):
            half = stored_matrix(values, "float16")
            stored, spacing = half.stored, half.spacing
    elif digits < FEWEST_DIGITS:
        stored, spacing = "float64", 0.0
    return Matrix(values, stored, spacing, left_out, remark)


def real(values: ArrayLike) -> NDArray:
    """Values as float64.

    Raises:
        TypeError: They are complex, or no numbers.
    """
    array = np.asarray(values)
    if np.iscomplexobj(array):
        message = "complex numbers"
        raise TypeError(message)
    return array.astype(np.float64)


def short(value: object) -> str:
    """What was given, for a message: one line of at most 60 characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:60]}…"


def _half(values: NDArray) -> str | None:
    """The type of half precision that numbers were rounded to before they were stored.

    Whatever is rounded to a type has an odd last bit in one of two cases, small numbers too; those
    of a grid, as the grey values k/256 of a picture, have none where they are small.
    """
    numbers = np.abs(values[values != 0])
    small = numbers <= np.median(numbers)
    for name, bits in BITS.items():
        significand = np.ldexp(np.frexp(numbers)[0], bits)
        if (significand == np.rint(significand)).all():
            odd = significand[small] % 2 == 1
            return name if len(odd) >= ENOUGH and odd.mean() >= ODD else None
    return None


def _is_written_half(part: re.Match[str]) -> bool:
    """Whether a number is the shortest one that is read as a number of float16."""
    number = float(part[0])
    with np.errstate(over="ignore"):
        return float(str(np.float16(number))) == number


def _summed_in(stored: str) -> str:
    """Precision of the sums behind stored numbers; those of half precision are float32."""
    return "float64" if stored == "float64" else "float32"


def _root_mean_square(values: NDArray) -> float:
    largest = float(np.abs(values).max())  # whose square may not be finite
    return largest * float(np.sqrt(np.square(values / largest).mean())) if largest else 0.0
