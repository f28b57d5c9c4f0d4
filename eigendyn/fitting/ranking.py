"""Rank losses by what they foretell, and find intervals of those that are not far behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from eigendyn.fitting.candidate import Candidate
from eigendyn.fitting.one_loss import Task
from eigendyn.fitting.persistence import RIGHT
from eigendyn.fitting.readings import Seen
from eigendyn.fitting.result import Fitted
from eigendyn.fitting.search import Found, completed, search

ALIKE = 1.5  # times the least error of a forecast, up to which others are as good
HOPELESS = 60.0  # in ln likelihood behind the best, beyond which a search is not gone on with
BEHIND = 20.0  # in ln likelihood, beyond which a loss gets no intervals unless it foretells best


def all_fitted(candidates: Sequence[Candidate], task: Task) -> list[Fitted]:
    """Fit losses, the best first, with intervals of all that are not far less likely."""
    fits = ranked([task.foretold(found) for found in _searched(candidates, task.part)])
    while True:
        values = [fit.found.optimum.local.value for fit in fits]
        least = min(
            (value for value, fit in zip(values, fits, strict=True) if fit.found.is_followed),
            default=np.inf,
        )
        waiting = [
            row
            for row, fit in enumerate(fits)
            if fit.found.is_followed  # else profiles would tell of the micro-steps
            and not fit.is_bounded
            and (row == 0 or values[row] < least + BEHIND)
        ]
        if not waiting:
            return fits
        for row in waiting:
            fits[row] = task.bounded(fits[row])
        fits = ranked(fits)


def _searched(candidates: Sequence[Candidate], part: Seen) -> list[Found]:
    """Search, the likeliest loss first, and stop early with losses that are `HOPELESS`.

    Under a wrong loss modes are fast, and need many micro-steps. Likelihoods are compared with
    those that micro-steps no longer change, since a coarse one may be far too large.
    """
    found, least = [], np.inf
    rough = [search(one, part) for one in candidates]
    for one in sorted(rough, key=lambda one: one.optimum.local.value):
        if one.candidate.modal or one.optimum.local.value < least + HOPELESS:
            done = completed(one, part)
            if done.optimum.converged:
                least = min(least, float(done.optimum.local.value))
        else:
            unsure = replace(one.optimum, converged=False)
            done = replace(one, optimum=unsure, is_followed=False)
        found.append(done)
    return found


def ranked(fits: Sequence[Fitted]) -> list[Fitted]:
    """Best first: by the error of the forecast, or by the likelihood where errors are alike.

    What is not fitted has noise of its own, so that errors within `ALIKE` of the least say nothing
    of which theory is right, nor do those below `RIGHT`; nor are there any if all was fitted.
    """
    least = min((one.error for one in fits if one.found.optimum.converged), default=np.nan)

    def key(one: Fitted) -> tuple[bool, float, float]:
        optimum, free = one.found.optimum, one.found.candidate.free
        is_alike = not one.error > max(ALIKE * least, RIGHT)
        return (
            not optimum.converged,
            0.0 if is_alike else one.error,
            float(optimum.local.value + free.sum()),
        )

    return sorted(fits, key=key)
