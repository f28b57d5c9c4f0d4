"""A problem that is stiff enters; its states, by LSODA at two tolerances, leave."""

from __future__ import annotations

import numpy as np
from contract_problems import Group
from contract_rates import Rates
from numpy.typing import NDArray
from scipy.integrate import LSODA

RUNS = ((1e-11, 1e-20), (1e-13, 1e-24))  # relative and absolute tolerance of a step
AGREED = 0.1  # difference of both, in units of what is allowed to an engine
MOST_EVALUATIONS = 30_000  # of a run
FEWEST = 1e-6  # steps of Dormand–Prince over the time that is left, below which it is no use


def stiff(
    group: Group, rates: Rates, known: NDArray, row: int, step: float
) -> NDArray | None:
    """One problem (states, modes, times), or None where two runs do not agree.

    Args:
        group: The group.
        rates: Its rates.
        known: What has been found already (states, modes, times), NaN in the rest.
        row: Number of the problem in its group.
        step: Step of the explicit method when it gave up.
    """
    first = int(np.isfinite(known).all(axis=(0, 1)).sum()) - 1
    if step < FEWEST * (group.times[-1] - group.times[first]):
        return None
    found = []
    for rtol, atol in RUNS:
        values = multistep(group, rates, known[..., : first + 1], row, rtol, atol)
        if values is None:
            return None
        found.append(values)
    allowed = group.atol + group.rtol * np.abs(found[1])
    with np.errstate(invalid="ignore"):
        agree = (np.abs(found[0] - found[1]) <= AGREED * allowed).all()
    return found[1] if agree else None


def multistep(
    group: Group, rates: Rates, known: NDArray, row: int, rtol: float, atol: float
) -> NDArray | None:
    """One problem by LSODA from saved time to saved time, from the last one known (states, modes,
    times); None where it fails, or takes too many evaluations.
    """
    shape, only = known.shape[:-1], np.array([row])
    values = [known[..., i] for i in range(known.shape[-1])]

    def flat(time: float, y: NDArray) -> NDArray:
        with np.errstate(all="ignore"):
            return rates.evaluate(np.array([time]), y.reshape(1, *shape), only, None).ravel()

    spent = 0
    times = group.times[known.shape[-1] - 1 :]
    for begin, end in zip(times, times[1:], strict=False):
        solver = LSODA(flat, begin, values[-1].ravel(), end, rtol=rtol, atol=atol)
        while solver.status == "running":
            solver.step()
            if spent + solver.nfev > MOST_EVALUATIONS:
                return None
        if solver.status == "failed" or not np.isfinite(solver.y).all():
            return None
        spent += solver.nfev
        values.append(solver.y.reshape(shape))
    return np.stack(values, axis=-1)
