r"""Evaluate the exact solution of uncoupled modes whose growth rate has one.

Three growth rates g in dv/dt = v g(q), q = v^α, have an explicit solution: constant, g = a − b q
(Bernoulli's equation, the logistic one for α = 1), and g = q (a − b q) with a, b > 0 (by the Wright
omega function).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array
from jax.typing import ArrayLike
from numpy.typing import NDArray

from eigendyn.errors import NoClosedForm
from eigendyn.results.trajectory import Trajectory
from eigendyn.simulation.engines.closed_form.wright import depletion, depletion_time, wright_omega
from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import ModeDynamics, substitute
from eigendyn.theory.formula import text
from eigendyn.theory.symbols import Average, Expectation, ModeMaximum, ModeSum

BLOCK = 2**20  # numbers in one intermediate array
HINT = "Try `method='flow'`, or `method='steps'`."


@dataclass(frozen=True)
class ClosedForm:
    """Which solution a growth rate has, and with which coefficients.

    Args:
        pattern: Key of `SOLUTIONS`.
        arguments: What that solution takes after the start and the times; they may contain the
            noises and the weight decay as symbols.
    """

    pattern: str
    arguments: tuple[sp.Expr, ...]


@jax.jit
def exponential(start: ArrayLike, times: ArrayLike, k: ArrayLike) -> Array:
    """Solve dv/dt = k v: v = v₀ e^{kt}.

    Args:
        start: Variances at time 0 (modes,).
        times: Times, learning rate × step (times,).
        k: Growth rate [1/time].

    Returns:
        Variances (modes, times).
    """
    v0, t = _grid(start, times)
    return v0 * jnp.exp(k * t)


@jax.jit
def bernoulli(
    start: ArrayLike, times: ArrayLike, alpha: ArrayLike, a: ArrayLike, b: ArrayLike
) -> Array:
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
    v0, t = _grid(start, times)
    positive = _in_range(v0, alpha, 1 / jnp.abs(b))
    exponent = alpha * a * t
    saturation = alpha * jnp.log(positive) + jnp.log(jnp.abs(b))
    growing = jnp.maximum(-exponent, 0)
    # e^m is taken out of both terms, so that the larger is of order one; whatever m is, it cancels
    m = jax.lax.stop_gradient(jnp.maximum(-exponent, jnp.minimum(saturation, 0)))
    duration = alpha * t * _mean_decay(jnp.abs(exponent))
    scaled = jnp.exp(-exponent - m) + jnp.sign(b) * jnp.exp(saturation - m + growing) * duration
    ends = scaled <= 0
    growth = jnp.exp(-(m + jnp.log(jnp.where(ends, 1, scaled))) / alpha)
    return jnp.where(v0 > 0, positive * jnp.where(ends, jnp.inf, growth), 0)


@jax.jit
def omega(
    start: ArrayLike, times: ArrayLike, alpha: Array | float, a: ArrayLike, b: ArrayLike
) -> Array:
    r"""Solve dv/dt = v q (a − b q), q = v^α.

    p = a/(b q) obeys p + ln|p − 1| = p₀ + ln|p₀ − 1| − κt with κ = αa²/b. Below the fixed point
    p − 1 is a Wright omega function; above, p itself is solved for, as it is small for large v₀.

    Args:
        start: Variances at time 0 (modes,); v₀^α beyond 1e148 (3e18 in float32) counts as that.
        times: Times, learning rate × step (times,).
        alpha: Exponent α > 0.
        a: Growth per q [1/(time variance^α)], positive.
        b: Saturation [1/(time variance^2α)], positive.

    Returns:
        Variances (modes, times). Relative accuracy: a few times (1 + κt/α) round-off, that is, a
        relative change of the start or of time by round-off.

    Source: Corless and Jeffrey 2002, the Wright ω function.
    """
    v0, t = _grid(start, times)
    positive = _in_range(v0, alpha, a / b)
    p0 = jnp.minimum(a / b * positive ** (-alpha), _bound(v0))  # beyond, no time changes anything
    advance = alpha * a**2 / b * t
    is_above = p0 < 1
    # a branch that is not taken is evaluated at harmless numbers, so that gradients stay finite
    excess = jnp.where(is_above, 1, p0 - 1)
    below = 1 + wright_omega(excess - advance + jnp.log(excess))
    above = depletion(depletion_time(jnp.where(is_above, p0, 0.5)) + advance)
    p = jnp.where(is_above, above, below)
    return jnp.where(v0 > 0, positive * (p0 / p) ** (1 / alpha), 0)


SOLUTIONS: Mapping[str, Callable[..., Array]] = MappingProxyType(
    {"exponential": exponential, "bernoulli": bernoulli, "omega": omega}
)


def match_closed_form(growth: sp.Expr, q: sp.Symbol) -> ClosedForm:
    """Recognise a growth rate (1/v) dv/dt that has an explicit solution.

    Args:
        growth: A sum of powers of `q`; its coefficients may contain symbols.
        q: The variance, a positive symbol.

    Returns:
        The pattern and its coefficients.

    Raises:
        NoClosedForm: The growth rate is none of the patterns, or a sign that a pattern needs does
            not follow from the assumptions on the symbols.
    """
    terms = _powers(growth, q)
    constant = terms.pop(sp.S.Zero, sp.S.Zero)
    doubled = [r for r in terms if r.is_positive and set(terms) == {r, 2 * r}]
    if not terms:
        return ClosedForm("exponential", (constant,))
    if len(terms) == 1 and all(r.is_positive for r in terms):
        ((alpha, coefficient),) = terms.items()
        return ClosedForm("bernoulli", (alpha, constant, -coefficient))
    if doubled and constant == 0:
        alpha = doubled[0]
        a, b = terms[alpha], -terms[2 * alpha]
        if a.is_positive and b.is_positive:
            return ClosedForm("omega", (alpha, a, b))
    raise _refusal(growth)


def closed_form(
    dynamics: ModeDynamics,
    variances: NDArray,
    times: NDArray,
    parameters: Mapping[str, float],
) -> Trajectory:
    """Evaluate the exact solution of mode dynamics that have one.

    Args:
        dynamics: Closed dynamics of the singular value.
        variances: Variances at the first time (modes,).
        times: Increasing times to save (times,), learning rate × step.
        parameters: One number for each noise, and for the weight decay.

    Returns:
        Singular values at the saved times, cut before the first at which one is infinite, status
        "diverged".

    Raises:
        NoClosedForm: The modes are coupled, their growth rate is an average over nodes, they have
            more states than the singular value, or no explicit solution is known.
    """
    growth = growth_rate(dynamics)
    own = {name: _exact(value) for name, value in dynamics.parameters}
    numbers = {one: own[str(one)] for one in growth.free_symbols if str(one) in own}
    growth = sp.expand(growth.xreplace(numbers))
    unknown = growth.free_symbols - {sym.variance}
    values = {symbol: sp.Float(parameters[str(symbol)]) for symbol in unknown}
    absent = {symbol: sp.S.Zero for symbol, value in values.items() if value.is_zero}
    form = match_closed_form(growth.xreplace(absent), sym.variance)
    arguments = [float(argument.xreplace(values)) for argument in form.arguments]
    blocks = np.array_split(times - times[0], max(1, len(variances) * len(times) // BLOCK))
    solve = SOLUTIONS[form.pattern]
    solved = [np.asarray(solve(variances, block, *arguments)) for block in blocks]
    singular_values = np.sqrt(np.concatenate(solved, axis=1))
    singular_values[:, 0] = np.sqrt(variances)
    finite = np.isfinite(singular_values).all(axis=0)
    completed = bool(finite.all())
    count = len(times) if completed else int(np.argmin(finite))
    message = f"A mode becomes infinite after time {times[count - 1]:.6g}. Try fewer `steps`."
    return Trajectory(
        times=np.asarray(times)[:count],
        values=singular_values[None, :, :count],
        states=(str(sym.singular_value),),
        status="completed" if completed else "diverged",
        message="" if completed else message,
    )


def growth_rate(dynamics: ModeDynamics) -> sp.Expr:
    """Write (1/v) dv/dt = (2/s) ds/dt as a function of the mode's own variance v.

    Args:
        dynamics: Closed dynamics of the singular value.

    Raises:
        NoClosedForm: It is no such function.
    """
    s = sym.singular_value
    rate = substitute(dynamics.rates[0], dynamics)
    if dynamics.states != (s,) or rate.has(Average, Expectation, ModeMaximum, ModeSum):
        message = (
            "A closed form needs a growth rate that depends on the mode's own variance alone; "
            f"that of {dynamics.name!r} with the closure {dynamics.closure!r} does not. {HINT}"
        )
        raise NoClosedForm(message)
    return sp.expand((2 * rate / s).xreplace({s: sp.sqrt(sym.variance)}))


def _exact(value: float) -> sp.Rational:
    return sp.Rational(repr(value))


def _powers(growth: sp.Expr, q: sp.Symbol) -> dict[sp.Expr, sp.Expr]:
    """Split a sum of powers of q into {exponent: coefficient}, coefficients zero left out."""
    terms: dict[sp.Expr, sp.Expr] = {}
    for term in sp.Add.make_args(sp.powsimp(sp.expand(growth))):
        coefficient, exponent = term.as_coeff_exponent(q)
        if coefficient.has(q):
            raise _refusal(growth)
        terms[exponent] = terms.get(exponent, sp.S.Zero) + coefficient
    return {exponent: total for exponent, total in terms.items() if not total.is_zero}


def _refusal(growth: sp.Expr) -> NoClosedForm:
    return NoClosedForm(
        "A closed form needs dv/dt = v g with g = k, g = a − b v^α, or g = v^α (a − b v^α) with "
        f"a, b > 0. Here g = {text(growth)}. {HINT}"
    )


def _grid(start: ArrayLike, times: ArrayLike) -> tuple[Array, Array]:
    """Variances as a column, times as a row of the same precision."""
    v0 = jnp.asarray(start)
    return v0[:, None], jnp.asarray(times, v0.dtype)[None]


def _bound(v0: Array) -> float:
    """A number whose square and its inverse are floats by a margin: 1e148, in float32 3e18."""
    return float(jnp.finfo(v0.dtype).max) ** 0.48


def _in_range(v0: Array, alpha: ArrayLike, scale: ArrayLike) -> Array:
    """Bring v₀^α to where it does not overflow; starts from beyond are forgotten at once."""
    return jnp.minimum(jnp.where(v0 > 0, v0, 1), (_bound(v0) * scale) ** (1 / alpha))


def _mean_decay(y: Array) -> Array:
    """(1 − e^{−y})/y for y ≥ 0, smooth at 0."""
    vanishes = y == 0
    return jnp.where(vanishes, 1 - y / 2, -jnp.expm1(-y) / jnp.where(vanishes, 1, y))
