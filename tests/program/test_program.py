"""Claims about straight-line programs."""

import json

import pytest
import sympy as sp
from in_machine import closed_dynamics

from eigendyn.errors import NoProgram, OpenMoments
from eigendyn.program import AFTER, INSIDE, KINDS, REDUCTIONS, from_plain, to_plain
from eigendyn.program.derivation import program_of
from eigendyn.theory.derive import mode_dynamics
from eigendyn.theory.loss_text import parse_loss
from eigendyn.theory.losses import cosine, loss_from_function
from eigendyn.theory.symbols import mode_sum

SETTINGS = {
    "exact moments": {"loss": "euclidean", "target": "ema"},
    "exact quadrature": {"loss": "cosine", "alpha": 0.3},
    "sampled": {"loss": "cosine", "closure": "sampled", "predictor": "copy"},
    "mean field": {"loss": "cosine", "closure": "mean-field"},
}


@pytest.fixture(scope="module", params=SETTINGS)
def program(request):
    return program_of(closed_dynamics(**SETTINGS[request.param]))


def test_it_comes_back_from_json(program):
    assert from_plain(json.loads(json.dumps(to_plain(program)))) == program


def test_every_operation_stands_once_and_after_its_operands(program):
    assert len(set(program.operations)) == len(program.operations)
    for place, (kind, operands, _) in enumerate(program.operations):
        assert kind in KINDS
        assert all(operand < place for operand in operands)


def test_none_is_left_over(program):
    needed = program.needed((*program.rates, program.predictor, *program.moments))
    assert needed == tuple(range(len(program.operations)))


def test_a_reduction_is_of_values_of_modes_and_shared_by_all(program):
    for place, (kind, operands, _) in enumerate(program.operations):
        if kind in REDUCTIONS:
            assert not program.local[place]
            assert program.local[operands[0]]


def test_only_averages_lead_out_of_the_loop_over_nodes(program):
    for place, (kind, operands, _) in enumerate(program.operations):
        if program.phases[place] == AFTER and kind != "average":
            assert all(program.phases[operand] != INSIDE for operand in operands)


def test_what_is_the_same_at_every_node_is_not_averaged(program):
    """A factor that is known before the loop over nodes stands outside of the average."""
    for place in program.averages:
        (averaged,) = program.operations[place].operands
        kind, operands, _ = program.operations[averaged]
        if kind == "multiply":
            assert all(program.phases[operand] == INSIDE for operand in operands)


def test_powers_of_one_state_follow_horners_rule():
    program = program_of(closed_dynamics("euclidean"))
    own = [place for place in program.needed(program.rates) if program.local[place]]
    kinds = [program.operations[place].kind for place in own]
    # s, s², c s², 1 − c s², · s², − ω, · s
    assert kinds == ["state", "multiply", "multiply", "add", "multiply", "add", "multiply"]


def test_open_moments_are_refused():
    with pytest.raises(OpenMoments, match="open moments"):
        program_of(mode_dynamics(cosine()))


def test_an_unknown_function_is_refused():
    loss = loss_from_function(lambda z1, z2, lam: mode_sum(sp.erf(lam) * z1 * z2))
    with pytest.raises(NoProgram, match="erf"):
        program_of(closed_dynamics(loss))


def test_a_parameter_may_have_the_name_of_a_placeholder():
    loss = parse_loss("sum((lam*z1 - part0*sg(z2))**2)/norm(sg(z2))", {"part0": 0.5})
    assert "part0" in program_of(closed_dynamics(loss)).parameters
