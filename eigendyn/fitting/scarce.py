"""Say where a record tells too little of a theory: nothing moves, or all that moves is one jump."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.numbers import DECAY, NUMBERS, TIME_SCALE

if TYPE_CHECKING:
    from eigendyn.fitting.readings import Seen
    from eigendyn.fitting.search import Found


def one_jump(best: Found, part: Seen) -> str:
    """Say in a sentence where all that moves is one jump; empty where it is not.

    Args:
        best: What the search has found under the best loss.
        part: What was fitted.
    """
    jump = best.persistence.jump
    if not best.optimum.converged or not jump:
        return ""
    read = np.flatnonzero(np.isfinite(part.log_variance[:, 1:]).any(axis=0)) + 1
    begin, end = part.time[[0, *read]][[-jump - 1, -jump]]  # errors are counted from the first on
    return (
        f"The record tells too little: most of what {best.candidate.title} misses is one jump "
        f"between the times {begin:.4g} and {end:.4g}, and a jump tells nothing of a flow. Fit "
        "what comes after it, or record more often."
    )


def untold(is_told: NDArray, combinations: Sequence[str], part: Seen) -> str:
    """Say in a sentence where a record tells nothing of how fast modes move; empty where it does.

    Args:
        is_told: Which numbers are told by themselves (numbers,).
        combinations: Names of what is told of the others.
        part: What was fitted.
    """
    signs = [NUMBERS[row].sign for row in (TIME_SCALE, DECAY)]
    together = any(sign in name for name in combinations for sign in signs)
    if together or is_told[[TIME_SCALE, DECAY]].any():
        return ""
    moved = np.nanmax(part.log_variance, axis=1) - np.nanmin(part.log_variance, axis=1)
    return (
        f"The record tells too little: neither {' nor '.join(signs)}, alone or together with other "
        f"numbers, from modes of which ln v changes by {moved.max():.2g} at most. Fit more of it, "
        "or a record in which modes move more."
    )
