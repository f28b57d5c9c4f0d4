"""Repeat an integration with smaller tolerances until two runs agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from eigendyn.results.trajectory import COMPLETED, INACCURATE, Batch, Numbers, of_rows
from eigendyn.settings.run_settings import SMALLEST_RTOL

CLOSER = 0.03  # tolerance of a run over that of the run before it
FALLS = 0.5  # factor by which differences fall from run to run, from which on they add up

Run = Callable[[NDArray, Numbers, float, float], Batch]  # starts, parameters, rtol, atol


def until_two_agree(
    run: Run,
    starts: NDArray,
    parameters: Numbers,
    *,
    rtol: float,
    atol: float,
    moved: Sequence[int | None] = (),
    shares: Sequence[float] | None = None,
    at_once: float = 1.0,
) -> Batch:
    """Repeat runs with ever smaller tolerances, until two of each trajectory agree.

    An error in a step may grow afterwards, as a mode recruited a little later shows. Two runs agree
    if they differ by no more than rtol |s| + atol, or the share `at_once` of it; the second, more
    accurate one is returned. Once differences fall, each a share q of the one before, those that
    still more accurate runs would bring add up to q / (1 − q) of the last one. Two runs agree as
    well if that is no more than the tolerance and q below a half, where q is no less than the share
    by which tolerances fell.

    Args:
        run: Integrates starts with parameters and a relative and an absolute tolerance of a step.
        starts: States at the first time (trajectories, states, modes).
        parameters: By name, a number, or one for each trajectory (trajectories,).
        rtol: Error allowed, relative to the state.
        atol: Error allowed, absolute.
        moved: For each state, the place of the one that it is the velocity of, if it is one; its
            error is relative to what it moves in a unit of time then, if that is more.
        shares: Tolerances of the runs over those asked for, falling; by default each `CLOSER` times
            the one before, down to where a step is all round-off.
        at_once: Share of the tolerance up to which two runs agree by themselves.

    Returns:
        The batch; a trajectory whose runs never agree is "inaccurate".
    """
    first, *smaller = shares or _down_to(SMALLEST_RTOL[starts.dtype.name] / rtol)
    found = run(starts, parameters, first * rtol, first * atol)
    values, status, steps = np.array(found.values), np.array(found.status), np.array(found.steps)
    left = np.flatnonzero(status == COMPLETED)
    before = np.full(len(starts), np.nan)  # difference of the last two runs, in tolerances
    for last, share in pairwise((first, *smaller)):
        if not len(left):
            break
        again = run(starts[left], of_rows(parameters, left), share * rtol, share * atol)
        sizes = np.abs(again.values)
        for velocity, place in enumerate(moved):
            if place is not None:
                sizes[:, velocity] = np.fmax(sizes[:, velocity], sizes[:, place])
        with np.errstate(invalid="ignore", divide="ignore"):
            apart = np.abs(again.values - values[left])
            apart = np.where(apart == 0, 0.0, apart / (atol + rtol * sizes))
            apart = apart.reshape(len(left), -1).max(axis=1)
            falls = np.maximum(apart / before[left], share / last)
            to_come = apart * falls / (1 - falls)
        agree = (apart <= at_once) | ((falls < FALLS) & (to_come <= 1))
        before[left] = apart
        done = agree | (again.status != COMPLETED)
        values[left], steps[left] = again.values, steps[left] + again.steps
        status[left] = np.where(done, again.status, INACCURATE)
        left = left[~done]
    return replace(found, values=values, status=status, steps=steps)


def _down_to(finest: float) -> list[float]:
    shares = [max(1.0, finest / CLOSER)]
    while shares[-1] > finest:
        shares.append(max(shares[-1] * CLOSER, finest))
    return shares
