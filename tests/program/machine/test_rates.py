"""Claims about rates as machine code: they are the vector field, whatever vectors hold."""

from dataclasses import replace
from functools import cache

import jax
import numpy as np
import pytest
import sympy as sp
from in_machine import Machine, closed_dynamics, interpreted, random_point
from llvmlite import ir
from structures import chosen, first_of, full_but

from eigendyn.crosschecks.systems import systems
from eigendyn.errors import NoProgram
from eigendyn.program.derivation import program_of
from eigendyn.program.in_jax import compile_field
from eigendyn.program.machine.layout import layout
from eigendyn.program.machine.rates import emit_rates
from eigendyn.theory.loss_text import parse_loss
from eigendyn.theory.losses import loss_from_function
from eigendyn.theory.symbols import mode_sum

MODES = (1, 5, 33)
FEWER, MANY = 2, 33  # what is written out, as five modes are, and what stands in loops
IN_JAX = 5  # its code does not know how many modes there are, and is compiled anew for each number
OWN = {
    "quartic": ("sum((lam*z1 - g*sg(z2))**4*lam) - sum(lam*z1**2*z2**2)**2", {"g": 0.3}),
    "ratio": ("sum((lam*z1 - g*sg(z2))**2*lam)/norm(z2)", {"g": 0.3}),
    "a root of one plus a square": (
        "sum((lam*z1 - sg(z2))**2)/sqrt(1 + part0*sum(z1**2)**2)",
        {"part0": 0.4},
    ),
}
SYSTEMS = {
    **dict(systems()),
    **{name: {"loss": parse_loss(*own)} for name, own in OWN.items()},
    "cosine, α = 0.3": {"loss": "cosine", "alpha": 0.3},
    "cosine, running, ε inside, α = 0.3": {
        **{"loss": "cosine", "predictor": "running", "epsilon": 0.1, "alpha": 0.3}
    },
    "euclidean, α = 1/4": {"loss": "euclidean", "alpha": 0.25},
    "cosine, mean field": {"loss": "cosine", "closure": "mean-field"},
    "iso-cosine, mean field": {"loss": "iso-cosine", "closure": "mean-field"},
    "cosine, no stop-gradient, mean field": {
        **{"loss": "cosine", "stop_gradient": False, "closure": "mean-field"}
    },
    "cosine, sampled": {"loss": "cosine", "closure": "sampled"},
    "iso-euclidean, sampled": {"loss": "iso-euclidean", "closure": "sampled"},
}


# Whose parts stand in another of them as well, where they have to be right beside others.
AGAIN = {
    *("iso-cosine, no stop-gradient", "iso-cosine, mean field", "cosine, α = 0.3"),
    *("cosine, no stop-gradient, mean field", "iso-euclidean, sampled"),
}
FEW = (chosen() | (SYSTEMS.keys() - dict(systems()).keys())) - AGAIN


def closed(settings):
    return closed_dynamics(**{name: value for name, value in settings.items() if name != "scale"})


@pytest.fixture(scope="module", params=full_but(SYSTEMS, FEW))
def dynamics(request):
    return closed(request.param)


@pytest.fixture(scope="module")
def its_program(dynamics):
    return program_of(dynamics)


def one_lane(point, lane):
    cut = {name: getattr(point, name)[..., [lane]] for name in ("times", "states", "parameters")}
    return replace(point, **cut)


def from_jax(dynamics, program, point):
    """The vector field's rates (states, modes, lanes), and how large their terms are."""
    field = replace(compile_field(dynamics), nodes=point.nodes)
    assert field.states == program.states
    assert field.parameters == program.parameters
    assert field.node_names == program.node_names
    assert field.closure == program.closure
    numbers = point.numbers(program)
    rates = jax.jit(jax.vmap(field, (0, -1, 0), -1))(point.times, point.states, numbers)
    return np.asarray(rates)


def assert_right(program, modes):
    """Return where the rates were compared, those found and the best, and their terms' size."""
    point = random_point(program, modes)
    best, size = interpreted(program, point)
    if modes > 1:  # of one mode, the cosine loss has only terms that cancel
        assert np.median(size / np.abs(best)) < 1e3  # else this would show nothing
    found = Machine(program, modes)(point)
    assert (np.abs(found - best) <= 1e-15 * size).all()
    return point, found, best, size


def test_rates_are_those_of_the_vector_field(dynamics, its_program):
    """Measured: 1e-16 of the terms' size, where 1e-13 would do."""
    for modes in MODES:
        point, found, best, size = assert_right(its_program, modes)
        if modes == IN_JAX:
            expected = from_jax(dynamics, its_program, point)
            assert (np.abs(expected - best) <= 1e-15 * size).all()
            assert (np.abs(found - expected) <= 1e-15 * size).all()


def test_single_precision_and_other_contents_of_vectors_give_the_same_rates(its_program):
    assert_same_in_other_vectors(its_program, 3)


@pytest.mark.full
@pytest.mark.parametrize("name", sorted(FEW))  # in which every part of a theory stands
def test_so_are_those_of_fewer_modes_and_of_many_in_other_vectors(name):
    program = program_of(closed(SYSTEMS[name]))
    assert_right(program, FEWER)
    assert_same_in_other_vectors(program, MANY)


def assert_same_in_other_vectors(program, modes):
    point = random_point(program, modes, seed=1)
    best, size = interpreted(program, point)
    single = Machine(program, modes, 16, dtype=np.float32)(random_point(program, modes, 16, 2))
    told, bound = interpreted(program, random_point(program, modes, 16, 2))
    assert (np.abs(single - told) <= 2e-7 * bound).all()
    for across in ("nodes", "modes"):
        alone = Machine(program, modes, 1, across=across)(one_lane(point, 3))
        assert (np.abs(alone - best[..., [3]]) <= 1e-15 * size[..., [3]]).all()


PROGRAMS = {
    "exact cosine": {"loss": "cosine", "alpha": 0.3},
    "copied predictor": {"loss": "cosine", "predictor": "copy", "target": "ema"},
    "scheduled target": {"loss": "euclidean", "target": "ema", "ema_schedule": "cosine"},
    "mean field": {"loss": "cosine", "closure": "mean-field"},
    "sampled": {"loss": "cosine", "closure": "sampled"},
}


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request):
    return program_of(closed_dynamics(**PROGRAMS[request.param]))


@pytest.fixture(scope="module")
def machine(program):
    return cache(lambda modes, dtype: Machine(program, modes, dtype=dtype))


@pytest.mark.parametrize(
    ("modes", "dtype"),
    [(2, np.float64), *first_of((40, np.float32), (2, np.float32), (40, np.float64))],
)
def test_garbage_in_one_lane_leaves_the_bits_of_the_others(program, machine, modes, dtype):
    rates = machine(modes, dtype)
    point = random_point(program, modes)
    clean = rates(point)
    for garbage in (np.nan, np.inf, -np.inf, -1.0, 0.0, 1e-320, 1e300):
        with np.errstate(over="ignore"):
            states, numbers = point.states.copy(), point.parameters.copy()
            states[..., 2], numbers[..., 2] = garbage, garbage
            found = rates(replace(point, states=states, parameters=numbers))
        others = [0, 1, 3, 4, 5, 6, 7]
        np.testing.assert_array_equal(found[..., others], clean[..., others])


@pytest.mark.parametrize("modes", [2, 40])
def test_a_trajectory_has_the_same_bits_in_every_lane(program, machine, modes):
    rates = machine(modes, np.float64)
    point = random_point(program, modes)
    order = np.array([3, 0, 7, 1, 6, 2, 5, 4])
    cut = {name: getattr(point, name)[..., order] for name in ("times", "states", "parameters")}
    np.testing.assert_array_equal(rates(replace(point, **cut)), rates(point)[..., order])


def test_a_state_that_is_not_a_number_has_rates_that_are_none(program):
    point = random_point(program, 5)
    point.states[0, 3, 2] = np.nan
    assert np.isnan(Machine(program, 5)(point)[0, 3, 2])


def test_code_does_not_grow_with_many_modes(program):
    sizes = []
    for modes in (2**10, 2**20):
        module = ir.Module()
        emit_rates(module, program, modes, 8, ir.DoubleType())
        sizes.append(len(str(module).splitlines()))
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("across", ["trajectories", "modes"])
def test_a_hundred_thousand_modes_have_the_rates_of_the_interpreter(across):
    program = program_of(closed_dynamics("cosine", closure="mean-field"))
    modes = 100_003
    point = random_point(program, modes, 1)
    best, size = interpreted(program, point)
    found = Machine(program, modes, 1, across=across)(point)
    assert (np.abs(found - best) <= 1e-13 * size).all()


def test_few_modes_are_written_out_and_need_no_workspace():
    program = program_of(closed_dynamics("cosine"))
    few, many = (layout(program, m, 8, ir.DoubleType(), "trajectories") for m in (10, 100))
    assert few.is_unrolled
    assert few.offsets()[1] == 0
    assert not many.is_unrolled
    assert many.offsets()[1] > 0


def test_a_function_without_machine_code_is_refused():
    loss = loss_from_function(lambda z1, z2, lam: mode_sum(sp.tanh(lam) * z1 * z2))
    program = program_of(closed_dynamics(loss))
    with pytest.raises(NoProgram, match="tanh"):
        emit_rates(ir.Module(), program, 2, 8, ir.DoubleType())


def test_several_trajectories_beside_several_nodes_are_refused():
    program = program_of(closed_dynamics("cosine"))
    with pytest.raises(ValueError, match="one lane"):
        emit_rates(ir.Module(), program, 2, 8, ir.DoubleType(), "nodes")
