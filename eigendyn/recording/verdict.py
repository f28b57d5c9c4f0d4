"""Judge a recorded spectrum: recruitment, collapse, frozen, oscillating, noise-free views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eigendyn.recording import reasons, signs
from eigendyn.recording.seen import Seen, seen
from eigendyn.recording.trend import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray

AMONG, AGREE = 3, 2  # of so many recordings, the last one among them, so many must agree
FEWEST = WINDOWS[0] + AGREE - 1  # recordings that a verdict needs
FEWEST_SAMPLES = 2  # for each mode: with fewer, eigenvalues are those of the samples


@dataclass(frozen=True)
class Check:
    """What a record says of a training at its last recording.

    Args:
        verdict: One word of the verdicts, a name in `VERDICTS`.
        why: The numbers that it rests on, in a sentence.
        since: Training step from which on it holds.
    """

    verdict: str
    why: str
    since: float

    @property
    def healthy(self) -> bool | None:
        """Whether the training is all right; None where that is not judged."""
        return VERDICTS[self.verdict].healthy

    @property
    def words(self) -> str:
        """The verdict in a sentence."""
        return VERDICTS[self.verdict].words


class Verdict(NamedTuple):
    """One row of the table of verdicts.

    Args:
        words: What it says, in a sentence.
        healthy: Whether such a training is all right; None where that is not known.
        holds: At which recordings its signs are seen; None of those that are told otherwise.
        why: The numbers at the last recording, in a sentence.
    """

    words: str
    healthy: bool | None
    holds: Callable[[Seen], NDArray] | None = None
    why: Callable[[Seen], str] | None = None


# Of several that hold the first is told.
VERDICTS: Mapping[str, Verdict] = MappingProxyType(
    {
        "diverged": Verdict("The variances are no numbers any more.", False),
        "not judged": Verdict("There are too few samples for so many dimensions.", None),
        "constant output": Verdict(
            "Every input has the same representation; a loss of −1, or of 0, says nothing else.",
            False,
            signs.constant,
            reasons.constant,
        ),
        "oscillating": Verdict(
            "The spectrum swings and does not settle.",
            False,
            signs.oscillating,
            reasons.oscillating,
        ),
        "collapse": Verdict(
            "The representation collapses: most of what varied is lost for good.",
            False,
            signs.collapse,
            reasons.collapse,
        ),
        "losing modes": Verdict(
            "Some modes die while others live: the representation loses dimensions.",
            False,
            signs.losing_modes,
            reasons.losing_modes,
        ),
        "noise-free views": Verdict(
            "Both views have the same representation, so that there is nothing to become "
            "invariant to.",
            False,
            signs.same_views,
            reasons.same_views,
        ),
        "stopped": Verdict(
            "The learning rate has gone to zero, and with it all motion.",
            True,
            signs.stopped,
            reasons.stopped,
        ),
        "frozen": Verdict(
            "Nothing has moved since the first recording.", False, signs.frozen, reasons.frozen
        ),
        "recruitment": Verdict(
            "Modes are recruited: the spectrum fills, and a loss that rises with it is healthy.",
            True,
            signs.recruiting,
            reasons.recruiting,
        ),
        "settled": Verdict(
            "All modes that matter have come to rest.", True, signs.settled, reasons.settled
        ),
        "learning": Verdict(
            "The spectrum moves, and no mode that matters is being lost.",
            True,
            signs.always,
            reasons.moving,
        ),
    }
)


def judge(record: xarray.Dataset) -> Check | None:
    """Judge a record by its last recordings.

    Rates are those of parabolas through ln v over the last recordings, of windows of `WINDOWS`
    recordings; a verdict is told where `AGREE` of the last `AMONG` agree on it, the last one too.

    Args:
        record: A record.

    Returns:
        The verdict; None while there are fewer than `FEWEST` recordings, or they do not agree.
    """
    variance, steps = record["variance"].values, record["step"].values
    modes = len(variance)
    finite = np.asarray(np.isfinite(variance).all(axis=0))
    if len(steps) and not finite[-1]:
        since = float(steps[len(finite) - len(list(takewhile(lambda ok: not ok, finite[::-1])))])
        return Check("diverged", "The last variances are infinite or no numbers.", since)
    if finite.sum() < FEWEST:
        return None
    found = seen(record.isel(time=np.flatnonzero(finite)))
    if found.samples < FEWEST_SAMPLES:
        why = (
            f"Moments were taken of {found.samples * modes:.0f} samples for {modes} modes, which "
            f"pushes eigenvalues apart. Record at least {FEWEST_SAMPLES * modes}, over batches."
        )
        return Check("not judged", why, float(steps[0]))
    told = _told(found)
    name = told[-1]
    why = VERDICTS[name].why if name else None
    if why is None:
        return None
    same = len(list(takewhile(lambda one: one == name, told[::-1])))
    first = max(0, len(told) - same - AGREE + 1)
    said = why(found) if name == "constant output" else why(found) + reasons.mean(found)
    return Check(name, said, float(found.steps[first]))


def verdicts(record: xarray.Dataset) -> list[str]:
    """The verdict at every recording (times,), empty where there is none yet.

    Each is that of `judge`, but for the scatter of recordings, which is that of all of them.
    """
    finite = np.asarray(np.isfinite(record["variance"].values).all(axis=0))
    usable = np.flatnonzero(finite)
    told = ["" if one else "diverged" for one in finite]
    if len(usable) < FEWEST:
        return told
    found = seen(record.isel(time=usable))
    if found.samples < FEWEST_SAMPLES:
        return ["not judged"] * len(told)
    starts = np.searchsorted(found.steps, record["step"].values[usable], side="right") - 1
    every = _told(found)
    for place, group in zip(usable, starts, strict=True):
        told[place] = every[group]
    return told


def _told(of: Seen) -> list[str]:
    """The first verdict on which recordings agree, at every one (times,)."""
    told = [""] * len(of.times)
    for name, row in VERDICTS.items():
        if row.holds is None:
            continue
        holds = row.holds(of)
        several = sum(np.pad(holds, (back, 0))[: len(holds)].astype(int) for back in range(AMONG))
        agree = holds & (several >= AGREE)
        told = [one or (name if now else "") for one, now in zip(told, agree, strict=True)]
    return told
