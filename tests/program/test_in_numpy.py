"""Claims about programs in NumPy: they equal the field, and say what averages are made of."""

from dataclasses import replace

import numpy as np
import pytest
from in_machine import closed_dynamics, random_point

from eigendyn.program import Operation, Program
from eigendyn.program.averaging import Nodes
from eigendyn.program.derivation import program_of, quantities_of
from eigendyn.program.in_jax import compile_expressions, compile_field
from eigendyn.program.in_numpy import quantities, rates
from eigendyn.program.integrand import integrand
from eigendyn.theory import symbols as sym
from eigendyn.theory.conservation import conserved_quantities
from eigendyn.theory.losses import named_loss

SETTINGS = {
    "one average": {"loss": "iso-cosine"},
    "two averages": {"loss": "cosine", "stop_gradient": False},
    "averages of other states": {"loss": "cosine", "predictor": "learned", "momentum": 0.9},
    "samples": {"loss": "cosine", "closure": "sampled"},
}


@pytest.fixture(scope="module", params=SETTINGS)
def case(request):
    dynamics = closed_dynamics(**SETTINGS[request.param])
    program = program_of(dynamics)
    point = random_point(program, 5, lanes=1)
    parameters = dict(zip(program.parameters, point.parameters[:, 0, 0], strict=True))
    return dynamics, program, point.states[..., 0], parameters, point.nodes


def test_moments_are_the_averages_of_the_field(case):
    """What the field in JAX averages is written by lambdify, without programs."""
    dynamics, program, states, parameters, nodes = case
    field = compile_field(dynamics)
    averages = np.asarray(field._sums(np.asarray(states), parameters, nodes))
    added, sizes = integrand(program, states, parameters)(nodes)
    error = np.abs(added.sum(axis=2) - averages)
    assert (error <= 1e-13 * sizes.sum(axis=2)).all()


def test_terms_are_as_large_as_their_sum_or_larger(case):
    _, program, states, parameters, nodes = case
    added, sizes = integrand(program, states, parameters)(nodes)
    assert (sizes >= np.abs(added) * (1 - 1e-14)).all()


def test_terms_that_cancel_are_larger_than_their_sum():
    """At equal variances the integrand of a loss that does not see scale vanishes."""
    program = program_of(closed_dynamics(loss="cosine"))
    parameters = {"sigma1": 0.0, "sigma2": 0.0, "weight_decay": 0.0}
    nodes = Nodes(np.ones(3), {name: np.ones((3, 1)) for name in program.node_names})
    added, sizes = integrand(program, np.full((1, 4), 0.8), parameters)(nodes)
    assert (sizes > 1e12 * np.abs(added)).all()


def test_nodes_can_be_looked_at_in_pieces(case):
    _, program, states, parameters, nodes = case
    of_nodes = integrand(program, states, parameters)
    pieces = [of_nodes(nodes[first : first + 7])[0] for first in range(0, 24, 7)]
    np.testing.assert_allclose(
        np.concatenate(pieces, axis=2), of_nodes(nodes)[0], rtol=1e-12, atol=1e-300
    )


def test_averages_at_some_nodes_and_at_others_add_up_to_the_moments(case):
    _, program, states, parameters, nodes = case
    of_nodes = integrand(program, states, parameters)
    added, sizes = of_nodes(nodes)
    first, second = (of_nodes.averages(nodes[some]) for some in (slice(9), slice(9, None)))
    moments = of_nodes.moments({place: first[place] + second[place] for place in first})
    assert (np.abs(moments - added.sum(axis=2)) <= 1e-13 * sizes.sum(axis=2)).all()


def test_a_product_of_negative_forms_is_no_number():
    """It stands for the exponential of Σ log, and two negative factors must not hide."""
    program = program_of(closed_dynamics(loss="cosine"))
    parameters = {"sigma1": 0.0, "sigma2": 0.1, "weight_decay": 0.0}
    states = np.array([[0.5, 0.5, 0.1]])
    below = {name: np.full((1, 1), -3.0) for name in program.node_names}
    assert np.isnan(integrand(program, states, parameters)(Nodes(np.ones(1), below))[0]).all()


def test_what_is_averaged_may_be_used_again_inside_the_average_that_follows():
    """Values that nothing needs any more are let go, and no others."""
    told = [
        Operation("state"),
        Operation("weight"),
        Operation("node"),
        Operation("multiply", (2, 1)),
        Operation("multiply", (3, 0)),
        Operation("average", (4,)),
        Operation("multiply", (4, 2)),
        Operation("average", (6,)),
        Operation("add", (5, 7)),
    ]
    program = Program(
        states=("singular_value",),
        parameters=(),
        node_names=("tau1",),
        node_modes=(False,),
        closure="exact quadrature",
        operations=tuple(told),
        rates=(8,),
        predictor=0,
        moments=(8,),
    )
    w, tau, s = np.array([0.5, 2.0]), np.array([3.0, 0.25]), np.array([[0.5, 1.5]])
    nodes = Nodes(w, {"tau1": tau[:, None]})
    expected = s[0] * (w * tau * (1 + tau)).sum()
    of_nodes = integrand(program, s, {})
    np.testing.assert_allclose(of_nodes(nodes)[0].sum(axis=2)[0], expected, rtol=1e-15)
    np.testing.assert_allclose(of_nodes.moments(of_nodes.averages(nodes))[0], expected, rtol=1e-15)
    (found,) = rates(program, s[..., None], {}, nodes)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-15)


def test_the_predictor_is_that_of_the_field(case):
    dynamics, program, states, parameters, nodes = case
    (ours,) = quantities(program, [program.predictor], states[..., None], parameters)
    field = replace(compile_field(dynamics), nodes=nodes)
    expected = field.predictor_eigenvalue(np.asarray(states), parameters)
    np.testing.assert_allclose(np.broadcast_to(ours, (5, 1))[:, 0], expected, rtol=1e-14)


@pytest.mark.parametrize("loss", ["cosine", "iso-cosine"])
@pytest.mark.parametrize("alpha", [0.5, -1.0])
def test_quantities_equal_their_expressions(loss, alpha):
    found = conserved_quantities(named_loss(loss), alpha, decays=True)
    functions = {one.name: one.expression for one in found}
    assert functions
    written = quantities_of(("singular_value",), functions)
    states = np.random.default_rng(0).uniform(0.1, 2, (1, 4, 3))
    times = np.array([0.0, 0.5, 2.0])
    arguments = [sym.singular_value, sym.weight_decay, sym.time]
    compiled = compile_expressions(arguments, list(functions.values()))
    expected = compiled(np.moveaxis(states[0], 0, -1), 0.1, times[:, None])
    ours = quantities(written, dict(written.places).values(), states, {"weight_decay": 0.1}, times)
    for one, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(one[0], other[:, 0], rtol=1e-13)
