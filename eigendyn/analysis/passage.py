"""The dynamics of one variance enter; the time that it takes between two values leaves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from eigendyn.analysis.newton import Dynamics, check_parameters
from eigendyn.checks import POSITIVE, check_real
from eigendyn.errors import InvalidSetting

POINTS = 2_000  # of a grid in ln v, on which the slowest places are looked for
PIECES = 500  # of the adaptive quadrature at most


@dataclass(frozen=True)
class Passage:
    """How long a variance takes from one value to another.

    Args:
        time: The time [learning rate × step]; infinite if it never gets there.
        error: The quadrature's estimate of its error.
        slowest: The variance at which it moves most slowly, relative to its size.
    """

    time: float
    error: float
    slowest: float


def passage_time(
    system: Dynamics, first: float, last: float, *, rtol: float = 1e-10, **parameters: float
) -> Passage:
    r"""Time that the variance of a single mode takes from one value to another.

    t = ∫ d(ln v)/r(v) with the growth rate r = (1/v) dv/dt, by adaptive quadrature that is split
    where |r| is least: beside a ghost, where two fixed points have just merged, all of the time
    passes within a narrow stretch. Without stop-gradient, the ghost at v = 1 takes π/(2σ₂) as
    σ₂ → 0.

    Args:
        system: A system of one coordinate, a singular value, as `dynamical_system(loss, 1)`.
        first: Variance at the beginning, above zero.
        last: Variance at the end, above zero, and above or below the first.
        rtol: Relative error of the quadrature.
        parameters: Numbers by name, in the place of the system's own.

    Returns:
        The time. It is infinite if the mode moves the other way or comes to rest in between.

    Raises:
        UnknownName: A parameter that the system does not have.
        InvalidSetting: More than one coordinate, or variances that are not positive.

    Source: Strogatz, Nonlinear Dynamics and Chaos, section 4.3, for the passage through a ghost.
    """
    check_parameters(system, parameters)
    if len(system.names) != 1:
        message = (
            "A passage time needs the dynamics of one coordinate, and these have "
            f"{', '.join(system.names)}. Try dynamical_system(loss, 1)."
        )
        raise InvalidSetting(message)
    ends = (check_real("first", first, POSITIVE), check_real("last", last, POSITIVE))
    low, high = np.log(min(ends)), np.log(max(ends))
    if low == high:
        return Passage(0.0, 0.0, ends[0])
    side = 1.0 if ends[1] > ends[0] else -1.0
    numbers = {**system.parameters, **parameters}

    def growth(logarithms: NDArray) -> NDArray:
        return side * np.asarray(_growth(system, jnp.atleast_1d(logarithms), numbers))

    def slowness(logarithm: float) -> float:
        return 1 / float(growth(np.array(logarithm))[0])

    places = _slowest(growth, low, high)
    least = [float(growth(np.array(place))[0]) for place in places]
    slowest = places[int(np.argmin(least))]
    if not min(least) > 0:
        return Passage(math.inf, 0.0, float(np.exp(slowest)))
    borders = [low, *(place for place in places if low < place < high), high]
    parts = [
        quad(slowness, start, stop, epsabs=0.0, epsrel=rtol, limit=PIECES, full_output=1)[:2]
        for start, stop in pairwise(borders)
    ]  # full output instead of warnings: where round-off limits it, the error says so
    time, error = (float(sum(part[k] for part in parts)) for k in (0, 1))
    return Passage(time, error, float(np.exp(slowest)))


def _slowest(growth: Callable[[NDArray], NDArray], low: float, high: float) -> list[float]:
    """Where growth is least, in ln v: every local minimum, the ends included, in order."""
    grid = np.linspace(low, high, POINTS)
    rates = growth(grid)
    inner = 1 + np.flatnonzero((rates[1:-1] <= rates[:-2]) & (rates[1:-1] <= rates[2:]))
    found = [
        minimize_scalar(
            lambda at: float(growth(np.array(at))[0]),
            bounds=(grid[i - 1], grid[i + 1]),
            method="bounded",
            options={"xatol": 1e-12},
        ).x
        for i in inner
    ]
    return [float(low), *map(float, found), float(high)]


@jax.jit
def _growth(system, logarithms, parameters):
    def of(logarithm):
        s = jnp.exp(logarithm / 2)
        return 2 * system(s[None], **parameters)[0] / s

    return jax.vmap(of)(logarithms)
