"""Claims about functions of nodes: they are evaluated once, and change nothing."""

import numpy as np
import pytest
from in_machine import closed_dynamics, random_point

from eigendyn.program import INSIDE
from eigendyn.program.averaging import Nodes
from eigendyn.program.derivation import program_of
from eigendyn.program.in_numpy import rates
from eigendyn.program.machine.of_nodes import with_functions, with_values


@pytest.mark.parametrize("settings", [{}, {"stop_gradient": False}, {"predictor": "learned"}])
def test_roots_of_nodes_are_taken_once_and_the_rates_stay_the_same(settings):
    program = program_of(closed_dynamics(loss="cosine", **settings))
    further = with_functions(program)
    assert further.node_names[: len(program.node_names)] == program.node_names
    needed = [further.operations[place] for place in further.needed(further.rates)]
    roots = [one for one in needed if one.kind == "sqrt"]
    of_nodes = [one for one in roots if further.operations[one.operands[0]].kind == "node"]
    assert roots and not of_nodes
    point = random_point(program, 5, lanes=1)
    parameters = dict(zip(program.parameters, point.parameters[:, 0], strict=True))
    nodes = Nodes(point.nodes.weights, with_values(program, point.nodes.values))
    expected = rates(program, point.states, parameters, point.nodes)
    found = rates(further, point.states, parameters, nodes)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_samples_of_every_mode_are_read_as_they_are():
    """What is made of them would take as much memory again."""
    program = program_of(closed_dynamics(loss="cosine", closure="sampled"))
    assert INSIDE in program.phases
    assert with_functions(program) == program
