r"""Evaluate the exact solution of uncoupled modes whose growth rate has one.

Three growth rates g in dv/dt = v g(q), q = v^α, have an explicit solution: constant, g = a − b q
(Bernoulli's equation, the logistic one for α = 1), and g = q (a − b q) with a, b > 0 (by the Wright
omega function).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import NoClosedForm
from eigendyn.program import Program
from eigendyn.results.trajectory import Numbers, Trajectory, alike_modes, of_modes
from eigendyn.simulation.engines.closed_form.powers import HINT, Powers, growth_powers, text
from eigendyn.simulation.engines.closed_form.wright import depletion, depletion_time, wright_omega

BLOCK = 2**15  # numbers in one intermediate array, which stays in the cache


@dataclass(frozen=True)
class ClosedForm:
    """Which solution a growth rate has, and with which coefficients.

    Args:
        pattern: Key of `SOLUTIONS`.
        arguments: What that solution takes after the start and the times.
    """

    pattern: str
    arguments: tuple[Any, ...]


@np.errstate(all="ignore")
def exponential(start: ArrayLike, times: ArrayLike, k: float) -> NDArray:
    """Solve dv/dt = k v: v = v₀ e^{kt}.

    Args:
        start: Variances at time 0 (modes,).
        times: Times, learning rate × step (times,).
        k: Growth rate [1/time].

    Returns:
        Variances (modes, times).
    """
    v0, t, k = _grid(start, times, k)
    return v0 * np.exp(k * t)


@np.errstate(all="ignore")
def bernoulli(start: ArrayLike, times: ArrayLike, alpha: float, a: float, b: float) -> NDArray:
    r"""Solve dv/dt = v (a − b v^α).

    v = v₀ D^{−1/α} with D = e^{−αat} + b v₀^α (1 − e^{−αat})/a. D is kept as D e^{−m}, so that
    neither of its terms leaves the range of floats unless v does.

    Args:
        start: Variances at time 0 (modes,); v₀^α beyond 1e148 (3e18 in float32) counts as that.
        times: Times, learning rate × step (times,).
        alpha: Exponent α > 0.
        a: Growth rate of a vanishing mode [1/time]; zero and negative ones are fine.
        b: Saturation [1/(time variance^α)]; for b < 0 a mode may become infinite in finite time.

    Returns:
        Variances (modes, times), infinite from where the solution ends. Relative accuracy: a few
        times (1 + |ln v₀|) round-off.
    """
    v0, t, alpha, a, b = _grid(start, times, alpha, a, b)
    positive = _in_range(v0, alpha, 1 / np.abs(b))
    exponent = alpha * a * t
    saturation = alpha * np.log(positive) + np.log(np.abs(b))
    growing = np.maximum(-exponent, 0)
    # e^m is taken out of both terms, so that the larger is of order one
    m = np.maximum(-exponent, np.minimum(saturation, 0))
    duration = alpha * t * _mean_decay(np.abs(exponent))
    scaled = np.exp(-exponent - m) + np.sign(b) * np.exp(saturation - m + growing) * duration
    ends = scaled <= 0
    growth = np.exp(-(m + np.log(np.where(ends, 1, scaled))) / alpha)
    return np.where(v0 > 0, positive * np.where(ends, np.inf, growth), 0)


@np.errstate(all="ignore")
def omega(start: ArrayLike, times: ArrayLike, alpha: float, a: float, b: float) -> NDArray:
    r"""Solve dv/dt = v q (a − b q), q = v^α.

    p = a/(b q) obeys p + ln|p − 1| = p₀ + ln|p₀ − 1| − κt with κ = αa²/b. Below the fixed point
    p − 1 is a Wright omega function; above, p itself is solved for, as it is small for large v₀.

    Arguments are those of `bernoulli`, but a growth per q, a, and a saturation b, both positive.

    Returns:
        Variances (modes, times). Relative accuracy: a few times (1 + κt/α) round-off, that is, a
        relative change of the start or of time by round-off.

    Source: Corless and Jeffrey 2002, the Wright ω function.
    """
    v0, t, alpha, a, b = _grid(start, times, alpha, a, b)
    positive = _in_range(v0, alpha, a / b)
    p0 = np.minimum(a / b * positive ** (-alpha), _bound(v0))  # beyond, no time changes anything
    advance = alpha * a**2 / b * t
    is_above = (p0 < 1)[:, 0]
    p = np.empty((len(v0), t.shape[1]), v0.dtype)
    below, above = p0[~is_above] - 1, p0[is_above]
    p[~is_above] = 1 + wright_omega(below - advance + np.log(below))
    p[is_above] = depletion(depletion_time(above) + advance)
    return np.where(v0 > 0, positive * (p0 / p) ** (1 / alpha), 0)


SOLUTIONS: Mapping[str, Callable[..., NDArray]] = MappingProxyType(
    {"exponential": exponential, "bernoulli": bernoulli, "omega": omega}
)


def match_closed_form(growth: Powers) -> ClosedForm:
    """Recognise a growth rate (1/v) dv/dt = Σ c_r v^r that has an explicit solution.

    Args:
        growth: {r: c_r}, none of which is zero.

    Returns:
        The pattern and its coefficients.

    Raises:
        NoClosedForm: The growth rate is none of the patterns.
    """
    terms = dict(growth)
    constant = terms.pop(Fraction(0), Fraction(0))
    if not terms:
        return ClosedForm("exponential", (constant,))
    lowest, *others = sorted(terms)
    if lowest > 0 and not others:
        return ClosedForm("bernoulli", (lowest, constant, -terms[lowest]))
    if lowest > 0 and others == [2 * lowest] and constant == 0:
        a, b = terms[lowest], -terms[2 * lowest]
        if a > 0 and b > 0:
            return ClosedForm("omega", (lowest, a, b))
    message = (
        "A closed form needs dv/dt = v g with g = k, g = a − b v^α, or g = v^α (a − b v^α) with "
        f"a, b > 0. Here g = {text(growth)}. {HINT}"
    )
    raise NoClosedForm(message)


def closed_form(
    program: Program, variances: NDArray, times: NDArray, parameters: Numbers
) -> Trajectory:
    """Evaluate the exact solution of mode dynamics that have one.

    Args:
        program: Closed dynamics of the singular value.
        variances: Variances at the first time (modes,).
        times: Increasing times to save (times,), learning rate × step.
        parameters: Numbers of the program's parameters.

    Returns:
        Singular values at the saved times, cut before the first at which one is infinite, status
        "diverged".

    Raises:
        NoClosedForm: The modes are coupled, their growth rate is an average over nodes, they have
            more states than the singular value, or no explicit solution is known.
    """
    singular_values = np.empty((len(variances), len(times)), variances.dtype)
    for some in alike_modes(parameters, len(variances)):
        growth = growth_powers(program, of_modes(parameters, some[:1]), len(variances))
        form = match_closed_form(growth)
        arguments = [float(argument) for argument in form.arguments]
        blocks = np.array_split(times - times[0], max(1, len(some) * len(times) // BLOCK))
        solve = SOLUTIONS[form.pattern]
        solved = [solve(variances[some], block, *arguments) for block in blocks]
        singular_values[some] = np.sqrt(np.concatenate(solved, axis=1))
    singular_values[:, 0] = np.sqrt(variances)
    finite = np.isfinite(singular_values).all(axis=0)
    completed = bool(finite.all())
    count = len(times) if completed else int(np.argmin(finite))
    message = f"A mode becomes infinite after time {times[count - 1]:.6g}. Try fewer `steps`."
    return Trajectory(
        times=np.asarray(times)[:count],
        values=singular_values[None, :, :count],
        states=program.states,
        status="completed" if completed else "diverged",
        message="" if completed else message,
    )


def _grid(start: ArrayLike, times: ArrayLike, *numbers: float) -> tuple[Any, ...]:
    """Variances as a column, times as a row, and numbers, all of the same precision."""
    v0 = np.asarray(start)
    kind = v0.dtype.type
    return v0[:, None], np.asarray(times, kind)[None], *map(kind, numbers)


def _bound(v0: NDArray) -> Any:
    """A number whose square and its inverse are floats by a margin: 1e148, in float32 3e18."""
    return np.finfo(v0.dtype).max ** v0.dtype.type(0.48)


def _in_range(v0: NDArray, alpha: Any, scale: Any) -> NDArray:
    """Bring v₀^α to where it does not overflow; starts from beyond are forgotten at once."""
    return np.minimum(np.where(v0 > 0, v0, 1), (_bound(v0) * scale) ** (1 / alpha))


def _mean_decay(y: NDArray) -> NDArray:
    """(1 − e^{−y})/y for y ≥ 0, smooth at 0."""
    return np.where(y == 0, 1, -np.expm1(-y) / y)
