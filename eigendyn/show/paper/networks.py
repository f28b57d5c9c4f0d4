"""Train the networks of a figure, and label what was measured along their descents."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray
from numpy.typing import NDArray

from eigendyn.network.descent import descend
from eigendyn.network.network import Network

AXES = {  # after the seed, before the time
    "singular_value": ("mode",),
    "encoder_eigenvalue": ("mode",),
    "representation": ("dimension", "sample"),
    "preactivation": ("dimension", "sample"),
}


def train(
    weights: NDArray,
    samples: NDArray | None,
    *,
    measures: tuple[str, ...],
    steps: int,
    saves: int,
    seeds: int,
    progress: bool = False,
    **network: Any,
) -> xarray.Dataset:
    """Train networks from the same weights, and label what is measured.

    Args:
        weights: First weights (dimensions, inputs).
        samples: Inputs (inputs, samples) that are followed.
        measures: Names in `AXES`.
        steps: Training steps.
        saves: Number of steps at which to measure.
        seeds: Number of networks.
        progress: Show a progress bar on standard error.
        network: Fields of `Network`.

    Returns:
        Dataset over (seed, …, time).
    """
    planned = np.unique(np.linspace(0, steps, saves).round().astype(int))
    made = Network(**network)
    descent = descend(
        weights,
        made,
        planned,
        seeds=seeds,
        measures=measures,
        samples=samples,
        progress=progress,
    )
    return xarray.Dataset(
        {
            name: (("seed", *AXES[name], "time"), values, {"units": "1"})
            for name, values in descent.measures.items()
        },
        coords={
            "time": ("time", made.learning_rate * descent.steps, {"units": "learning rate × step"}),
            "step": ("time", descent.steps, {"units": "steps"}),
        },
        attrs={
            "settings": json.dumps(asdict(made), ensure_ascii=False),
            "status": descent.status,
            "message": descent.message,
        },
    )
