"""Take the variances of the modes at the start from embeddings, weights, a list or a draw."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidSetting, InvalidSpectrum
from eigendyn.settings.choices import check_choice
from eigendyn.settings.keywords import takes
from eigendyn.settings.matrices import Matrix, as_matrix, real, short
from eigendyn.settings.parameters import PARAMETERS, PER_MODE

ENTRY_DEVIATION = 0.25  # standard deviation of a random encoder's entries: variance 1/16
LARGEST_VARIANCE = 1e75  # the equations multiply up to four variances, and float64 ends at 1e308


def check_variances(values: ArrayLike) -> NDArray:
    """Check that values can be the variances of modes.

    Args:
        values: One number per mode [variance].

    Returns:
        Variances (modes,), float64, in the same order.

    Raises:
        InvalidSpectrum: Empty, not one-dimensional, not finite, negative, beyond 1e75, or all zero.
    """
    try:
        variances = real(values)
    except (TypeError, ValueError, OverflowError) as error:
        message = (
            f"Variances must be a list of real numbers, one per mode, not {short(values)}. "
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
    largest = int(variances.argmax())
    if variances[largest] > LARGEST_VARIANCE:
        message = (
            f"Variances must be at most {LARGEST_VARIANCE:g}, since their fourth powers must be "
            f"finite; mode {largest} has {variances[largest]:g}. Divide all of them by the largest."
        )
        raise InvalidSpectrum(message)
    if not variances.any():
        message = "At least one mode must have variance; all are 0. Start from a larger spectrum."
        raise InvalidSpectrum(message)
    return variances + 0.0  # without the sign of -0.0


@takes()
def variances_from_embeddings(embeddings: ArrayLike | Matrix, *, center: bool = False) -> NDArray:
    """Take the spectrum of the correlation of embeddings.

    Eigenvalues v of C = ZᵀZ/samples, C u = v u, largest first. Those that rounding alone could have
    made are set to zero, since a mode without variance stays without, and one with 1e-17 may be
    recruited: up to the square of `Matrix.floor` over samples, by the type that Z is stored in.

    Args:
        embeddings: Z (samples, dimensions) [√variance].
        center: Whether to subtract the mean of every dimension first; C is then the covariance.

    Returns:
        Variances (dimensions,).

    Raises:
        InvalidSpectrum: Not a matrix of finite numbers, or all zero.

    Source: Tian et al. 2021 and Halvagal et al. 2023, modes as eigenvectors of the correlation;
    what rounding could have made is told by bounds of our own.

    Examples:
        >>> z = np.random.default_rng(0).normal(size=(5000, 3)) * [2.0, 1.0, 0.5]
        >>> eigendyn.spectrum.from_embeddings(z).round(2).tolist()
        [4.09, 0.97, 0.25]
    """
    matrix = as_matrix(embeddings, "Embeddings", "samples × dimensions")
    values = matrix.values - matrix.values.mean(axis=0) if center else matrix.values
    samples, dimensions = values.shape
    return _spectrum(values, matrix.floor, modes=dimensions, divisor=samples)


@takes()
def variances_from_weights(weights: ArrayLike | Matrix) -> NDArray:
    """Take the spectrum of a linear encoder for white inputs.

    Eigenvalues of W Wᵀ, largest first; zero where rounding alone could have made them, as for
    embeddings.

    Args:
        weights: W (modes, inputs) [√variance].

    Returns:
        Variances (modes,), the last ones zero if there are fewer inputs than modes.

    Raises:
        InvalidSpectrum: Not a matrix of finite numbers, or all zero.

    Source: Halvagal et al. 2023, their linear network, for which E[z zᵀ] = W Wᵀ.

    Examples:
        >>> eigendyn.spectrum.from_weights([[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).tolist()
        [4.0, 1.0]
    """
    matrix = as_matrix(weights, "Weights", "modes × inputs")
    return _spectrum(matrix.values, matrix.floor, modes=len(matrix.values), divisor=1)


@takes()
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

    Examples:
        >>> eigendyn.spectrum.random(3, 6, seed=0).round(3).tolist()
        [0.526, 0.298, 0.045]
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
            message = f"`{name}` must be a whole number, not {short(value)}. Try 10."
            raise InvalidSetting(message)
    if seed < 0:
        message = f"`seed` must be at least 0, not {seed}. Try 0."
        raise InvalidSetting(message)
    if modes < 1:
        message = f"`modes` must be at least 1, not {modes}. Try 10."
        raise InvalidSetting(message)
    if inputs < modes:
        message = (
            f"`inputs` must be at least `modes`, here {modes}, so that every mode has variance; "
            f"it is {inputs}. Try `inputs={max(modes + modes // 2, 1)}`."
        )
        raise InvalidSetting(message)
    return np.random.default_rng(seed).normal(scale=ENTRY_DEVIATION, size=(modes, inputs))


@takes()
def published_variances() -> NDArray:
    """Spectrum of the published 10 × 15 linear encoder (10,), largest first.

    Returns:
        Variances (modes,).

    Source: starting point of the notebook published with Halvagal et al. 2023.

    Examples:
        >>> eigendyn.spectrum.published()[:3].round(3).tolist()
        [2.238, 1.728, 1.109]
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
    with files("eigendyn").joinpath("settings/published_starts.npz").open("rb") as file:
        return np.load(file, allow_pickle=False)[name]


def weights_from_variances(variances: ArrayLike) -> NDArray:
    """A linear encoder with the given variances: diagonal, as many inputs as modes.

    Raises:
        InvalidSpectrum: The variances are none.
    """
    return np.diag(np.sqrt(check_variances(variances)))


def start_of_variances(
    variances: ArrayLike, settings: Mapping[str, Any]
) -> tuple[NDArray, dict[str, Any]]:
    """A linear encoder with clean variances v = s² d, and settings for modes in its order.

    A cross-check orders modes by singular value, largest first, and what is given per mode too.

    Args:
        variances: Variances (modes,).
        settings: Fields of `Settings`, a signal d and noises per mode among them.

    Returns:
        Weights (modes, modes), diagonal, and the same settings in their order.

    Raises:
        InvalidSpectrum, InvalidSetting: Variances or settings that are none, or of other modes.
    """
    spectrum = check_variances(variances)
    given = {n: PARAMETERS[n].check(settings[n]) for n in PER_MODE if settings.get(n) is not None}
    own = {n: np.asarray(value) for n, value in given.items() if isinstance(value, tuple)}
    for name, values in own.items():
        check_modes(name, values, len(spectrum))
    squares = spectrum / np.asarray(given.get("signal", 1.0))
    order = np.argsort(-squares, kind="stable")
    in_order = {name: tuple(values[order].tolist()) for name, values in own.items()}
    return np.diag(np.sqrt(squares[order])), {**settings, **given, **in_order}


def check_modes(name: str, given: Sized, modes: int) -> None:
    """Check that there is a number for every mode.

    Raises:
        InvalidSetting: There are more, or fewer.
    """
    if len(given) != modes:
        message = (
            f"`{name}` must be one number, or one for each of {modes} modes, not {len(given)} "
            "numbers. Try as many as there are `variances`."
        )
        raise InvalidSetting(message)


def check_weights(weights: ArrayLike | Matrix) -> NDArray:
    """Check that weights can be those of an encoder.

    Raises:
        InvalidSpectrum: No finite matrix, all zero, or fewer inputs than dimensions.
    """
    matrix = as_matrix(weights, "Weights", "dimensions × inputs").values
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


def _spectrum(values: NDArray, floor: float, modes: int, divisor: int) -> NDArray:
    """Squared singular values over a divisor, filled up with zeros, largest first (modes,)."""
    singular = np.linalg.svd(values, compute_uv=False)
    singular[singular <= floor] = 0
    variances = np.zeros(modes)
    count = min(modes, len(singular))
    with np.errstate(over="ignore"):  # check_variances refuses what overflows
        variances[:count] = singular[:count] ** 2 / divisor
    return check_variances(variances)
