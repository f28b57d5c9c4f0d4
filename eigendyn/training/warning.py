"""Warn of collapse while training runs, by the growth rates that the theory gives the modes.

Early on nearly all modes may shrink in a run that learns well: the mode of the mean settles, and
takes the others along through the layers that they share. What tells such a run from one that
collapses is each mode's own drive G_m. Where it is upward the mode is recruited in the end; where
it is downward for all but the largest, nothing but a constant can stay.

Source: Halvagal et al. 2023 (arXiv 2212.04858), the growth of modes under each loss.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigendyn.training.foretell import matter, usable

if TYPE_CHECKING:
    from eigendyn.training.measured import Measured

DOUBT = 2.0  # standard errors of a drive that count as none
IN_A_ROW = 3  # measures that must agree before a warning; one of the start does not count
LOST = 0.01  # share of what it was at the start at which a variance counts as lost

HALVINGS = 30  # of the time in which that time is looked for


def own_growth(now: Measured, weight_decay: float, doubt: float = 0.0) -> NDArray:
    """Growth rates d ln v_m/dt by each mode's own drive (modes,), 2 κ G_m/v_m − 2 ω L_m.

    What other modes do to this one through layers that they share is left out, since it ends with
    them.

    Args:
        now: The network, with gains κ_m of its tangent kernel; where one is not above zero, the
            median of the others is taken.
        weight_decay: ω.
        doubt: Standard errors that are added to the drive.
    """
    gain = usable(np.asarray(now.gain))
    drive = np.asarray(now.drive) + doubt * np.asarray(now.drive_error)
    variance = np.asarray(now.variance)
    variance = np.where(variance > 0, variance, np.nan)
    return 2 * gain * drive / variance - 2 * weight_decay * np.asarray(now.layers)


def collapse_warning(
    history: Sequence[Measured], time_per_epoch: float, weight_decay: float
) -> str | None:
    """Say what collapses, and in how many epochs, or None.

    There is a warning where the last `IN_A_ROW` measures agree that every mode that is told from
    none, but the largest, shrinks by its own drive, beyond doubt. The epochs are those until
    `LOST` of them is left, at the growth rates of the last measure.

    Args:
        history: What was measured so far, first that of the untrained network.
        time_per_epoch: η × steps of an epoch/(1 − momentum).
        weight_decay: ω.
    """
    if len(history) <= IN_A_ROW:
        return None
    latest, now = history[-IN_A_ROW:], history[-1]
    if not all(_shrinks(one, weight_decay) for one in latest):
        return None
    every = all(own_growth(one, weight_decay, DOUBT)[0] < 0 for one in latest)
    what = "every mode" if every else "every mode but the largest"
    epochs = _time_left(history[0], now, weight_decay) / time_per_epoch
    lost = f"{100 * LOST:g} % of what varied at the start"
    when = f"{lost} will be left in {math.ceil(epochs)} epochs"
    if epochs <= 0:
        when = f"less than {lost} is left"
    return f"The representation collapses: by the theory {what} shrinks; {when}."


def _shrinks(now: Measured, weight_decay: float) -> bool:
    return bool((own_growth(now, weight_decay, DOUBT)[1 : max(2, matter(now))] < 0).all())


def _time_left(first: Measured, now: Measured, weight_decay: float) -> float:
    """Time until the modes but the largest have a hundredth of the share that they began with.

    Shares are of the largest variance, where it has grown since the start.
    """
    began, v = (np.asarray(one.variance) for one in (first, now))
    wanted = LOST * began[1:].clip(0).sum() * max(1.0, v[0] / began[0])
    shrinking = slice(1, max(2, matter(now)))
    rates = own_growth(now, weight_decay)[shrinking]

    def remains(time: float) -> bool:
        return bool(np.sum(v[shrinking] * np.exp(rates * time)) > wanted)

    if not remains(0.0):
        return 0.0
    early, late = 0.0, 1.0
    while remains(late):
        early, late = late, 2 * late
    for _ in range(HALVINGS):
        middle = (early + late) / 2
        early, late = (middle, late) if remains(middle) else (early, middle)
    return late
