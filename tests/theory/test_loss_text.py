"""Claims about losses that users write."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eigendyn
from eigendyn.errors import EigendynError, InvalidExpression, InvalidSetting, NoExactClosure
from eigendyn.theory import symbols as sym
from eigendyn.theory.loss_text import FUNCTIONS, LETTERS, parse_loss, parse_rate
from eigendyn.theory.losses import LOSSES

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
    *("λ", "λ_k", "Σ_k[", "SG(", "M", "^", "²", "⁻¹", "·", "−", "√("),
]


@pytest.mark.parametrize("name", TEXTS)
def test_a_written_loss_is_the_built_in_one(name):
    written, named = parse_loss(TEXTS[name]), LOSSES[name]()
    for ours, theirs in zip(
        eigendyn.theory.mode_dynamics(written).rates,
        eigendyn.theory.mode_dynamics(named).rates,
        strict=True,
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
        ("sum(q*z1**2)", "`parameters={'q': 0.5}`"),
        ("exp(z1)", "uses 'exp'"),
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
        ("((sum(z1*z2)**6)**6)", "power beyond 16"),
        ("sum((1+lam+z1+z2)**6*(1+lam+z1-z2)**6*(1-lam+z1+z2)**4)", "products of terms"),
        ("norm((z1+z2+lam*z1+lam*z2)**3)", "products of terms"),
        ("x" * 900, "uses 'x{30}…'"),
        ("x" * 900 + "(z1)", "uses 'x{30}…'"),
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
    assert len(str(refusal.value)) < 400
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


@pytest.mark.full  # crosschecks/test_power.py differentiates by a written loss's own number
def test_a_parameter_can_be_differentiated_and_swept():
    text, start = "sum((lam*z1 - gamma*sg(z2))**2)/2", [0.3, 1.0]
    loss = parse_loss(text, {"gamma": 0.8})
    field, states, parameters = eigendyn.vector_field(loss, start)
    assert parameters["gamma"] == 0.8

    def rate(gamma):
        return field(0.0, jnp.asarray(states), {**parameters, "gamma": gamma})[0, 0]

    # ds/dt = γ λ s − …, λ = s²; through a flow: simulation/test_engine.py
    slopes = jax.jit(jax.vmap(jax.grad(rate)))(jnp.array([0.5, 0.8]))
    np.testing.assert_allclose(slopes, 0.3**1.5, rtol=1e-12)

    gammas = [0.5, 0.8]
    options = {"steps": 30, "saves": 2, "rtol": 1e-10, "atol": 1e-12}
    swept = eigendyn.ensemble(loss, [start, start], sweep={"gamma": gammas}, **options)
    for gamma, singular in zip(gammas, swept.singular_value.values, strict=True):
        run = eigendyn.simulate(parse_loss(text, {"gamma": gamma}), start, steps=30)
        np.testing.assert_allclose(singular[:, -1], run.singular_value[:, -1], rtol=1e-9)


def test_a_function_over_the_symbols_is_a_loss():
    def relative(z1, z2, lam, gamma):
        return sym.mode_sum((lam * z1 - gamma * sym.stop_gradient(z2)) ** 2)

    ours = eigendyn.theory.loss_from_function(relative, {"gamma": 0.5})
    text = parse_loss("sum((lam*z1 - gamma*sg(z2))**2)", {"gamma": 0.5})
    assert ours.name == "relative"
    assert sym.equal(ours.expression, text.expression)
    assert ours.parameters == text.parameters
    with pytest.raises(InvalidSetting, match="by name"):
        eigendyn.theory.loss_from_function(relative)


def test_the_number_of_modes_is_the_sum_of_one():
    assert parse_loss("sum(z1*sg(z2))/sum(1)").expression.has(sym.modes)


@pytest.mark.parametrize(
    ("printed", "plain"),
    [
        ("Σ_k[(λ_k·z1_k − SG(z2_k))^2]/2", "sum((lam*z1 - sg(z2))**2)/2"),
        ("ℓ = ∑((λ×z1 − sg(z2))²)/M", "sum((lam*z1 - sg(z2))**2)/sum(1)"),
        ("√(Σ_k[z1_k^2])⁻¹ + Abs(Σ_k[z1_k*z2_k])", "1/norm(z1) + sqrt(sum(z1*z2)**2)"),
    ],
)
def test_signs_of_mathematics_are_read(printed, plain):
    assert parse_loss(printed).expression == parse_loss(plain).expression


def test_a_printed_rate_is_read():
    rate, _ = parse_rate("-λ_m^2 + 11*λ_m/10 − 1/10 + Σ_k[λ_k]/M")
    assert rate == parse_rate("-lam**2 + 11*lam/10 - 1/10 + sum(lam)/sum(1)")[0]


@pytest.mark.parametrize("name", ["ϵ", "ε"])
def test_letters_that_look_alike_are_one(name):
    other = {"ϵ": "ε", "ε": "ϵ"}[name]
    loss = parse_loss(f"sum(({name}*lam*z1 - sg(z2))**2)", {other: 0.8})
    assert loss.parameters == (("ε", 0.8),)
    assert loss.expression.free_symbols == {sym.z1, sym.z2, sym.lam, sym.loss_parameter("ε")}
    assert parse_rate(f"{name} - lam", {other: 1})[1] == (("ε", 1.0),)
    with pytest.raises(InvalidExpression, match="one name"):
        parse_loss("sum(z1*sg(z2))", {"ϵ": 1.0, "ε": 2.0})


@pytest.mark.parametrize("name", ["λ", "Σ", "SG", "M"])
def test_what_a_derivation_prints_is_no_name_of_a_parameter(name):
    with pytest.raises(InvalidExpression, match="not taken"):
        parse_loss("sum(z1*sg(z2))", {name: 1.0})


@pytest.mark.parametrize("text", ["z1 - lam", "sg(lam)", "norm(lam)", "lam +", "1/(lam - lam)", ""])
def test_text_that_is_no_rate_is_refused(text):
    with pytest.raises(InvalidExpression, match="rate"):
        parse_rate(text)


def test_a_rate_is_read_with_its_parameters():
    rate, numbers = parse_rate("k - sum(lam**2)/sum(lam)*lam", {"k": 2})
    assert numbers == (("k", 2.0),)
    assert rate.free_symbols == {sym.loss_parameter("k"), sym.lam}


@pytest.mark.parametrize(
    ("text", "closure"),
    [
        ("sum((lam*z1 - sg(z2))**4)", "exact moments"),
        ("sum((lam*z1 - sg(z2))**2)/norm(sg(z2))**3", "exact quadrature"),
        ("sum((lam*z1 - sg(z2))**2)/(1 + sum(sg(z2)**2))", "sampled"),
    ],
)
def test_the_closure_follows_from_the_loss(text, closure):
    run = eigendyn.simulate(parse_loss(text), [0.3, 0.8, 1.2], steps=5)
    assert run.attrs["closure"] == closure


@pytest.mark.parametrize(
    "text", ["sum(z1*sg(z2))/sqrt(sum(z1*sg(z2)))", "-sum(lam*z1*sg(z2))/sqrt(sum(lam*z1*sg(z2)))"]
)
def test_a_root_that_can_be_negative_is_refused(text):
    with pytest.raises(NoExactClosure, match="positive"):
        eigendyn.simulate(parse_loss(text), [0.3, 0.8, 1.2], steps=5)


def test_a_loss_without_a_value_diverges_at_the_start():
    loss = parse_loss("-sum(lam*z1*sg(z2))/sqrt(sum(lam**2*z1**2) - 2*sum(sg(z2)**2))")
    run = eigendyn.simulate(loss, [0.3, 0.8], steps=5, closure="sampled", samples=100)
    assert run.attrs["status"] == "diverged"
    assert "not finite" in run.attrs["message"]
    assert np.isfinite(run.variance).all()
