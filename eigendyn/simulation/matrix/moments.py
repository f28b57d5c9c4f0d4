"""Take the second moments of both views from measured data, in the frame of its components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

import eigendyn.settings.precision  # noqa: F401
from eigendyn.data.asked import read_augmentations
from eigendyn.data.augmentations import expectation

if TYPE_CHECKING:
    import xarray

ROUNDING = 1e-6  # of the norm of Σ₁₂: inputs and views are kept in single precision


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SecondMoments:
    """Second moments of two views, in the basis of the components: Σ₁₂ = diag(d) + K.

    Products with Σ₁₂ cost next to nothing there.

    Args:
        signal: d (components,).
        first: Σ₁₁ (components, components).
        second: Σ₂₂, likewise.
        skew: K = (Σ₁₂ − Σ₂₁)/2, likewise; None where both views are alike, so that it is zero.
    """

    signal: Array
    first: Array
    second: Array
    skew: Array | None

    def to_second(self, weights: Array) -> Array:
        """W Σ₁₂ (modes, components)."""
        mixed = weights * self.signal
        return mixed if self.skew is None else mixed + weights @ self.skew

    def to_first(self, weights: Array) -> Array:
        """W Σ₂₁ (modes, components)."""
        mixed = weights * self.signal
        return mixed if self.skew is None else mixed - weights @ self.skew


def second_moments(data: xarray.Dataset, dtype: str = "float64") -> SecondMoments:
    """Second moments of measured data, exact where the data's are."""
    basis = data["components"].values  # (components, inputs)
    skew = skew_part(data)

    def turned(matrix: NDArray) -> Array:
        return jnp.asarray(basis @ matrix @ basis.T, dtype)

    return SecondMoments(
        jnp.asarray(data["signal"].values, dtype),
        turned(data["covariance_11"].values),
        turned(data["covariance_22"].values),
        None if skew is None else turned(skew),
    )


def skew_part(data: xarray.Dataset) -> NDArray | None:
    """(Σ₁₂ − Σ₂₁)/2 (inputs, inputs), of which measured data keep the other half; None if zero."""
    if "view1" in data:
        first, second = (data[name].values.astype(float) for name in ("view1", "view2"))
        between = first.T @ second / len(first)
    elif data.attrs["augment"] != data.attrs["augment2"]:
        inputs = data["inputs"].values.astype(float)
        shape = tuple(data.attrs.get("image_shape", inputs.shape[1:]))
        one, other = (
            expectation(read_augmentations(data.attrs[name], name), shape)
            for name in ("augment", "augment2")
        )
        between = one.mean(other.mean(inputs.T @ inputs / len(inputs)).T)
    else:
        return None
    skew = (between - between.T) / 2
    return skew if np.linalg.norm(skew) > ROUNDING * np.linalg.norm(between) else None
