"""Fit one loss: search, foretell, and find intervals, which may lead to a likelier optimum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.candidate import Candidate
from eigendyn.fitting.foretell import foretell
from eigendyn.fitting.intervals import intervals
from eigendyn.fitting.modal import numbers_of_modes
from eigendyn.fitting.numbers import SPREADS, to_values
from eigendyn.fitting.quantities import Quantities
from eigendyn.fitting.readings import Seen
from eigendyn.fitting.result import Fitted
from eigendyn.fitting.search import Found, search_on

TURNS = 3  # searches for an optimum, while profiles lead past likelier numbers
TINIEST = float(np.finfo(float).tiny)  # variance, of modes that are foretold to have died


@dataclass(frozen=True)
class Task:
    """What is fitted, and what a forecast is judged by.

    Args:
        part: What is fitted.
        ahead: Times to foretell (times,).
        judged: How many recordings are not fitted.
        error: Of ln v foretold at these (modes, times).
        seed: Of what is drawn.
    """

    part: Seen
    ahead: NDArray
    judged: int
    error: Callable[[NDArray], float]
    seed: int

    def foretold(self, best: Found) -> Fitted:
        """Foretell by what a search has found; its intervals are not known yet."""
        rest = foretell(best, self.part, self.ahead, self.seed)
        variance = np.maximum(rest.variance[:, : self.judged], TINIEST)
        quantities = Quantities.of(best)
        return Fitted(
            found=best,
            values=_values(best.candidate, best.optimum.place),
            of_modes=numbers_of_modes(best, self.part, self.seed),
            is_told=quantities.is_told,
            at_bound=quantities.at_bound,
            **quantities.within(best, np.full((len(quantities.all), 2), np.nan)),
            rest=rest,
            error=self.error(np.log(variance)) if self.judged else float("nan"),
        )

    def bounded(self, fit: Fitted) -> Fitted:
        """The same with intervals; from a likelier optimum where profiles lead past one."""
        best, turn = fit.found, 1
        while True:
            quantities, free = Quantities.of(best), best.candidate.free
            ends, likelier = intervals(best.likelihood, best.optimum, quantities.all, free)
            if likelier is None or turn == TURNS:
                break
            turn += 1
            best = search_on(best, likelier, self.part)
            if not best.is_followed:
                return self.foretold(best)
        if likelier is not None:  # there are likelier numbers than these
            best = replace(best, optimum=replace(best.optimum, converged=False))
        found = fit if best is fit.found else self.foretold(best)
        return replace(found, **quantities.within(best, ends), is_bounded=True)


def _values(one: Candidate, place: NDArray) -> NDArray:
    """The numbers; no spread of those that modes share, nor noise where it is that of each mode."""
    shared = [spread for row, spread in SPREADS.items() if row not in one.modal]
    found = to_values(place)
    found[shared], found[list(one.recorded)] = 0.0, np.nan
    return found
