"""Reduce trajectories, while they are followed, to the few numbers that a sweep keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.results.arrivals import squared
from eigendyn.results.outcome_words import OUTCOMES, UNKNOWN
from eigendyn.results.outcomes import SWING, outcome_numbers
from eigendyn.results.trajectory import BATCH_STATUSES, COMPLETED, Batch, Numbers
from eigendyn.settings.choices import check_choice
from eigendyn.simulation.engine import recruited_at
from eigendyn.simulation.engines.task import ManyRuns
from eigendyn.simulation.measures import ranks

NOT_RUN = -1  # of a whole number, where nothing was followed yet


@dataclass(frozen=True)
class Found:
    """What an engine has found of some trajectories.

    Args:
        batch: Their states, at the end alone or all along their way.
        run: What the engine did.
        parameters: By name, a number, or one for each trajectory (trajectories,).
    """

    batch: Batch
    run: ManyRuns
    parameters: Numbers

    @property
    def variance(self) -> NDArray:
        """Variance (trajectories, modes, times)."""
        return squared(self.batch.values[:, 0])

    @cached_property
    def outcome(self) -> NDArray:
        """Positions in `OUTCOMES` (trajectories, modes)."""
        times = self.batch.times
        seen = times >= SWING * times[-1]  # all that outcomes are told by
        seen[0] = True
        with np.errstate(all="ignore"):  # of what was not completed nothing is known
            variance = squared(self.batch.values[:, 0][..., seen])
            numbers = outcome_numbers(times[seen], variance, self.run.system.scale_free)
        failed = self.batch.status != COMPLETED
        return np.where(failed[:, None], np.int8(list(OUTCOMES).index(UNKNOWN)), numbers)


@dataclass(frozen=True)
class Kept:
    """One variable of a sweep.

    Args:
        keep: What asks for it.
        label: What it is, in words.
        units: Its unit.
        per_mode: Whether every mode has its own.
        dtype: Kind of its numbers; None is that of the states.
        of: Takes what was found; gives the variable (trajectories, modes) or (trajectories,).
        takes_way: Whether it needs the whole way, not the end alone.
        words: What its numbers stand for, from 0 on; none where they are numbers.
    """

    keep: str
    label: str
    units: str
    per_mode: bool
    dtype: str | None
    of: Callable[[Found], NDArray]
    takes_way: bool = True
    words: tuple[str, ...] = ()

    @property
    def attributes(self) -> dict[str, Any]:
        """What says so in a dataset, in the words of the CF conventions."""
        said: dict[str, Any] = {"long_name": self.label}
        if not self.words:
            return said | {"units": self.units}
        flags = ["not-run", *(word.replace(" ", "-") for word in self.words)]
        values = list(range(NOT_RUN, len(self.words)))
        return said | {"flag_values": values, "flag_meanings": " ".join(flags)}


def _recruited(found: Found) -> NDArray:
    return (found.outcome == list(OUTCOMES).index("recruited")).sum(axis=1)


def _rank(found: Found) -> NDArray:
    with np.errstate(all="ignore"):
        return ranks(found.batch.values[:, 0, :, -1].T.astype(float))[0]


ROWS: Mapping[str, Kept] = MappingProxyType(
    {
        "final_variance": Kept(
            *("final", "variance of the mode at the end", "variance", True, None),
            of=lambda found: squared(found.batch.values[:, 0, :, -1]),
            takes_way=False,
        ),
        "recruitment": Kept(
            *("recruitment", "first time within 5 % of the end value", "learning rate × step"),
            *(True, "float64"),
            of=lambda found: recruited_at(found.batch, found.run, found.parameters),
        ),
        "outcome": Kept(
            *("outcome", "what became of the mode", "", True, "int8"),
            of=lambda found: found.outcome,
            words=tuple(OUTCOMES),
        ),
        "recruited": Kept(
            *("recruited", "number of modes that were recruited", "1", False, "int32"),
            of=_recruited,
        ),
        "effective_rank": Kept(
            *("rank", "effective rank of the variances at the end, exp(−Σ q ln q)", "1"),
            *(False, "float64"),
            of=_rank,
            takes_way=False,
        ),
        "smallest_variance": Kept(
            *("extrema", "smallest variance of the mode on its way", "variance", True, None),
            of=lambda found: found.variance.min(axis=-1),
        ),
        "largest_variance": Kept(
            *("extrema", "largest variance of the mode on its way", "variance", True, None),
            of=lambda found: found.variance.max(axis=-1),
        ),
        "status": Kept(
            *("", "how the trajectory ended", "", False, "int8"),
            of=lambda found: found.batch.status,
            takes_way=False,
            words=BATCH_STATUSES,
        ),
    }
)
KEEPS = tuple(dict.fromkeys(row.keep for row in ROWS.values() if row.keep))
USUAL = ("final", "recruitment", "outcome", "recruited", "rank")  # is kept where nothing is said


def rows_of(keep: tuple[str, ...]) -> dict[str, Kept]:
    """Variables of a sweep, and how each trajectory ended.

    Raises:
        UnknownName: One of them cannot be kept.
    """
    for one in keep:
        check_choice("keep", one, KEEPS)
    return {name: row for name, row in ROWS.items() if row.keep in (*keep, "")}


def reduced(found: Found, rows: Mapping[str, Kept]) -> dict[str, NDArray]:
    """Every variable (trajectories, modes) or (trajectories,), by name."""
    kind = found.batch.values.dtype
    return {name: row.of(found).astype(row.dtype or kind) for name, row in rows.items()}
