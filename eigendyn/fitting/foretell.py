"""Foretell the rest of a training from what was fitted to its beginning, with a band.

The band has the numbers' own uncertainty, the noise of batches on the way, and the error of one
recording. So has the interval in which a mode comes: it is when recordings will show it, by the
same rule as for the record itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.arrivals import arrivals, interval
from eigendyn.fitting.drawn import drawn
from eigendyn.fitting.known import Known, unread
from eigendyn.fitting.micro_steps import counts, idle_steps
from eigendyn.fitting.numbers import READING
from eigendyn.fitting.readings import Seen
from eigendyn.fitting.sampled import sampled
from eigendyn.fitting.search import FINEST, Found

BAND = (0.025, 0.975)
LOST = 0.05  # of the largest variance, below which a mode that falls is lost
ALIKE = 0.01  # of ln v, by which finer micro-steps may change a forecast
MOVES = 0.02  # change of ln v over the last tenth, from which on a mode still moves


@dataclass(frozen=True)
class Foretold:
    """The rest of a training.

    Args:
        time: When (times,).
        variance: By the likeliest numbers, without noise (modes, times).
        lower: 2.5 % quantile of what will be recorded (modes, times).
        upper: 97.5 % quantile (modes, times).
        comes: When each mode passes half of its last variance (modes,); NaN if not ahead.
        comes_interval: 95 % interval of when recordings will show that (modes, 2).
        fate: What becomes of each mode (modes,).
    """

    time: NDArray
    variance: NDArray
    lower: NDArray
    upper: NDArray
    comes: NDArray
    comes_interval: NDArray
    fate: NDArray


def foretell(found: Found, seen: Seen, time: NDArray, seed: int = 0) -> Foretold:
    """Follow the fitted theory on from the last recording that was fitted.

    Args:
        found: The fit.
        seen: What was fitted.
        time: Increasing times ahead (times,).
        seed: Of what is drawn.
    """
    likelihood, rng = found.likelihood, np.random.default_rng(seed)
    places = drawn(found, rng)
    last = likelihood.filtered(places).known
    logs, start = _started(last, likelihood.numbers_of_modes, rng)
    bounds = np.concatenate([seen.time[-1:], time])
    taken_by = _micro_steps(found, seen, bounds, logs[:1], start[:1])
    x = _ahead(found, seen, bounds, taken_by, (places, logs, start), rng)
    error = np.exp(places[:, READING])[:, None] * np.nanmedian(seen.error, axis=1)
    read = sampled(x, error, bool(np.isfinite(seen.samples).any()), rng)
    with np.errstate(all="ignore"):
        lower, upper = np.exp(np.nanquantile(read, BAND, axis=0, method="weibull"))
    lower, upper = np.minimum(lower, np.exp(x[0])), np.maximum(upper, np.exp(x[0]))
    whole = np.concatenate([start[0, :, None], x[0]], axis=1)
    comes = arrivals(bounds, whole)
    now = np.where(np.isfinite(seen.log_variance[:, -1]), seen.log_variance[:, -1], start)
    shown = arrivals(bounds, np.concatenate([now[..., None], read], axis=2)[1:])
    return Foretold(
        time=time,
        variance=np.exp(x[0]),
        lower=lower,
        upper=upper,
        comes=comes,
        comes_interval=interval(shown, BAND),
        fate=_fates(whole, comes),
    )


def _micro_steps(
    found: Found, seen: Seen, bounds: NDArray, logs: NDArray, start: NDArray
) -> NDArray:
    """How many micro-steps each time ahead is cut into (times,): twice as many change little."""
    best, before = found.optimum.place[None], None
    finer = 1
    while True:
        taken_by = counts(2 * seen.rate * np.diff(bounds), finer)
        x = _ahead(found, seen, bounds, taken_by, (best, logs, start))
        if finer >= FINEST or (before is not None and not np.abs(x - before).max() > ALIKE):
            return taken_by
        before, finer = x, 2 * finer


def _ahead(
    found: Found,
    seen: Seen,
    bounds: NDArray,
    taken_by: NDArray,
    lanes: tuple[NDArray, NDArray, NDArray],
    rng: np.random.Generator | None = None,
) -> NDArray:
    """Give ln v ahead (lanes, modes, times).

    Args:
        found: The fit.
        seen: What was fitted.
        bounds: The time now, and times ahead (1 + times,).
        taken_by: Micro-steps between them (times,).
        lanes: Coordinates, numbers per mode and ln v to start from.
        rng: Draws the noise of batches, of which the first lane has none; None draws none.
    """
    places, logs, start = lanes
    taken = np.repeat(np.diff(bounds) / taken_by, taken_by)
    dt = np.pad(taken, (0, idle_steps(len(taken))))
    noise = np.zeros((len(places), len(dt), seen.modes))
    if rng is not None:
        noise[1:] = rng.normal(size=noise.shape)[1:]
    steps = unread(dt, seen.eta[-1], found.candidate.seconds(seen)[..., -1])
    every = found.likelihood.foretold(steps, places, logs, start, noise)
    return np.moveaxis(every[:, np.cumsum(taken_by) - 1], 1, 2)


def _started(last: Known, around: NDArray, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Numbers per mode (lanes, modal numbers, modes) and ln v (lanes, modes) to go on from.

    The first lane has the likeliest ones; others are drawn together from what is known of them.
    """
    shift = np.array(last.shift)
    if shift.shape[1]:
        roots = np.linalg.cholesky(np.moveaxis(last.doubt, 3, 1) + 1e-12 * np.eye(len(around)))
        shift[1:] += np.einsum("bmkl,blm->bkm", roots, rng.normal(size=shift.shape))[1:]
    start = last.mean + (last.response * shift).sum(axis=1)
    scattered = _scattered(np.asarray(last.scatter), rng.normal(size=start.shape))
    scattered[0] = 0
    return around + shift, start + scattered


def _scattered(scatter: NDArray, drawn: NDArray) -> NDArray:
    """Standard normal numbers (lanes, modes) of these variances, or of this covariance."""
    if scatter.ndim == 2:
        return np.sqrt(np.maximum(scatter, 0)) * drawn
    values, vectors = np.linalg.eigh(scatter)
    return np.einsum("lij,lj->li", vectors * np.sqrt(np.maximum(values, 0))[:, None], drawn)


def _fates(x: NDArray, comes: NDArray) -> NDArray:
    """What becomes of every mode, of ln v (modes, times)."""
    largest = x[:, -1].max()
    tenth = max(1, x.shape[1] // 10)
    rises = x[:, -1] - x[:, -1 - tenth] > MOVES
    falls = x[:, -1] - x[:, 0] < -MOVES
    small = x[:, -1] < largest + np.log(LOST)
    comes = np.isfinite(comes)
    words = ("not foretold", "grows", "comes", "is lost", "stays small", "has come")
    cases = [~np.isfinite(x[:, -1]), rises & small, comes, small & falls, small]
    return np.select(cases, words[:-1], words[-1])
