"""Claims about rates in many states, and about the moments that closures are judged by."""

import numpy as np
import pytest
from in_machine import closed_dynamics, interpreted, random_point

from eigendyn.program.derivation import program_of
from eigendyn.program.integrand import integrand
from eigendyn.program.machine.field import rates_of_many
from eigendyn.program.moments import moments_program
from eigendyn.simulation.nodes import fit_nodes

RATIOS = {
    "cosine": {"loss": "cosine"},
    "two moments": {"loss": "cosine", "stop_gradient": False, "alpha": 0.7},
    "running": {"loss": "cosine", "predictor": "running", "epsilon": 0.1, "beta": 0.5},
    "iso-cosine": {"loss": "iso-cosine", "alpha": 0.3},
}


@pytest.mark.parametrize("points", [1, 8, 21])
def test_every_point_has_its_own_states_and_numbers(points):
    program = program_of(closed_dynamics("cosine", closure="mean-field", alpha=0.7))
    point = random_point(program, 5, lanes=points)
    numbers = point.numbers(program)
    found = rates_of_many(program, point.nodes, np.moveaxis(point.states, -1, 0), numbers)
    expected, size = interpreted(program, point)
    assert (np.abs(np.moveaxis(found, 0, -1) - expected) <= 1e-14 * size).all()


@pytest.mark.parametrize("settings", RATIOS.values(), ids=RATIOS)
def test_moments_are_those_of_numpy(settings):
    program = program_of(closed_dynamics(**settings))
    rng = np.random.default_rng(1)
    states = rng.uniform(0.1, 1.5, (11, len(program.states), 4))
    numbers = {name: rng.uniform(0.05, 0.9, 11) for name in program.parameters}
    nodes = fit_nodes(program, states[:1], {n: p[0] for n, p in numbers.items()}, 1e-4).nodes
    rates = rates_of_many(moments_program(program), nodes, states, numbers)
    moments, gross, terms = np.split(rates, 3, axis=1)
    for i, state in enumerate(states):
        of = integrand(program, state, {name: float(p[i]) for name, p in numbers.items()})
        added, _ = of(nodes)
        expected = added.sum(axis=-1)
        size = np.abs(added).sum(axis=-1)
        np.testing.assert_allclose(gross[i], size, rtol=1e-13)
        assert (np.abs(moments[i] - expected) <= 1e-13 * size).all()
        assert (terms[i] >= gross[i] * (1 - 1e-13)).all()
