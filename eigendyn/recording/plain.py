"""Find times, eigenvalues and what else belongs to a record in plain arrays and tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.recording.record import HISTORY, LARGEST, MEASURES, MOMENT, record
from eigendyn.settings.columns import INDEX

if TYPE_CHECKING:
    import xarray

# What people call these, in lower case; all other columns of a table are eigenvalues.
NAMES = {
    "time": ("time", "times", "t", "training time"),
    "step": ("step", "steps", "global_step", "iteration", "iterations", "iter", "epoch", "epochs"),
    "learning_rate": ("learning_rate", "lr", "eta"),
    "loss": ("loss", "train_loss"),
    "variance": ("variance", "variances", "eigenvalue", "eigenvalues", "spectrum", "spectra"),
    "mode": ("mode", "modes"),
}
OURS = {other: name for name, others in NAMES.items() for other in others}
OF_TABLES = {"time", "step", *(name for name, row in MEASURES.items() if row.dims == MOMENT)}
ORDER = "no eigenvectors: modes are told by the order of their columns"


def from_columns(values: NDArray, names: Sequence[str], origin: str) -> xarray.Dataset:
    """Make a record of a table whose rows are recordings; or of a long one, a row for each mode.

    Args:
        values: Numbers (rows, columns); NaN where there is none.
        names: Names of the columns; none of a table without heading.
        origin: Where it comes from.

    Raises:
        InvalidSetting: No spectrum over time; times that do not increase.
    """
    called = [_ours(name) for name in names] or [""] * values.shape[1]
    if {"mode", "variance"} <= set(called) and {"time", "step"} & set(called):
        return _from_long(dict(zip(called, values.T, strict=True)), origin)
    found = {name: values[:, called.index(name)] for name in OF_TABLES if name in called}
    rest = [place for place, name in enumerate(called) if name not in found]
    said = ""
    if rest and "time" not in found and "step" not in found:
        first, named = values[:, rest[0]], called[rest[0]]
        if len(first) > 1 and (np.diff(first) > 0).all() and not _is_one_of(names, rest):
            found["time"] = first
            said = f"{f'{named!r}' if named else f'column {rest[0] + 1}'}, which increases"
            rest = rest[1:]
    if names:
        rest = [place for place in rest if not INDEX.fullmatch(called[place].lower() or "index")]
    return _checked({**found, "variance": values[:, rest].T}, origin, said)


def from_arrays(arrays: Mapping[str, NDArray | None], origin: str) -> xarray.Dataset:
    """Make a record of named arrays.

    Args:
        arrays: One matrix alone, times × columns as a table has them; or "variance" (or
            "eigenvalues", "spectrum"), times × modes, with "time" or "step" (times,) beside it, and
            any measure of a record by its name.
        origin: Where they come from.

    Raises:
        InvalidSetting: No spectrum over time; times that do not increase.
    """
    numbers = {
        name: np.asarray(array, np.float64)
        for name, array in arrays.items()
        if array is not None and array.dtype.kind in "fiu"
    }
    found = {_ours(name): array for name, array in numbers.items()}
    if "variance" not in found:
        matrices = [name for name, array in found.items() if array.ndim == 2]
        if len(matrices) != 1:
            message = (
                f"{origin} must hold one matrix, times × eigenvalues, or one called 'variance'; it "
                f"holds {', '.join(arrays) or 'nothing'}. Name them by numpy.savez(path, "
                "time=…, variance=…)."
            )
            raise InvalidSetting(message)
        found["variance"] = found.pop(matrices[0])
    matrix = found["variance"]
    if matrix.ndim != 2:
        message = (
            f"{origin} must hold a matrix, times × eigenvalues; its shape is {matrix.shape}. "
            "Reshape it."
        )
        raise InvalidSetting(message)
    if "time" not in found and "step" not in found:
        return from_columns(matrix, (), origin)
    measures = {"variance": matrix.T}
    for name, array in found.items():
        of_times = name in OF_TABLES and array.shape == matrix.shape[:1]
        of_modes = MEASURES.get(name, ((),))[0] == HISTORY and array.shape == matrix.shape
        if of_times or of_modes:
            measures[name] = array.T
    missing = {"time", "step"} & set(found) - set(measures)
    if missing:
        name = missing.pop()
        message = (
            f"{origin} must hold as many times as rows of eigenvalues; {name!r} has the shape "
            f"{found[name].shape}, and the matrix {matrix.shape}. Store times × eigenvalues."
        )
        raise InvalidSetting(message)
    return _checked(measures, origin)


def _ours(name: str) -> str:
    return OURS.get(name.strip().lower(), name.strip())


def _is_one_of(names: Sequence[str], places: Sequence[int]) -> bool:
    """Whether the first column is named as the others are, but for a number, as v0, v1, v2."""
    stems = {re.sub(r"\d+", "", names[place]) for place in places} if names else set()
    return len(places) > 1 and len(stems) == 1 and stems != {""}


def _from_long(columns: Mapping[str, NDArray], origin: str) -> xarray.Dataset:
    """A record of a table with a row for each mode and time, as `save` writes it."""
    axis = "time" if "time" in columns else "step"
    modes, mode = np.unique(columns["mode"], return_inverse=True)
    times, time = np.unique(columns[axis], return_inverse=True)
    shape = len(modes), len(times)
    if len(set(zip(mode, time, strict=True))) != len(mode) or len(mode) != shape[0] * shape[1]:
        message = (
            f"{origin} must hold each mode once at each time; it has {len(mode)} rows for "
            f"{shape[0]} modes and {shape[1]} times. Leave out what is double or incomplete."
        )
        raise InvalidSetting(message)
    measures: dict[str, NDArray] = {}
    for name, values in columns.items():
        is_history = name in MEASURES and MEASURES[name].dims == HISTORY
        if is_history or name in OF_TABLES:
            grid = np.empty(shape)
            grid[mode, time] = values
            measures[name] = grid if is_history else grid[0]
    return _checked(measures, origin)


def _checked(found: Mapping[str, NDArray], origin: str, said: str = "") -> xarray.Dataset:
    """A record of measures by name, "time" and "step" among them; and how times were found."""
    variance = found["variance"]
    if variance.shape[1] < 2 or variance.shape[0] < 2:
        message = (
            f"A spectrum over time must have two recordings and two modes at least; {origin} has "
            f"{variance.shape[1]} and {variance.shape[0]}. Rows are times, columns eigenvalues."
        )
        raise InvalidSetting(message)
    for name in ("time", "step", "learning_rate", "variance"):
        wrong = np.argwhere(~np.isfinite(np.atleast_2d(found[name]))) if name in found else []
        if len(wrong):
            row = wrong[0][1]
            value = np.atleast_2d(found[name])[tuple(wrong[0])]
            message = (
                f"Spectra must be finite; in {origin} {name} is {value:g} at recording {row + 1}. "
                "Leave out that recording, or all from there on if training diverged."
            )
            raise InvalidSetting(message)
    largest = np.unravel_index(np.argmax(np.abs(variance)), variance.shape)
    if np.abs(variance[largest]) >= LARGEST:
        message = (
            f"Eigenvalues must be below {LARGEST:g}; in {origin} one is {variance[largest]:g} at "
            f"recording {largest[1] + 1}. Give them in other units, or leave out where training "
            "diverged."
        )
        raise InvalidSetting(message)
    step = found.get("step")
    time = found.get("time")
    if time is None and step is None:
        step = np.arange(variance.shape[1], dtype=np.float64)
        said = "rows, counted from 0, as no column says when"
    if time is None and "learning_rate" in found and step is not None:
        rate = found["learning_rate"]
        time = rate[0] * step[0] + np.append(0, np.cumsum(rate[:-1] * np.diff(step)))
        said = "∫ learning rate d step"
    in_steps = time is None
    time = step if time is None else time
    measures = {name: values for name, values in found.items() if name in MEASURES}
    return record(
        measures,
        time,  # pyright: ignore[reportArgumentType]
        time if step is None else step,  # pyright: ignore[reportArgumentType]
        title=f"spectrum of {Path(origin).name}",
        in_steps=in_steps,
        origin="a table",
        time_taken_from=said or ("time" if "time" in found else "step"),
        modes_followed=ORDER,
    )
