"""Follow equations by explicit steps, and measure errors in tolerances of the default."""

from itertools import pairwise

import numpy as np
from scipy.integrate import DOP853

ALLOWED = 10  # tolerances


def tolerances(found, right):
    """Largest error in tolerances of the default; what has sunk counts absolutely."""
    return np.max(np.abs(found - right) / (1e-12 + 1e-10 * np.abs(right)))


def stepped(slope, start, times, rtol):
    """States (numbers, times) by steps of order 8 that end at every time."""
    found = [np.asarray(start)]
    for begin, end in pairwise(times):
        solver = DOP853(slope, begin, found[-1], end, rtol=rtol, atol=1e-30)
        while solver.status == "running":
            solver.step()
        assert solver.status == "finished"
        found.append(solver.y)
    return np.stack(found, axis=1)
