"""Find fixed points with the parameter free too, so that closed branches are not missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from scipy.stats import qmc

from eigendyn.analysis.bifurcations.ends import CHANGING
from eigendyn.analysis.bifurcations.family import Family
from eigendyn.analysis.fixed_points.newton import Dynamics, evaluate, settle

EDGE = 2e-3  # share of the window within which a coordinate may be about to vanish


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class _Freed:
    """A system in which the driven parameter is one more coordinate, and does not move.

    Args:
        system: Rates of change.
        low: The parameter where that coordinate is zero.
        unit: The parameter's change for one unit of it.
        driven: Names of the parameters that it stands for.
    """

    system: Dynamics
    low: float
    unit: float
    driven: tuple[str, ...] = field(metadata={"static": True})
    conserved: Mapping[str, Callable[[Array], Array]] = field(
        default_factory=dict, metadata={"static": True}
    )

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.system.names, "parameter")

    @property
    def parameters(self) -> Mapping[str, float]:
        return self.system.parameters

    def __call__(self, x: Array, **parameters: Array | float) -> Array:
        """Rates of change (coordinates + 1,)."""
        value = self.low + self.unit * x[-1]
        rates = self.system(x[:-1], **{**parameters, **dict.fromkeys(self.driven, value)})
        return jnp.append(rates, 0.0)


def rests_anywhere(
    member: Family, low: NDArray, high: NDArray, starts: int, seed: int, tolerance: float
) -> Iterator[tuple[NDArray, float]]:
    """Find fixed points in the window and the parameter's range together.

    Newton's steps change the parameter too, and end at the nearest point of any branch: one that is
    there only for a narrow stretch of a wide range is found without a slice that meets it.
    Arguments are those of `fixed_points`, with a family for the system.

    Yields:
        Coordinates (coordinates,) and the parameter; no modes that are about to vanish, whose
        branches are better entered elsewhere.
    """
    scale = float(np.linalg.norm(high - low))
    freed = _Freed(member.system, member.low, (member.high - member.low) / scale, member.driven)
    corners = np.append(low, 0.0), np.append(high, scale)
    fractions = qmc.Halton(len(low) + 1, seed=seed).random(starts)
    first = corners[0] + fractions * (corners[1] - corners[0])
    sizes = np.abs(evaluate(freed, first, member.others).jacobian).max(axis=(1, 2))
    usual = float(np.median(sizes[np.isfinite(sizes)])) if np.isfinite(sizes).any() else 0.0
    rest = settle(freed, first, member.others, scale=scale, usual=usual)
    inside = ((rest.x >= corners[0]) & (rest.x <= corners[1])).all(axis=1)
    can = [name.rpartition("_")[0] in CHANGING for name in member.system.names]
    away = (np.abs(rest.x[:, :-1]) > EDGE * (high - low))[:, can].all(axis=1)
    for x in rest.x[inside & away & (rest.residual <= tolerance)]:
        yield x[:-1], member.low + freed.unit * float(x[-1])
