"""Claims about losses that users write."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eigendyn
from eigendyn import symbols as sym
from eigendyn.errors import EigendynError, InvalidExpression, InvalidSetting
from eigendyn.loss_text import FUNCTIONS, LETTERS, parse_loss
from eigendyn.losses import LOSSES

TEXTS = {
    "euclidean": "sum((lam*z1 - sg(z2))**2) / 2",
    "cosine": "-sum(lam*z1*sg(z2)) / (norm(lam*z1) * norm(sg(z2)))",
    "iso-euclidean": "sum((z1 - sg(z2 + z1 - lam*z1))**2) / 2",
    "iso-cosine": (
        "-sum(z1*sg(z2/(norm(lam*z1)*norm(z2)) - sum(lam*z1*z2)*lam*z1/(norm(lam*z1)**3*norm(z2))))"
    ),
}
PIECES = [*LETTERS, *FUNCTIONS, "(", ")", "+", "-", "*", "/", "**", ",", "1", "0.5", "2", "9e9"]
PIECES += [
    " ",
    ".",
    "[",
    "]",
    "'",
    "lambda",
    ":",
    "__class__",
    "eval",
    "gamma",
    "j",
    "=",
    "\n",
    "#",
]


@pytest.mark.parametrize("name", TEXTS)
def test_a_written_loss_is_the_built_in_one(name):
    written, named = parse_loss(TEXTS[name]), LOSSES[name]()
    for ours, theirs in zip(
        eigendyn.mode_dynamics(written).rates, eigendyn.mode_dynamics(named).rates, strict=True
    ):
        assert sym.equal(ours, theirs)


def test_a_parameter_is_its_number():
    run = eigendyn.simulate(
        parse_loss("sum((lam*z1 - gamma*sg(z2))**2)", {"gamma": 0.8}), [0.3, 1.0], steps=300
    )
    np.testing.assert_allclose(run.variance[:, -1], 0.8, rtol=1e-6)
    assert "gamma = 0.8" in run.attrs["loss"]


def test_what_a_loss_has_is_seen():
    assert not parse_loss("sum(z1*sg(z2))").has_predictor
    assert parse_loss("sum(z1*sg(z2))").has_stop_gradient
    assert not parse_loss("sum(lam*z1*z2)").has_stop_gradient


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing"),
        ("z" * 1_001, "1001 characters"),
        ("sum(q*z1**2)", "uses 'q'"),
        ("sum(q*z1**2)", "--param q=0.5"),
        ("abs(z1)", "uses 'abs'"),
        ("sum(z1", "never closed"),
        ("sum(z1, z2)", "alphabet"),
        ("sum(*z1)", "alphabet"),
        ("sum(x=z1)", "alphabet"),
        ("z1.real", "alphabet"),
        ("z1[0]", "alphabet"),
        ("(lambda: z1)()", "alphabet"),
        ("__import__('os').system('true')", "alphabet"),
        ("'z1'", "alphabet"),
        ("True * sum(z1**2)", "alphabet"),
        ("1j * sum(z1**2)", "alphabet"),
        ("sum(z1**2) // 2", "operator"),
        ("sum(z1**2) ** z2", "exponent"),
        ("sum(z1**7)", "exponent"),
        ("9**9**9", "exponent"),
        ("((9**6)**6)**6 * sum(z1**2)", "beyond"),
        ("1e400 * sum(z1**2)", "beyond"),
        ("sqrt(-1) * sum(z1**2)", "not real"),
        ("sum(z1**2) / (1 - 1)", "divides by zero"),
        ("(0*z1)**-1", "divides by zero"),
        ("((sum(z1*z2)**6)**6)", "degree"),
        ("3", "depend on z1 or z2"),
        ("sg(2)**3 + sqrt(sg(2))", "depend on z1 or z2"),
        ("-" * 500 + "z1", "too large"),
        ("+".join(["z1*z2"] * 160), "too large"),
    ],
)
def test_text_that_is_no_loss_is_refused_in_a_sentence(text, words):
    with pytest.raises(InvalidExpression, match=words) as refusal:
        parse_loss(text)
    assert "Try '-sum(" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("text", ["z1*z2", "sum(z1)", "sum(z1*z2**2)"])
def test_what_is_no_scalar_or_mixes_modes_is_refused(text):
    with pytest.raises(InvalidSetting):
        parse_loss(text)


@pytest.mark.parametrize(
    "parameters",
    [{"lam": 1.0}, {"sum": 1.0}, {"a b": 1.0}, {"if": 1.0}, {"a": 1e13}, {"a": float("nan")}],
)
def test_parameters_need_free_names_and_numbers(parameters):
    with pytest.raises(InvalidExpression, match="parameter"):
        parse_loss("sum(z1*sg(z2))", parameters)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_text_is_a_loss_or_a_refusal(text):
    start = time.process_time()
    try:
        parse_loss(text)
    except EigendynError as refusal:
        assert "\n" not in str(refusal)
    assert time.process_time() - start < 5  # a guard against blow-up; usually a millisecond


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_unicode_is_a_loss_or_a_refusal(text):
    with pytest.raises(EigendynError):
        parse_loss(text + "?")
