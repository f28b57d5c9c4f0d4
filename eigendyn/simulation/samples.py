"""Draw the samples of a sampled closure, and estimate the standard error of its moments."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from eigendyn.program import Program
from eigendyn.program.averaging import Nodes
from eigendyn.simulation.node_errors import points_of


def draw_samples(program: Program, modes: int, samples: int, seed: int) -> Nodes:
    """Draw the samples of a sampled closure.

    Args:
        program: Dynamics whose closure is sampled.
        modes: Number of modes.
        samples: Number of samples; memory is samples × modes.
        seed: Seed of the draw; the same seed gives the same samples.
    """
    rng = np.random.default_rng(seed)
    values = {name: rng.standard_normal((samples, modes)) for name in program.node_names}
    return Nodes(np.full(samples, 1 / samples), values)


def standard_error(
    program: Program, nodes: Nodes, spectra: NDArray, parameters: Mapping[str, float | NDArray]
) -> float:
    """Largest standard error of a sampled moment E[z·δ], over states (points, states, modes)."""
    return max(error for error, _ in _sampled_errors(program, nodes, spectra, parameters))


def relative_error(
    program: Program, nodes: Nodes, spectra: NDArray, parameters: Mapping[str, float | NDArray]
) -> float:
    """Largest standard error over the largest moment; infinite where all moments vanish."""
    pairs = _sampled_errors(program, nodes, spectra, parameters)
    return max(error / moment if moment > 0 else math.inf for error, moment in pairs)


def _sampled_errors(
    program: Program, nodes: Nodes, spectra: NDArray, parameters: Mapping[str, float | NDArray]
) -> Iterator[tuple[float, float]]:
    """Largest standard error, and largest size, of a moment E[z·δ] in each of the states."""
    count = len(nodes.weights)
    for points in points_of(program, np.asarray(spectra, float), parameters):
        mean, square = points.sums(nodes, _squares)
        variance = np.maximum(count * square - mean**2, 0)
        singular = np.abs(points.states[:, 0].T)
        yield from zip(
            (singular * np.sqrt(variance / count)).max(axis=0).tolist(),
            (singular * np.abs(mean)).max(axis=0).tolist(),
            strict=True,
        )


def _squares(parts: NDArray, _terms: NDArray) -> NDArray:
    total = parts.sum(axis=0)
    return np.stack([total.sum(axis=-1), (total**2).sum(axis=-1)])
