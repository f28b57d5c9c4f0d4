"""Embeddings, weights, a list or a draw enter; the variances of the modes at the start leave."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.choices import check_choice
from eigendyn.errors import InvalidSetting, InvalidSpectrum, UnreadableFile

MATRIX_SUFFIXES = (".npy", ".npz", ".csv")
ENTRY_DEVIATION = 0.25  # standard deviation of a random encoder's entries: variance 1/16


def check_variances(values: ArrayLike) -> NDArray:
    """Check that values can be the variances of modes.

    Args:
        values: One number per mode [variance].

    Returns:
        Variances (modes,), float64, in the same order.

    Raises:
        InvalidSpectrum: Empty, not one-dimensional, not finite, negative, or all zero.
    """
    try:
        variances = _real(values)
    except (TypeError, ValueError, OverflowError) as error:
        message = (
            f"Variances must be a list of real numbers, one per mode, not {_short(values)}. "
            "Try 0.05,0.3,1,2."
        )
        raise InvalidSpectrum(message) from error
    if variances.ndim != 1 or variances.size == 0:
        message = (
            "Variances must be a list with at least one mode; these have the shape "
            f"{variances.shape}. Try 0.05,0.3,1,2."
        )
        raise InvalidSpectrum(message)
    wrong = np.flatnonzero(~(np.isfinite(variances) & (variances >= 0)))
    if wrong.size:
        mode = int(wrong[0])
        message = (
            f"Variances must be finite and ≥ 0; mode {mode} has {variances[mode]:g}. "
            "Leave it out, or correct it."
        )
        raise InvalidSpectrum(message)
    if not variances.any():
        message = "At least one mode must have variance; all are 0. Start from a larger spectrum."
        raise InvalidSpectrum(message)
    return variances


def variances_from_embeddings(embeddings: ArrayLike) -> NDArray:
    """Take the spectrum of the uncentred correlation of embeddings.

    Eigenvalues of C = ZᵀZ/samples, largest first. Those that are zero up to round-off are set to
    zero, since a mode without variance stays without, and one with 1e-17 may be recruited.

    Args:
        embeddings: Z (samples, dimensions) [√variance].

    Returns:
        Variances (dimensions,).

    Raises:
        InvalidSpectrum: Not a matrix of finite numbers, or all zero.
    """
    matrix = _check_matrix(embeddings, "Embeddings", "samples × dimensions")
    return _spectrum(matrix, modes=matrix.shape[1], divisor=matrix.shape[0])


def variances_from_weights(weights: ArrayLike) -> NDArray:
    """Take the spectrum of a linear encoder for white inputs.

    Eigenvalues of W Wᵀ, largest first; zero up to round-off is zero.

    Args:
        weights: W (modes, inputs) [√variance].

    Returns:
        Variances (modes,), the last ones zero if there are fewer inputs than modes.

    Raises:
        InvalidSpectrum: Not a matrix of finite numbers, or all zero.
    """
    matrix = _check_matrix(weights, "Weights", "modes × inputs")
    return _spectrum(matrix, modes=matrix.shape[0], divisor=1)


def random_variances(modes: int = 10, inputs: int = 15, seed: int = 0) -> NDArray:
    """Draw a random linear encoder, entries N(0, 1/16), and take its spectrum.

    Args:
        modes: Number of modes M.
        inputs: Number of inputs N ≥ M.
        seed: Seed of the draw.

    Returns:
        Variances (modes,), largest first.

    Raises:
        InvalidSetting: M, N or the seed is no whole number, M < 1, N < M, or seed < 0.

    Source: Halvagal et al. 2023, initialisation of their linear network.
    """
    return variances_from_weights(random_weights(modes, inputs, seed))


def random_weights(modes: int = 10, inputs: int = 15, seed: int = 0) -> NDArray:
    """Draw a random linear encoder W (modes, inputs), entries N(0, 1/16).

    Raises:
        InvalidSetting: As for `random_variances`.

    Source: Halvagal et al. 2023, initialisation of their linear network.
    """
    for name, value in (("modes", modes), ("inputs", inputs), ("seed", seed)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            message = f"--{name} must be a whole number, not {_short(value)}. Try 10."
            raise InvalidSetting(message)
    if seed < 0:
        message = f"--seed must be at least 0, not {seed}. Try 0."
        raise InvalidSetting(message)
    if modes < 1:
        message = f"--modes must be at least 1, not {modes}. Try 10."
        raise InvalidSetting(message)
    if inputs < modes:
        message = (
            f"--inputs must be at least --modes, here {modes}, so that every mode has variance; "
            f"it is {inputs}. Try --inputs {max(modes + modes // 2, 1)}."
        )
        raise InvalidSetting(message)
    return np.random.default_rng(seed).normal(scale=ENTRY_DEVIATION, size=(modes, inputs))


def published_variances() -> NDArray:
    """Spectrum of the published 10 × 15 linear encoder (10,), largest first.

    Source: starting point of the notebook published with Halvagal et al. 2023.
    """
    return variances_from_weights(published_weights())


def published_weights(panel: str = "eigenvalues") -> NDArray:
    """Linear encoder that a published panel starts from.

    Args:
        panel: "eigenvalues" (10 modes, 15 inputs), "trajectories" (2, 6), or "fixed_points" (three
            of them: 3, 2, 6).

    Raises:
        UnknownName: There is no such panel.

    Source: starting points of the notebook published with Halvagal et al. 2023.
    """
    check_choice("panel", panel, ("eigenvalues", "trajectories", "fixed_points"))
    return _published(panel)


def published_samples() -> NDArray:
    """Inputs (6, 20) whose representations the published trajectory panels follow.

    Source: the notebook published with Halvagal et al. 2023.
    """
    return _published("samples")


def _published(name: str) -> NDArray:
    with files("eigendyn").joinpath("data/published_starts.npz").open("rb") as file:
        return np.load(file, allow_pickle=False)[name]


def weights_from_variances(variances: ArrayLike) -> NDArray:
    """A linear encoder with the given variances: diagonal, as many inputs as modes.

    Raises:
        InvalidSpectrum: The variances are none.
    """
    return np.diag(np.sqrt(check_variances(variances)))


def check_weights(weights: ArrayLike) -> NDArray:
    """Check that weights can be those of an encoder.

    Raises:
        InvalidSpectrum: No finite matrix, all zero, or fewer inputs than dimensions.
    """
    matrix = finite_matrix("Weights", weights, "dimensions × inputs")
    dimensions, inputs = matrix.shape
    if inputs < dimensions:
        message = (
            f"An encoder must have at least as many inputs as dimensions; these weights have "
            f"{inputs} inputs and {dimensions} dimensions. Transpose them, or leave out dimensions."
        )
        raise InvalidSpectrum(message)
    if not matrix.any():
        message = "Some weight must differ from 0; all are 0. Start from larger weights."
        raise InvalidSpectrum(message)
    return matrix


def finite_matrix(what: str, values: ArrayLike, shape: str) -> NDArray:
    """Check that values are a finite matrix.

    Args:
        what: What they are, for the message.
        values: Anything that may be a matrix.
        shape: What its rows and columns are.

    Raises:
        InvalidSpectrum: They are not.
    """
    try:
        matrix = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        message = f"{what} must be a matrix of real numbers, {shape}. Convert them to float64."
        raise InvalidSpectrum(message) from error
    if matrix.ndim != 2 or matrix.size == 0 or not np.isfinite(matrix).all():
        empty = matrix.ndim != 2 or matrix.size == 0
        given = f"of the shape {matrix.shape}" if empty else "with NaN or infinite ones"
        message = f"{what} must be a matrix of finite numbers, {shape}, not {given}. Correct them."
        raise InvalidSpectrum(message)
    return matrix


def read_matrix(path: str | Path, name: str) -> NDArray:
    """Read a matrix of numbers from a file; never a pickle.

    Args:
        path: .npy, .npz with one array or one called `name`, or .csv with commas and at most one
            line of headings.
        name: What the matrix is, "embeddings" or "weights".

    Returns:
        Matrix (rows, columns), float64.

    Raises:
        UnreadableFile: Missing, a folder, of another kind, malformed, or not a numeric matrix.
        InvalidSpectrum: Not finite.
    """
    path = Path(path)
    if path.suffix.lower() not in MATRIX_SUFFIXES:
        message = (
            f"{name.capitalize()} are read from {', '.join(MATRIX_SUFFIXES)}; {path} is none of "
            "these. Save it with numpy.save."
        )
        raise UnreadableFile(message)
    if not os.path.isfile(path):  # unlike Path.is_file, answers for names too long to exist
        what = "is a folder" if os.path.isdir(path) else "does not exist"
        message = f"{name.capitalize()} must be a file; {path} {what}. Check the path."
        raise UnreadableFile(message)
    try:
        read = _read_csv if path.suffix.lower() == ".csv" else _read_numpy
        matrix = np.asarray(read(path, name))
    except UnreadableFile:
        raise
    except Exception as error:  # whatever a malformed file makes numpy, zipfile or tokenize raise
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        if "allow_pickle" in reason:  # numpy would advise loading it all the same
            reason = "it holds Python objects, which are never loaded"
        message = (
            f"{path} must hold a matrix of numbers, every row as long as the first; it could not "
            f"be read: {reason}. Try saving it with numpy.save."
        )
        raise UnreadableFile(message) from error
    if not (np.issubdtype(matrix.dtype, np.floating) or np.issubdtype(matrix.dtype, np.integer)):
        message = f"{path} must hold real numbers, not {matrix.dtype}. Convert it to float64."
        raise UnreadableFile(message)
    if matrix.ndim != 2 or matrix.size == 0:
        message = (
            f"{path} must hold a matrix with rows and columns; its shape is {matrix.shape}. "
            "Reshape it to two dimensions."
        )
        raise UnreadableFile(message)
    return _check_matrix(matrix, str(path), "rows × columns")


def _read_numpy(path: Path, name: str) -> NDArray:
    with path.open("rb") as file:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        names = list(loaded.files)
        if name in names or len(names) == 1:
            return loaded[name if name in names else names[0]]
    message = (
        f"{path} must hold one array, or one called {name!r}; it holds "
        f"{', '.join(names) or 'none'}. Save only that one."
    )
    raise UnreadableFile(message)


def _read_csv(path: Path, _name: str) -> NDArray:
    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if lines and not any(_is_number(cell) for cell in lines[0].split(",")):
        lines = lines[1:]  # a heading; a row with some numbers is a row with a mistake
    if not lines:
        message = "it holds no rows of numbers"
        raise ValueError(message)
    return np.loadtxt(lines, delimiter=",", ndmin=2, dtype=np.float64, comments=None)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _real(values: ArrayLike) -> NDArray:
    array = np.asarray(values)
    if np.iscomplexobj(array):
        message = "complex numbers"
        raise TypeError(message)
    return array.astype(np.float64)


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:60]}…"


def _check_matrix(values: ArrayLike, what: str, shape: str) -> NDArray:
    try:
        matrix = _real(values)
    except (TypeError, ValueError, OverflowError) as error:
        message = (
            f"{what} must be a matrix of real numbers, {shape}, not {_short(values)}. "
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
    return matrix


def _spectrum(matrix: NDArray, modes: int, divisor: int) -> NDArray:
    """Squared singular values over a divisor, filled up with zeros, largest first (modes,)."""
    singular = np.linalg.svd(matrix, compute_uv=False)
    singular[singular <= singular[0] * max(matrix.shape) * np.finfo(float).eps] = 0
    variances = np.zeros(modes)
    count = min(modes, len(singular))
    with np.errstate(over="ignore"):  # check_variances refuses what overflows
        variances[:count] = singular[:count] ** 2 / divisor
    return check_variances(variances)
