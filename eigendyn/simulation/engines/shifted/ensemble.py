"""Follow any number of uncoupled modes by time shift along tabulated curves.

All trajectories of a scalar autonomous equation between two neighbouring fixed points are one
curve, shifted in time. The curve is tabulated once; a start becomes its own time on the curve, and
a saved time one reading of a table.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.results.trajectory import COMPLETED, DIVERGED, INACCURATE, INVALID, Batch
from eigendyn.simulation.engines.shifted.curve import EPS, FARTHEST, SMALLEST
from eigendyn.simulation.engines.shifted.growth_rate import growth, two_floats
from eigendyn.simulation.engines.shifted.power_sum import PowerSum, growth_powers
from eigendyn.simulation.engines.shifted.shift import LANES, shift_kernel
from eigendyn.simulation.engines.shifted.tables import (
    ROUND_OFF,
    SHARE,
    Curves,
    allowed_error,
    tabulate_curves,
)
from eigendyn.theory.derive import ModeDynamics

FINEST_RTOL = 1e-11
OCTAVES = 4  # ranges are rounded to powers of 2^OCTAVES, so that tables serve similar calls
SMALL = 2**14  # numbers that one thread writes sooner than another starts
PIECES = 32  # of the rows, so that no thread waits long for another
KEEPS = ("trajectory", "final")


def shifted_ensemble(
    dynamics: ModeDynamics,
    starts: NDArray,
    times: ArrayLike,
    parameters: Mapping[str, float | NDArray],
    *,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    threads: int | None = None,
    keep: str = "trajectory",
    span: tuple[float, float] | None = None,
) -> Batch:
    """Follow many trajectories of uncoupled modes.

    Args:
        dynamics: Closed dynamics of the singular value.
        starts: Singular values at the first time (trajectories, 1, modes), float64 or float32.
        times: Increasing times to save (times,), learning rate × step.
        parameters: By name, a number, or one for each trajectory (trajectories,). Trajectories with
            equal parameters share a curve; where all differ, each pays for one (some 10 ms).
        rtol: Error allowed in s, and in v = s², relative to either; at least FINEST_RTOL.
        atol: Error allowed in both beside it, absolute.
        threads: Threads to use; None takes one for each core.
        keep: "trajectory", or "final" for the last time alone.
        span: Smallest and largest start that moves, of the ensemble that these are a part of: the
            curve that serves all of them serves its parts bit for bit. None takes those given.

    Returns:
        Singular values (trajectories, 1, modes, times). A trajectory with a start that is negative
        or not finite is "invalid-start", all of it NaN; one in which a mode becomes infinite is
        "diverged", NaN from then on; one whose times are too long for floats to tell its values
        apart to the allowed error, or whose tables err by more, is "inaccurate". No adaptive steps
        are taken.

    Raises:
        NotDecoupled: The modes are coupled, have several states, or change with time.
        InvalidSetting: Accuracies beyond those of floats, times that do not increase, or an
            unknown `keep`.
    """
    elapsed, starts = _checked(starts, times, rtol, atol, keep)
    count, _, modes = starts.shape
    span = span or moving_range(starts)
    kept = elapsed[-1:] if keep == "final" else elapsed
    values = np.empty((count, 1, modes, len(kept)), starts.dtype)
    status = np.zeros(count, np.int8)
    for members, own in _groups(parameters, count):
        rate = _powers(dynamics, tuple(own.items()), modes)
        if members is None:
            _follow(rate, starts, kept, span, rtol, atol, threads, values, status)
        else:
            part = np.empty((len(members), *values.shape[1:]), starts.dtype)
            state = np.zeros(len(members), np.int8)
            _follow(rate, starts[members], kept, span, rtol, atol, threads, part, state)
            values[members], status[members] = part, state
    saved = np.asarray(times, float)
    return Batch(
        times=saved[-1:] if keep == "final" else saved,
        values=values,
        status=status,
        steps=np.zeros(count, np.int32),
    )


_powers = lru_cache(maxsize=256)(
    lambda dynamics, items, modes: growth_powers(dynamics, dict(items), modes)
)


def _checked(
    starts: NDArray, times: ArrayLike, rtol: float, atol: float, keep: str
) -> tuple[NDArray, NDArray]:
    if keep not in KEEPS:
        message = f"keep must be one of {', '.join(KEEPS)}, not {keep!r}."
        raise InvalidSetting(message)
    least = FINEST_RTOL if starts.dtype == np.float64 else float(np.finfo(starts.dtype).eps)
    if not (rtol >= least and atol >= 0):
        message = (
            f"For {starts.dtype} starts rtol must be at least {least:.1g} and atol at least 0, not "
            f"rtol = {rtol:g}, atol = {atol:g}. Try rtol = 1e-6, atol = 1e-9."
        )
        raise InvalidSetting(message)
    saved = np.asarray(times, float)
    if (
        saved.ndim != 1
        or not len(saved)
        or not (np.isfinite(saved).all() and (np.diff(saved) >= 0).all())
    ):
        message = "Times must be finite and increase. Try np.linspace(0, 60, 101)."
        raise InvalidSetting(message)
    return saved - saved[0], np.ascontiguousarray(starts)


def _groups(parameters: Mapping[str, float | NDArray], count: int):
    """Trajectories with equal parameters: their indices (None for all), and their numbers."""
    varied = {name: np.asarray(p) for name, p in parameters.items() if np.ndim(p)}
    fixed = {name: float(p) for name, p in parameters.items() if name not in varied}
    if not varied:
        yield None, fixed
        return
    rows = np.stack([np.broadcast_to(p, (count,)) for p in varied.values()], axis=1)
    unique, which = np.unique(rows, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    sizes = np.bincount(which.ravel(), minlength=len(unique))
    for row, members in zip(unique, np.split(order, np.cumsum(sizes)[:-1]), strict=True):
        yield members, fixed | dict(zip(varied, map(float, row), strict=True))


def _follow(
    rate: PowerSum,
    starts: NDArray,
    elapsed: NDArray,
    span: tuple[float, float],
    rtol: float,
    atol: float,
    threads: int | None,
    values: NDArray,
    status: NDArray,
) -> None:
    """Fill values (trajectories, 1, modes, times) and status (trajectories,)."""
    flat = starts.reshape(-1).astype(float, copy=False)
    smallest, largest = span
    if not rate.exponents or not len(flat):
        _stay(starts, values, status)
        return
    tables = _tables(rate, smallest, largest, float(elapsed[-1]), rtol, atol)
    modes, saved = starts.shape[2], len(elapsed)
    padded = np.concatenate([elapsed, np.full(-saved % LANES, elapsed[-1])])
    own_times, state = np.empty(len(flat)), np.empty(len(flat), np.int8)
    kernel = shift_kernel(8 * values.dtype.itemsize)
    addresses = [
        array.ctypes.data
        for array in (
            *(flat, padded, values, own_times, state),
            *(tables.rest, tables.curves, tables.records, tables.cells),
        )
    ]

    def work(begin: int, end: int) -> None:
        kernel(begin, end, saved, len(tables.rest), *addresses)

    _in_threads(work, len(flat), saved, threads)
    by_trajectory = state.reshape(-1, modes)
    status[:] = by_trajectory.max(axis=1)
    if tables.error * SHARE > 1:  # as where a ghost is too narrow for them
        status[status == COMPLETED] = INACCURATE
    if tables.rounding:
        _judge_rounding(tables, own_times.reshape(-1, modes), elapsed, values, status, rtol, atol)
    for one in np.flatnonzero(status == DIVERGED):
        gone = np.isnan(values[one]).any(axis=(0, 1))
        values[one, :, :, gone] = np.nan
    values[status == INVALID] = np.nan
    farthest = np.exp(FARTHEST / 2)
    if smallest < SMALLEST or largest > farthest:
        outside = ((flat > 0) & (flat < SMALLEST)) | (flat > farthest)
        status[outside.reshape(-1, modes).any(axis=1) & (status == COMPLETED)] = INACCURATE


def moving_range(starts: NDArray) -> tuple[float, float]:
    """Smallest and largest of the starts that move; (1, 1) if none does."""
    flat = starts.reshape(-1).astype(float, copy=False)
    if not len(flat):
        return 1.0, 1.0
    smallest, largest = flat.min(), flat.max()
    if smallest > 0 and largest < np.inf:
        return float(smallest), float(largest)
    moving = flat[(flat > 0) & (flat < np.inf)]
    return (float(moving.min()), float(moving.max())) if len(moving) else (1.0, 1.0)


def _stay(starts: NDArray, values: NDArray, status: NDArray) -> None:
    """Nothing moves at all."""
    values[...] = starts[..., None]
    bad = ~((starts >= 0) & (starts < np.inf)).all(axis=(1, 2))
    values[bad], status[bad] = np.nan, INVALID


def _tables(
    rate: PowerSum, smallest: float, largest: float, last: float, rtol: float, atol: float
) -> Curves:
    def visited(s: float) -> int:
        return sum(
            s > high or (s == high and low < 0) for high, low in map(two_floats, growth(rate).rest)
        )

    def octave(x: float, up: int) -> int:
        power = int(np.floor(np.log2(x) / OCTAVES)) + up
        return OCTAVES * power

    curves = visited(smallest), visited(largest)
    low, high = octave(max(smallest, 1e-150), 0), octave(min(largest, 1e150), 1)
    return tabulate_curves(
        rate, curves, low, high, octave(max(last, 1e-300), 1), float(rtol), float(atol)
    )


def _in_threads(work, rows: int, saved: int, threads: int | None) -> None:
    """Let threads take rows piece by piece; every row is the same whoever writes it."""
    count = min(threads or os.cpu_count() or 1, 1 + rows * saved // SMALL)
    pieces = min(PIECES, 1 + rows * saved // SMALL) if count > 1 else 1
    bounds = [rows * i // pieces for i in range(pieces + 1)]
    if count == 1:
        work(0, rows)
        return
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))


def _judge_rounding(
    tables: Curves,
    own_times: NDArray,
    elapsed: NDArray,
    values: NDArray,
    status: NDArray,
    rtol: float,
    atol: float,
) -> None:
    """Find trajectories that the rounding of their times moves by more than is allowed."""
    shift = ROUND_OFF * EPS * (np.abs(own_times[..., None]) + elapsed)
    with np.errstate(invalid="ignore", over="ignore"):
        moved = shift * tables.speed(values[:, 0])
        doubtful = moved > 2 * allowed_error(values[:, 0], rtol, atol)
    values[:, 0][doubtful & (status == DIVERGED)[:, None, None]] = np.nan  # close to its end
    status[doubtful.any(axis=(1, 2)) & (status == COMPLETED)] = INACCURATE
