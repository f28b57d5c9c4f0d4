"""Say which eigenvalues samples cannot tell apart, and undo what these push each other by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.readings import Seen

REACH = 3  # recordings to either side that neighbours are averaged over
NEAR = 3.5  # relative errors of a variance within which eigenvalues push each other apart


def smooth(log_variance: NDArray) -> NDArray:
    """Give ln v (modes, times) averaged over neighbouring recordings; NaN where none was read.

    What is read as one is decided by these: decided by each recording itself, modes would be read
    alone just when chance drives them apart.
    """
    found = np.full_like(log_variance, np.nan)
    for place in range(log_variance.shape[1]):
        reach = min(REACH, place, log_variance.shape[1] - 1 - place)
        around = log_variance[:, place - reach : place + reach + 1]
        some = np.isfinite(around).any(axis=1)
        found[some, place] = np.nanmean(around[some], axis=1)
    return found


def grouped(seen: Seen) -> NDArray:
    """Which group each mode is read in (times, modes), numbered from zero.

    Eigenvalues of N samples push each other apart where they are closer than about 5/√N: only the
    mean of such a group can be read.

    Source: Anderson 1963, Ann. Math. Statist. 34, 122: eigenvalues that are equal.
    """
    groups = np.empty(seen.log_variance.T.shape, int)
    for place, x in enumerate(smooth(seen.log_variance).T):
        order = np.argsort(np.where(np.isnan(x), np.inf, -x))
        apart = np.abs(np.diff(x[order])) > NEAR * np.sqrt(2 / seen.samples[place])
        apart |= np.isnan(np.diff(x[order]))
        groups[place, order] = np.concatenate([[0], np.cumsum(apart)])
    return groups


def repelled(seen: Seen, groups: NDArray) -> NDArray:
    """Give ln v (modes, times) without what eigenvalues of other groups have pushed it.

    E[l_i] ≈ v_i (1 + Σ_j v_j/(v_i − v_j)/N) over all j outside its group.

    Source: Lawley 1956, Biometrika 43, 128; Anderson 1963.
    """
    if not np.isfinite(seen.samples).any():
        return seen.log_variance
    found = seen.log_variance.copy()
    for place, x in enumerate(smooth(seen.log_variance).T):
        v = np.exp(x)
        gaps = v[:, None] - v
        others = groups[place][:, None] != groups[place]
        others &= ~np.isnan(gaps) & (gaps != 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            pushed = np.where(others, v / np.where(others, gaps, 1.0), 0.0).sum(axis=1)
        found[:, place] -= pushed / seen.samples[place]
    return found


def pooled(groups: NDArray, log_variance: NDArray) -> NDArray:
    """Give ln of the mean variance of the group that each mode is read in (modes, times).

    Args:
        groups: Group of each mode (times, modes).
        log_variance: ln v (modes, times); where it is NaN, that of the group's others.
    """
    found = np.full_like(log_variance, np.nan)
    for place, x in enumerate(log_variance.T):
        for group in np.unique(groups[place]):
            inside = (groups[place] == group) & np.isfinite(x)
            if inside.any():
                most = x[inside].max()
                found[inside, place] = most + np.log(np.mean(np.exp(x[inside] - most)))
    return found
