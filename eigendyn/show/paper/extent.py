"""Find where curves cease to move, so that no panel is mostly a flat line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STILL = 0.01  # of a curve's value, by which it may still move
ROOM = 1.4  # of the time until then


def until_still(times: NDArray, *bundles: NDArray, above: float = 0.0) -> float:
    """The time after which nothing that is seen moves any more, with some room.

    Args:
        times: Where the curves are known (times,).
        bundles: Curves (curves, times).
        above: Lower edge of what is seen.

    Returns:
        1.4 times the time at which the last curve comes within 1 % of its end, or leaves the
        picture below; at most the last time.
    """
    curves = np.concatenate([np.maximum(bundle, above) for bundle in bundles])
    end = curves[:, -1:]
    moves = (np.abs(curves - end) > STILL * end).any(axis=0)
    last = times[np.flatnonzero(moves)[-1]] if moves.any() else times[-1]
    return float(min(ROOM * last, times[-1]))
