"""Load an exported loss as a function of batches: what `eigendyn export` writes is what trains.

The source that runs here was written by `export_loss` from a checked expression; no text of users
gets this far.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from inspect import signature

from jax import Array

import eigendyn.settings.precision  # noqa: F401
from eigendyn.theory.export import export_loss
from eigendyn.theory.losses import SymbolicLoss

LEAST_NORM = 1e-8  # that is divided by: a row of zeros has no direction, and no gradient

BatchLoss = Callable[[Array, Array, Array], Array]


@lru_cache(maxsize=16)
def batch_loss(loss: SymbolicLoss) -> BatchLoss:
    """The mean loss of a batch, as a function of z1 and z2 (samples, dimensions) and W_P.

    The predictor W_P (dimensions, dimensions) acts on rows, p = z1 W_P; gradients are stopped as
    the loss says, and nowhere else.

    Raises:
        InvalidExpression, InvalidSetting: As `export_loss`.
    """
    names: dict[str, Callable[..., Array]] = {}
    exec(compile(export_loss(loss, "jax"), "an exported loss", "exec"), names)
    (function,) = (value for name, value in names.items() if name.endswith("_loss"))
    asked = signature(function).parameters
    small = {"eps": LEAST_NORM} if "eps" in asked else {}
    arrays = [name for name, one in asked.items() if one.kind is one.POSITIONAL_OR_KEYWORD]

    def mean_loss(z1: Array, z2: Array, predictor: Array) -> Array:
        known = {"p": z1 @ predictor, "z": z2, "z1": z1, "predictor": predictor}
        return function(*(known[name] for name in arrays), **small)

    return mean_loss
