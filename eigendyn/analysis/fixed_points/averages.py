"""Tell where the nodes of a quadrature stand for averages, so that rates there mean anything.

A loss that divides by the norm of a view may have no average where all modes but one have vanished:
that of 1/|z| over one Gaussian z grows without bound as nodes become finer. Nearby it has one that
nodes chosen for wider spectra miss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.analysis.fixed_points.newton import Dynamics, all_numbers
from eigendyn.analysis.system import DynamicalSystem
from eigendyn.simulation.node_errors import Points, errors_of
from eigendyn.simulation.nodes import fit_nodes

ACCURACY = 1e-6  # to which an average must be found by nodes of its own, if it exists
DUST = 1e-6  # share of the largest coordinate, below which one counts as vanished
SERVE = 1e-3  # share of ∫|integrand| by which nodes may miss it


def are_averaged(
    system: Dynamics, points: NDArray, parameters: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Whether nodes give the averages at each of the points (points,).

    Args:
        system: Rates of change; those without a quadrature have all that they need.
        points: Coordinates (points, coordinates).
        parameters: Numbers by name, in the place of the system's own.
    """
    if not isinstance(system, DynamicalSystem) or not system.vector_field.node_names:
        return np.ones(len(points), bool)
    numbers = all_numbers(system, parameters)
    own = {name: numbers[name] for name in system.program.parameters}

    def is_averaged(x: NDArray) -> bool:
        state = x.reshape(1, -1, system.modes)
        best = fit_nodes(system.program, state, own, ACCURACY)
        if not best.reached:
            return False
        looked = Points(system.program, state, own)
        moments, means = looked.moments(system.vector_field.nodes), looked.means(best.nodes)
        return bool(errors_of(moments, means, state[:, 0])[1].max() <= SERVE)

    largest = np.abs(points).max(axis=1, keepdims=True, initial=0.0)
    return np.array(
        [is_averaged(x) for x in np.where(np.abs(points) > DUST * largest, points, 0)], bool
    )
