"""Claims about the table of losses."""

from inspect import signature

import pytest
import sympy as sp

import eigendyn
from eigendyn.errors import InvalidSetting, UndeclaredSymbol, UnknownName
from eigendyn.settings import choices
from eigendyn.settings.choices import LOSS_ROWS, isotropic
from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import descent_directions, predictor_direction
from eigendyn.theory.losses import LOSSES, SymbolicLoss, named_loss, without_stop_gradient
from eigendyn.theory.symbols import StopGradient, lam, mode_sum, z1, z2


def test_the_table_has_the_names_that_the_command_line_knows():
    assert list(LOSSES) == list(choices.LOSS_ROWS)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_stops_its_target_unless_told_otherwise(name):
    loss = named_loss(name)
    assert loss.expression.has(StopGradient)
    assert not without_stop_gradient(loss).expression.has(StopGradient)


@pytest.mark.parametrize("name", LOSSES)
def test_without_predictor_no_eigenvalue_is_left(name):
    assert lam not in named_loss(name, predictor=False).expression.free_symbols


def test_names_say_what_is_switched_off():
    loss = named_loss("cosine", predictor=False, stop_gradient=False)
    assert loss.name == "cosine, no predictor, no stop-gradient"


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'cosine'"):
        named_loss("cosin")


def test_a_loss_outside_the_alphabet_is_refused():
    with pytest.raises(UndeclaredSymbol, match="uses q"):
        SymbolicLoss("mine", mode_sum(sp.Symbol("q") * z1))


def test_a_loss_that_is_no_scalar_is_refused():
    with pytest.raises(InvalidSetting, match="scalar"):
        SymbolicLoss("mine", z1 * z2)


def test_a_loss_that_changes_sign_with_a_mode_is_refused():
    with pytest.raises(InvalidSetting, match="changes sign"):
        SymbolicLoss("mine", mode_sum(z1 * lam) + sym.norm(z2))


@pytest.mark.parametrize(
    "of_loss",
    [
        eigendyn.theory.derivation,
        eigendyn.theory.mode_dynamics,
        eigendyn.theory.conserved_quantities,
        eigendyn.theory.without_predictor,
        eigendyn.theory.without_stop_gradient,
        lambda loss: eigendyn.export_loss(loss, "numpy"),
    ],
)
def test_a_name_is_as_good_as_the_loss(of_loss):
    assert of_loss("cosine") == of_loss(eigendyn.named_loss("cosine"))
    with pytest.raises(UnknownName, match="Did you mean 'cosine'"):
        of_loss("cosin")


def test_an_isotropic_loss_takes_no_other_exponent():
    with pytest.raises(InvalidSetting, match=r"named_loss\('cosine', beta=0.5\)"):
        named_loss("iso-cosine", beta=0.5)


@pytest.mark.parametrize("name", LOSSES)
def test_the_row_of_a_loss_says_what_its_formula_says(name):
    row, loss = LOSS_ROWS[name], named_loss(name)
    assert row.trains_predictor == (predictor_direction(loss) != 0)
    assert row.is_quadratic == all(
        delta.is_polynomial(z1, z2) for delta in descent_directions(loss)
    )
    assert row.takes_beta == ("beta" in signature(LOSSES[name]).parameters)
    assert row.beta == float(loss.beta)
    if row.plain is not None:
        assert named_loss(row.plain, beta=1).expression == loss.expression
        assert isotropic(row.plain) == name
