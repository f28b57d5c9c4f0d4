"""Integrate how long a variance takes from one value to another, through ghosts too."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
from mpmath import mpf
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad
from scipy.optimize import brentq

from eigendyn.analysis.fixed_points.newton import Dynamics, all_numbers, check_parameters
from eigendyn.analysis.system import DynamicalSystem
from eigendyn.errors import InvalidSetting, NotDecoupled
from eigendyn.settings.checks import POSITIVE, check_real
from eigendyn.simulation.engines.shifted.growth_rate import growth
from eigendyn.simulation.engines.shifted.power_sum import DIGITS, growth_powers

POINTS = 2_000  # of a grid in ln v, on which the slowest places are looked for
PIECES = 500  # of the adaptive quadrature at most
SAME = mpf(10) ** -40  # distance in ln v at which an end is a fixed point
TINY = 1e-30  # distance in ln v below which no ghost is resolved
HALVINGS = 60  # of the logarithm of a distance
ROUND_OFF = 4 * np.finfo(float).eps  # of rates, in the largest of rates and slopes nearby
AROUND = 1.0  # how far beyond both ends, in ln v, these are looked at


@dataclass(frozen=True)
class Passage:
    """How long a variance takes from one value to another.

    Args:
        time: The time [learning rate × step]; infinite if it never gets there.
        error: How far the time may be off; infinite if the slowest rate is smaller than its own
            round-off, so that it may never get there.
        slowest: The variance at which it moves most slowly, relative to its size.
    """

    time: float
    error: float
    slowest: float


@dataclass(frozen=True)
class _Place:
    """A place from which rates are looked at: one where they are least, or an end.

    Args:
        at: Where, in ln v.
        rate: Growth rate towards the end, at a distance from there.
        noise: Round-off of that rate.
    """

    at: mpf
    rate: Callable[[float], float]
    noise: float


def passage_time(
    system: Dynamics, first: float, last: float, *, rtol: float = 1e-10, **parameters: float
) -> Passage:
    r"""Time that the variance of a single mode takes from one value to another.

    t = ∫ dx/r(x) over x = ln v, with the growth rate r = (1/v) dv/dt. Beside a ghost, where two
    fixed points have just merged, all of the time passes within a stretch of the width w over which
    r doubles. There x = x* + w sinh u: the integrand w cosh(u)/r is smooth however narrow the ghost
    is. Where the growth rate is a sum of powers of v, x* and r beside it are known to 50 digits;
    else r has round-off, and what that can do to the time belongs to the error.
    Without stop-gradient, the ghost at v = 1 takes π/(2σ₂) as σ₂ → 0.

    Args:
        system: A system of one coordinate, a singular value, as `dynamical_system(loss, 1)`.
        first: Variance at the beginning, above zero.
        last: Variance at the end, above zero, and above or below the first.
        rtol: Relative error of the quadrature.
        parameters: Numbers by name, in the place of the system's own.

    Returns:
        The time. It is infinite if the mode moves the other way, or a fixed point lies in between.

    Raises:
        UnknownName: A parameter that the system does not have.
        InvalidSetting: More than one coordinate, or variances that are not positive.

    Source: Strogatz, Nonlinear Dynamics and Chaos, section 4.3, for the passage through a ghost.

    Examples:
        >>> system = eigendyn.dynamical_system("euclidean", 1, sigma1=0)
        >>> round(eigendyn.analysis.passage_time(system, 0.1, 0.9).time, 4)
        6.6417
    """
    check_parameters(system, parameters, passage_time)
    if len(system.names) != 1:
        message = (
            "A passage time needs the dynamics of one coordinate, and these have "
            f"{', '.join(system.names)}. Try dynamical_system(loss, 1)."
        )
        raise InvalidSetting(message)
    ends = (check_real("first", first, POSITIVE), check_real("last", last, POSITIVE))
    if ends[0] == ends[1]:
        return Passage(0.0, 0.0, ends[0])
    between = (min(ends), max(ends))
    side = 1.0 if ends[1] > ends[0] else -1.0
    numbers = all_numbers(system, parameters)
    places = _in_powers(system, numbers, between, side) or _in_floats(
        system, numbers, between, side
    )
    least = min(places, key=lambda place: place.rate(0.0))
    slowest = math.exp(float(least.at))
    if least.rate(0.0) <= 2 * least.noise:
        stops = least.rate(0.0) < -least.noise or least.noise == 0
        return Passage(math.inf, 0.0 if stops else math.inf, slowest)
    with mpmath.workdps(DIGITS):
        halves = [
            (place, float((other.at - place.at) / 2))
            for neighbours in pairwise(places)
            for place, other in (neighbours, neighbours[::-1])
        ]
    parts = [_half(place, reach, rtol) for place, reach in halves]
    time, error = (float(sum(part[k] for part in parts)) for k in (0, 1))
    return Passage(time, error, slowest)


def _half(place: _Place, reach: float, rtol: float) -> tuple[float, float]:
    """Time from a place to a signed distance from it, and its error."""
    way, reach = math.copysign(1.0, reach), abs(reach)
    width = _width(place, way, reach)

    def slowness(u: float) -> float:
        return width * math.cosh(u) / max(place.rate(way * width * math.sinh(u)), place.noise)

    def doubt(u: float) -> float:
        """What the round-off of the rate can add to that."""
        rate = max(place.rate(way * width * math.sinh(u)), 1.5 * place.noise)
        return width * math.cosh(u) * place.noise / (rate * (rate - place.noise))

    end = math.asinh(reach / width)
    accuracy = max(rtol, place.noise / place.rate(0.0))
    options = {"epsabs": 0.0, "epsrel": accuracy, "limit": PIECES, "full_output": 1}
    # full output instead of warnings: where round-off limits it, the error says so
    time, error = quad(slowness, 0.0, end, **options)[:2]
    return time, error + (sum(quad(doubt, 0.0, end, **options)[:2]) if place.noise else 0.0)


def _width(place: _Place, way: float, reach: float) -> float:
    """Distance over which the rate doubles, at most as far as asked."""
    twice = 2 * place.rate(0.0)
    low, high = math.log(min(TINY, reach / 2)), math.log(reach)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        doubled = place.rate(way * math.exp(middle)) >= twice
        low, high = (low, middle) if doubled else (middle, high)
    return math.exp(high)


def _in_powers(
    system: Dynamics, numbers: Mapping[str, float], between: tuple[float, float], side: float
) -> list[_Place]:
    """Places where the rate is least, and the ends, in order; none if it is no sum of powers."""
    if not isinstance(system, DynamicalSystem):
        return []
    try:
        rate = growth(growth_powers(system.dynamics, numbers))
    except NotDecoupled:
        return []
    with mpmath.workdps(DIGITS):
        low, high = (mpmath.log(mpf(end)) for end in between)
        inner = [one for one in rate.centres if low - SAME <= one <= high + SAME]
        ends = [end for end in (low, high) if all(abs(end - one) > SAME for one in inner)]

    def place(at: mpf) -> _Place:
        def towards(distance: float) -> float:
            return side * float(rate(np.array(float(distance)), at))

        return _Place(at, towards, 0.0)

    return [place(at) for at in sorted([*inner, *ends])]


def _in_floats(
    system: Dynamics, numbers: Mapping[str, float], between: tuple[float, float], side: float
) -> list[_Place]:
    """The same for any dynamics, with the round-off of their rates."""
    low, high = map(math.log, between)

    def towards(logarithms: ArrayLike, which: int = 0) -> NDArray:
        points = jnp.atleast_1d(jnp.asarray(logarithms))
        return side * np.asarray(_growth(system, points, numbers)[which])

    grid = np.linspace(low, high, POINTS)
    slopes = towards(grid, 1)
    turns = np.flatnonzero((slopes[:-1] < 0) & (slopes[1:] >= 0))
    inner = [brentq(lambda x: float(towards(x, 1)[0]), grid[i], grid[i + 1]) for i in turns]
    around = np.linspace(low - AROUND, high + AROUND, POINTS)
    sizes = np.abs([towards(around), towards(around, 1)])
    noise = ROUND_OFF * float(sizes[np.isfinite(sizes)].max(initial=0.0))

    def place(at: float) -> _Place:
        return _Place(mpf(at), lambda distance: float(towards(at + distance)[0]), noise)

    return [place(float(at)) for at in (low, *inner, high)]


@jax.jit
def _growth(system, logarithms, parameters):
    def of(logarithm):
        s = jnp.exp(logarithm / 2)
        return 2 * system(s[None], **parameters)[0] / s

    return jax.vmap(jax.value_and_grad(of))(logarithms)
