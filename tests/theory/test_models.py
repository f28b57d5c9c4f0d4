"""Claims about models: their variances obey the published equations, and rows are all there is."""

import pytest
import sympy as sp

import eigendyn
from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.settings.choices import LOSS_NAMES, MODEL_NAMES
from eigendyn.theory import symbols as sym
from eigendyn.theory.models import MODELS, named_model

v, gamma, c, tau = sym.variance, *map(sym.loss_parameter, ("gamma", "c", "tau"))
BY_HAND = {  # dv/dt as the papers have it
    "barlow-twins": 8 * gamma * v * (1 - gamma * v),
    "deep-linear": 2 * v * (c - v) / tau,
}


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_variances_obey_the_published_equation(name):
    equations = {one.name: one for one in eigendyn.theory.derivation(name)}
    found = equations["dynamics of the variance"].right
    assert sp.expand(found - BY_HAND[name]) == 0
    assert list(equations) == ["dynamics", "dynamics of the variance"]  # no loss, nothing of one


def test_every_row_has_its_name_and_nothing_shares_it():
    assert tuple(MODELS) == MODEL_NAMES
    assert not set(MODEL_NAMES) & set(LOSS_NAMES)
    for name, row in MODELS.items():
        free = set().union(*(rate.free_symbols for rate in row.rates.values())) - set(row.rates)
        assert {str(symbol) for symbol in free} == set(row.parameters)
        assert "arXiv" in row.source
        assert named_model(name).parameters == tuple(row.parameters.items())


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "x"])
def test_a_parameter_that_is_not_positive_is_refused(value):
    with pytest.raises(InvalidSetting, match="gamma of barlow-twins must be finite and > 0"):
        named_model("barlow-twins", gamma=value)


def test_names_are_recognised_when_nearly_right():
    with pytest.raises(UnknownName, match="Did you mean 'gamma'"):
        named_model("barlow-twins", gama=1)
    with pytest.raises(UnknownName, match="Did you mean 'deep-linear'"):
        named_model("deep-linar")
    with pytest.raises(UnknownName, match="Did you mean 'barlow-twins'"):
        eigendyn.simulate("barlow-twin")


@pytest.mark.parametrize(
    "verb",
    [
        eigendyn.theory.mode_dynamics,
        eigendyn.theory.conserved_quantities,
        eigendyn.diagnose,
        eigendyn.crosscheck,
        eigendyn.audit,
        eigendyn.explore,
    ],
)
def test_what_needs_a_loss_refuses_a_model_in_words(verb):
    for model in ("deep-linear", named_model("deep-linear")):
        with pytest.raises(InvalidSetting, match="needs a loss, and 'deep-linear' is a model"):
            verb(model)
