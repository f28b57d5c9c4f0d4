"""Take the joint second moments of both views, and draw Gaussian views that have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from eigendyn.data.asked import read_augmentations
from eigendyn.data.augmentations import expectation

if TYPE_CHECKING:
    import xarray

ROUNDING = 1e-6  # of the norm of Σ₁₂: inputs and views are kept in single precision

Draw = Callable[[int, Generator], tuple[NDArray, NDArray]]


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


def gaussian_views(data: xarray.Dataset) -> Draw:
    """What draws pairs of Gaussian views (count, inputs) with the joint second moments of data.

    A loss that takes them for the data's own sees second moments only.

    Args:
        data: A result of `eigendyn.data`.
    """
    skew = skew_part(data)
    between = data["covariance_12"].values + (0 if skew is None else skew)
    first, second = data["covariance_11"].values, data["covariance_22"].values
    variances, vectors = np.linalg.eigh(np.block([[first, between], [between.T, second]]))
    kept = variances > 0  # the rest is round-off
    root = np.sqrt(variances[kept])[:, None] * vectors[:, kept].T
    inputs = len(first)

    def draw(count: int, rng: Generator) -> tuple[NDArray, NDArray]:
        both = rng.standard_normal((count, len(root))) @ root
        return both[:, :inputs], both[:, inputs:]

    return draw
