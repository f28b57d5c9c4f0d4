"""Step with LSODA, after as many explicit steps of order 8 as are asked for.

LSODA takes no relative tolerance below 3e-14, and the errors of its many steps add up; a mode that
is recruited late magnifies them as often as it grows. DOP853 takes a few long steps to the same
tolerance, each far more accurate, as long as no force makes it take short ones.

Source: Hairer, Nørsett, Wanner 1993, Solving ordinary differential equations I, section II.5
(DOP853); Petzold 1983 (LSODA); both as SciPy has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import DOP853, LSODA

FINER = 0.25  # relative tolerance of explicit steps, over that of LSODA

Rates = Callable[[float, NDArray], NDArray]


def steps(
    rates: Rates,
    jacobian: Rates,
    times: NDArray,
    start: NDArray,
    *,
    rtol: float,
    atol: NDArray,
    explicit: int,
) -> Iterator[DOP853 | LSODA]:
    """Step from the first saved time to the last.

    Args:
        rates: Rates of change (numbers,) at a time, in states (numbers,).
        jacobian: Their slopes (numbers, numbers).
        times: Saved times (times,).
        start: States at the first of them (numbers,).
        rtol: Relative error of a step; of explicit ones `FINER` of it.
        atol: Absolute error of a step (numbers,); whoever changes it changes the steps to come.
        explicit: Steps after which LSODA takes over.

    Yields:
        The solver after each step; after the last one, it has failed or reached the last time.
    """
    time, end = float(times[0]), float(times[-1])
    if explicit:
        solver = DOP853(rates, time, start, end, rtol=rtol, atol=atol)
        solver.rtol = FINER * rtol  # below what it takes as an argument, and above its round-off
        for _ in range(explicit):
            # Steps end at every saved time: what is interpolated in so long a one is less accurate.
            solver.t_bound = times[np.searchsorted(times, solver.t, side="right")]
            solver.status, length = "running", solver.h_abs
            solver.step()
            if solver.status == "failed":
                break
            if solver.t == solver.t_bound:
                solver.h_abs = max(length, solver.h_abs)  # the one that was cut short
            yield solver
            if solver.t == end:
                return
        time, start = solver.t, solver.y
    solver = LSODA(rates, time, start, end, rtol=rtol, atol=atol, jac=jacobian)
    while solver.status == "running":
        solver.step()
        yield solver
