"""Write small dynamical systems by hand, whose bifurcations are textbook ones.

Each is made once, so that nothing is compiled for it twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

import jax
import jax.numpy as jnp


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class HandWritten:
    """Rates as a function of a list of coordinates and of parameters by name."""

    parameters: Mapping[str, float]
    names: tuple[str, ...] = field(metadata={"static": True})
    rates: Callable = field(metadata={"static": True})
    conserved: Mapping = field(metadata={"static": True}, default_factory=dict)

    def __call__(self, x, **parameters):
        return jnp.stack(self.rates(x, **{**self.parameters, **parameters}))


@cache
def hopf():
    """Turns at the angular frequency 2, and grows for mu > 0."""

    def rates(x, mu):
        square = x[0] ** 2 + x[1] ** 2
        return mu * x[0] - 2 * x[1] - x[0] * square, 2 * x[0] + mu * x[1] - x[1] * square

    return HandWritten({"mu": 0.0}, ("x", "y"), rates)


@cache
def brusselator():
    """At rest at (1, b); Hopf at b = 2 with the angular frequency 1."""
    return HandWritten(
        {"b": 1.0},
        ("x", "y"),
        lambda u, b: (1 - (b + 1) * u[0] + u[0] ** 2 * u[1], b * u[0] - u[0] ** 2 * u[1]),
    )


@cache
def pitchfork():
    """X = 0 and, for mu > 0, x = ±√mu."""
    return HandWritten(
        {"mu": 0.0}, ("x", "y"), lambda u, mu: (mu * u[0] - u[0] ** 3, u[0] ** 2 - u[1])
    )


@cache
def transcritical():
    """X = 0 and x = mu."""
    return HandWritten({"mu": 0.0}, ("x",), lambda u, mu: (mu * u[0] - u[0] ** 2,))


@cache
def circle():
    """x² + mu² = 1/4."""
    return HandWritten({"mu": 0.0}, ("x",), lambda u, mu: (u[0] ** 2 + mu**2 - 0.25,))


@cache
def sphere():
    """x² + mu² + nu² = 1/4, with saddle-nodes on the circle x = 0."""
    return HandWritten(
        {"mu": 0.0, "nu": 0.1}, ("x",), lambda u, mu, nu: (u[0] ** 2 + mu**2 + nu**2 - 0.25,)
    )


def loop(centre):
    """X = −1, and the circle x² + (mu − centre)² = 1/4."""
    return HandWritten({"mu": 0.0, "centre": centre}, ("x",), _loop)


def _loop(u, mu, centre):
    return ((u[0] + 1) * (0.25 - u[0] ** 2 - (mu - centre) ** 2),)


@cache
def cusp():
    """The cusp nu + mu x − x³, with saddle-nodes at 27 nu² = 4 mu³."""
    return HandWritten(
        {"mu": 1.0, "nu": 0.0}, ("x",), lambda u, mu, nu: (nu + mu * u[0] - u[0] ** 3,)
    )


@cache
def explosive():
    """Rests at x = tan mu, which has no end, and no value at mu = 0.5."""
    return HandWritten({"mu": 0.0}, ("x",), lambda u, mu: (jnp.sqrt(0.5 - mu) * (mu - u[0]),))


@cache
def line():
    """Rests wherever x = y, and nothing is conserved there."""
    return HandWritten({"mu": 0.0}, ("x", "y"), lambda u, mu: ((u[0] - u[1]) * (1 + mu), u[1] * 0))
