"""Evaluate and linearise the rates of a system over the parameters that drive it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike, NDArray

from eigendyn.analysis.fixed_points.linearisation import is_odd
from eigendyn.analysis.fixed_points.newton import Dynamics, check_parameters, conserved_here
from eigendyn.errors import InvalidSetting
from eigendyn.settings.parameters import PARAMETERS

Quantity = Callable[[Array], Array]
BORDER = 1e-8  # distance from the end of a range, in its width, that is none
PROBES = 8  # points at which a conserved quantity must not change
BISECTIONS = 60  # of a range, to where its numbers lose their meaning


@dataclass(frozen=True, eq=False)
class Family:
    """Rates f(x, μ) of a system whose parameters, one or several together, are the number μ.

    Args:
        system: Rates of change.
        driven: Names of the parameters that are μ.
        others: Numbers by name for the other parameters.
        low: Smallest μ.
        high: Largest μ.
        reasons: Why a branch ends at the smallest and at the largest.
        levels: Conserved quantities whose values are kept, by name.
    """

    system: Dynamics
    driven: tuple[str, ...]
    others: Mapping[str, float]
    low: float
    high: float
    reasons: tuple[str, str]
    levels: Mapping[str, Quantity]

    def at(self, value: float) -> dict[str, float]:
        """All parameters by name at μ."""
        return {**self.others, **dict.fromkeys(self.driven, float(value))}

    def borders(self, value: float, share: float = BORDER) -> str:
        """Why a branch ends at μ; empty if that is no end of the range, to a share of its width."""
        ends = zip((self.low, self.high), self.reasons, strict=True)
        near = share * (self.high - self.low)
        return next((reason for end, reason in ends if abs(value - end) <= near), "")

    def within(self, value: float) -> float:
        """μ in its range, and the very end of it where it is there but for round-off."""
        near = BORDER * (self.high - self.low)
        if value < self.low + near:
            return self.low
        return self.high if value > self.high - near else value

    def linearise(self, x: ArrayLike, value: float) -> tuple[NDArray, NDArray, NDArray]:
        """Rates and levels, and their derivatives by x and by μ.

        Args:
            x: Coordinates (coordinates,).
            value: μ.

        Returns:
            (coordinates + levels,), (coordinates + levels, coordinates), (coordinates + levels,).
        """
        found = _linearise(  # arrays of NumPy, which compiled code takes several times as fast
            self.system,
            np.asarray(x, float),
            np.float64(value),
            self.at(0.0),
            self.driven,
            tuple(self.levels.values()),
        )
        rates, by_x, by_value = (np.asarray(part) for part in found)
        return rates, by_x, by_value


def family(
    system: Dynamics,
    parameter: str | Sequence[str],
    between: Sequence[float],
    window: tuple[NDArray, NDArray],
    parameters: Mapping[str, float],
) -> Family:
    """Check what is driven, and over which range.

    Args:
        system: Rates of change.
        parameter: Name of a parameter, or of several that are driven together.
        between: Smallest and largest value.
        window: Lower and upper corner (coordinates,), between which conserved quantities are told
            from others, at points in general position.
        parameters: Numbers by name, in the place of the system's own.

    Raises:
        UnknownName: A parameter that the system does not have.
        InvalidSetting: An empty range, or one in which the parameter has no meaning.
    """
    driven = (parameter,) if isinstance(parameter, str) else tuple(parameter)
    check_parameters(system, {**parameters, **dict.fromkeys(driven, 0.0)})
    others = {**system.parameters, **parameters}
    low, high, reasons = meaningful(driven, between)
    share = np.random.default_rng(0).random((PROBES, len(system.names)))
    points = window[0] + share * (window[1] - window[0])
    kept: dict[str, Quantity] = dict(system.conserved)
    for value in np.linspace(low, high, 3):
        here = conserved_here(system, points, {**others, **dict.fromkeys(driven, float(value))})
        kept = {name: quantity for name, quantity in kept.items() if name in here}
    return Family(system, driven, others, low, high, reasons, kept)


def meaningful(
    driven: Sequence[str], between: Sequence[float]
) -> tuple[float, float, tuple[str, str]]:
    """Cut a range to the values that its parameters may have, and say why it ends on each side.

    Raises:
        InvalidSetting: There are none.
    """
    named = ", ".join(driven)
    low, high = (float(end) for end in between) if len(between) == 2 else (0.0, 0.0)
    if not (np.isfinite([low, high]).all() and low < high):
        given = ", ".join(f"{end:g}" for end in between)
        message = (
            f"The range of {named} must be two finite numbers, the lower one first, not {given}. "
            "Try 0, 1."
        )
        raise InvalidSetting(message)
    domains = [PARAMETERS[name].domain for name in driven if name in PARAMETERS]

    def holds(value: float) -> bool:
        return all(domain.holds(value) for domain in domains)

    valid = [value for value in np.linspace(low, high, 65) if holds(value)]
    condition = " and ".join(dict.fromkeys(domain.words for domain in domains))
    if len(valid) < 2:
        message = (
            f"The range of {named} must hold values that are {condition}, and {low:g}, {high:g} "
            "does not. Try 0, 0.5."
        )
        raise InvalidSetting(message)

    def end(bound: float, inside: float) -> tuple[float, str]:
        if holds(bound):
            return bound, "parameter range ended"
        outside = bound
        for _ in range(BISECTIONS):
            middle = (outside + inside) / 2
            outside, inside = (outside, middle) if holds(middle) else (middle, inside)
        return inside, f"left the domain, {named} {condition}"

    first, last = end(low, valid[0]), end(high, valid[-1])
    return first[0], last[0], (first[1], last[1])


def vanished_modes(names: Sequence[str], x: NDArray) -> dict[str, NDArray]:
    """Modes all of whose odd states are zero, and stay so: by mode, these coordinates."""
    modes: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        if is_odd(name):
            modes.setdefault(name.rpartition("_")[2], []).append(index)
    return {mode: np.array(at) for mode, at in modes.items() if (x[at] == 0).all()}


@partial(jax.jit, static_argnames="driven")
def _linearise(system, x, value, others, driven, levels):
    def of(point, number):
        rates = system(point, **{**others, **dict.fromkeys(driven, number)})
        return jnp.concatenate([rates, *(jnp.sum(level(point))[None] for level in levels)])

    return of(x, value), *jax.jacfwd(of, argnums=(0, 1))(x, value)
