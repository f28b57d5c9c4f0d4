r"""Set up the extended equations of saddle-nodes in two parameters.

f(x, μ, ν) = 0, (∂f/∂x) q = 0, |q|² = 1 have one unknown too many, so that their solutions form a
curve, which pseudo-arclength follows.

Source: Seydel 1979.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from eigendyn.analysis.bifurcations.arclength import null_space
from eigendyn.analysis.bifurcations.curve import Curve


@dataclass(frozen=True, eq=False)
class FoldSystem:
    """The equations of saddle-nodes in y = (x/size, q, μ/range, ν/range).

    Args:
        curve: A branch through one of them: which coordinates move, which levels are kept.
        second: Names of the parameters that are ν.
        spans: Widths of both ranges (2,).
    """

    curve: Curve
    second: tuple[str, ...]
    spans: NDArray

    def start(self, x: NDArray, at: NDArray) -> NDArray:
        """Unknowns of a saddle-node at coordinates (coordinates,) and both parameters (2,)."""
        curve = self.curve
        _, jacobian = curve.equations(curve.unknowns(x, float(at[0])))
        null = null_space(jacobian[:, :-1], 1)[0]
        return np.concatenate([(x / curve.size)[curve.free], null, at / self.spans])

    def points(self, y: NDArray) -> tuple[NDArray, NDArray]:
        """Coordinates (points, coordinates) and parameters (points, 2) of unknowns (points, …)."""
        free, size = self.curve.free, self.curve.size
        x = np.zeros((len(y), len(size)))
        x[:, free] = y[:, : len(free)] * size[free]
        return x, y[:, -2:] * self.spans

    def equations(self, y: NDArray) -> tuple[NDArray, NDArray]:
        """What must vanish, and its Jacobian."""
        curve, family = self.curve, self.curve.family
        found = _linearise(
            family.system,
            y,
            family.at(0.0),
            curve.kept,
            curve.size[curve.free],
            self.spans,
            tuple(curve.free.tolist()),
            (family.driven, self.second),
            tuple(family.levels.values()),
        )
        residual, jacobian = (np.asarray(part) for part in found)
        return residual, jacobian


@partial(jax.jit, static_argnames=("free", "driven"))
def _linearise(system, y, others, kept, size, spans, free, driven, levels):
    count, indices = len(free), jnp.array(free, int)

    def of(unknowns):
        null, numbers = unknowns[count : 2 * count], unknowns[2 * count :] * spans
        also = {name: numbers[k] for k in range(2) for name in driven[k]}
        whole = jnp.zeros(len(system.names))

        def rates(free_x):
            x = whole.at[indices].set(free_x * size)
            found = system(x, **{**others, **also})[indices]
            return jnp.concatenate([found, *(jnp.sum(level(x))[None] for level in levels)])

        at, along = jax.jvp(rates, (unknowns[:count],), (null,))
        off = jnp.concatenate([jnp.zeros(count), kept])
        return jnp.concatenate([at - off, along, (null @ null - 1)[None]])

    return of(y), jax.jacfwd(of)(y)
