"""Compute the equilibria of uncoupled modes over weight decay, with their bifurcations."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from eigendyn.analysis.rates.growth_rates import growth_rates
from eigendyn.theory.losses import SymbolicLoss


def decay_equilibria(
    loss: str | SymbolicLoss, variances: ArrayLike, **settings: Any
) -> xarray.Dataset:
    r"""Equilibria of a mode over the strength of weight decay.

    (1/v) dv/dt = 2[g(v) − ω], so that v > 0 is an equilibrium at ω = g(v): stable where g falls,
    unstable where it rises, with a fold (saddle-node) at the maximum of g. Where g(0⁺) > 0, the
    branch meets v = 0 in a transcritical bifurcation at ω = g(0⁺).

    Args:
        loss: A loss whose modes do not interact, such as the Euclidean ones.
        variances: Increasing variances to look at, above zero (variances,).
        settings: Fields of `Settings`, without weight decay.

    Returns:
        Over variance: weight_decay, stable. Attributes: fold, the weight decay of the first
        saddle-node, and fold_variance, NaN if there is none; at_zero, g(0⁺) by extrapolation.

    Raises:
        InvalidSpectrum: Variances that are not above zero.

    Source: derivations/bifurcations.py, which has the fold and the transcritical point in closed
    form for the Euclidean losses.
    """
    points = np.asarray(variances, float)
    half = growth_rates(loss, points[:, None], **settings)[:, 0] / 2
    curve = CubicSpline(points, half)
    slope = curve.derivative()
    turns = slope.roots(extrapolate=False)
    folds = turns[(turns > points[0]) & (turns < points[-1])]
    fold = float(folds[0]) if len(folds) else np.nan
    return xarray.Dataset(
        {
            "weight_decay": ("variance", half, {"long_name": "weight decay", "units": "1/time"}),
            "stable": ("variance", slope(points) < 0, {"long_name": "stable equilibrium"}),
        },
        coords={"variance": ("variance", points, {"long_name": "variance at equilibrium"})},
        attrs={
            "fold": float(curve(fold)) if len(folds) else np.nan,
            "fold_variance": fold,
            "at_zero": float(curve(0.0)),
        },
    )
