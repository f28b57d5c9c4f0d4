"""Rates of a group in NumPy enter; its states at the saved times, by Dormand–Prince 8, leave."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from contract_native import ENDED, FOUND, NOTHING, OVERTAKEN, RESTING, SHORTEST, STIFF
from contract_problems import Group
from contract_rates import Rates
from numpy.typing import NDArray
from scipy.integrate import DOP853

MOST_STEPS = 500  # which take thousands of nodes each


def integrate(group: Group, rates: Rates, rtol: float) -> tuple[NDArray, NDArray]:
    """All problems of a group, each with a step of its own.

    Returns:
        States (problems, states, modes, times), NaN from where it stopped, and why it did
        (problems,).
    """
    start, times = group.starts(rates.states), group.times
    values = np.full((*start.shape, len(times)), np.nan)
    values[..., 0] = start
    floor = np.array([RESTING if "velocity" in name else NOTHING for name in rates.states])[:, None]
    y, saved = start.copy(), np.ones(len(start), int)
    time, step = np.zeros(len(start)), np.full(len(start), 1e-9)
    ends = np.full(len(start), STIFF)
    active = np.arange(len(start))
    ranked = rates.ranked
    leaders = None if ranked is None else _leaders(ranked(y))
    for _ in range(MOST_STEPS):
        if not len(active):
            break
        left = times[saved[active]] - time[active]
        h = np.minimum(step[active], left)
        held = None if leaders is None else leaders[active]
        new, ratio = _step(rates, time[active], y[active], h, active, held, rtol, floor)
        good = ratio <= 1
        factor = np.clip(0.9 * np.maximum(ratio, 1e-12) ** (-1 / 8), 0.2, np.where(good, 5.0, 1.0))
        factor[~np.isfinite(ratio)] = 0.2
        if ranked is not None:
            late, share = _overtaken(ranked, y[active], new, held)
            late &= h > 100 * np.maximum(SHORTEST * time[active], 1e-25)
            factor = np.where(good & late, share, factor)
            good &= ~late
        arrives = good & (h >= left)
        step[active] = np.where(arrives, np.maximum(h * factor, step[active]), h * factor)
        moved = active[good]
        y[moved] = new[good]
        time[moved] += h[good]
        if ranked is not None:
            leaders[moved] = _leaders(ranked(y[moved]))
        arrived = active[arrives]
        time[arrived] = times[saved[arrived]]
        values[arrived, ..., saved[arrived]] = y[arrived]
        saved[arrived] += 1
        is_done = saved[active] == len(times)
        is_stuck = step[active] < np.maximum(SHORTEST * time[active], 1e-25)
        ends[active[is_stuck]] = ENDED
        ends[active[is_done]] = FOUND
        active = active[~is_done & ~is_stuck]
    return values, ends


def _leaders(ranked: NDArray) -> NDArray:
    return np.argmax(ranked, axis=-1)[:, None]


def _overtaken(
    ranked: Callable, before: NDArray, after: NDArray, held: NDArray
) -> tuple[NDArray, NDArray]:
    """Whether a step ends too far behind the change of the largest mode, and where that is.

    The share of the step is that of a straight line through the lead at both ends.
    """
    with np.errstate(all="ignore"):
        ends, begins = ranked(after), ranked(before)
        rival = _leaders(ends)
        most = np.take_along_axis(ends, rival, -1)
        ahead = (np.take_along_axis(ends, held, -1) - most)[:, 0]
        was = (np.take_along_axis(begins, held, -1) - np.take_along_axis(begins, rival, -1))[:, 0]
        share = np.clip(was / (was - ahead), 0.02, 0.98)
        late = ahead < -OVERTAKEN * np.abs(most[:, 0])
    return late, np.where(np.isfinite(share), share, 0.5)


def _step(
    rates: Rates,
    t: NDArray,
    y: NDArray,
    h: NDArray,
    which: NDArray,
    held: NDArray | None,
    rtol: float,
    floor: NDArray,
) -> tuple[NDArray, NDArray]:
    """New states, and the error of each problem over what is allowed."""
    wide = h[:, None, None]
    with np.errstate(all="ignore"):
        stages = [rates.evaluate(t, y, which, held)]
        for row, c in zip(DOP853.A[1:], DOP853.C[1:], strict=True):
            moved = sum(a * k for a, k in zip(row, stages, strict=False) if a)
            stages.append(rates.evaluate(t + c * h, y + wide * moved, which, held))
        new = y + wide * sum(b * k for b, k in zip(DOP853.B, stages, strict=True) if b)
        stages.append(rates.evaluate(t + h, new, which, held))
        scale = floor + rtol * np.maximum(np.abs(y), np.abs(new))
        fifth, third = (
            np.square(sum(e * k for e, k in zip(row, stages, strict=True) if e) / scale).max((1, 2))
            for row in (DOP853.E5, DOP853.E3)
        )
        ratio = h * fifth / np.sqrt(np.maximum(fifth + 0.01 * third, 1e-300))
    return new, np.where(np.isfinite(new).all((1, 2)), ratio, np.inf)
