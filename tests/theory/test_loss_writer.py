"""Claims about losses that are written: what is read back is the same expression."""

import pytest
import sympy as sp
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from eigendyn.errors import EigendynError, InvalidExpression
from eigendyn.settings.choices import LOSS_ROWS
from eigendyn.theory import formula
from eigendyn.theory import symbols as sym
from eigendyn.theory.loss_text import parse_loss
from eigendyn.theory.loss_writer import write_loss
from eigendyn.theory.losses import LOSSES, named_loss
from eigendyn.theory.symbols import lam, mode_sum, norm, stop_gradient, z1, z2

BETAS = (None, -1, 0.5, 1, 2)
VARIANTS = [
    (name, beta, predictor, stop)
    for name in LOSSES
    for beta in (BETAS if LOSS_ROWS[name].takes_beta else (None,))
    for predictor in (True, False)
    for stop in (True, False)
]
GAMMA, DELTA = sym.loss_parameter("gamma"), sym.loss_parameter("δ")
NUMBERS = {"gamma": 0.5, "δ": 2.0}


def read(text):
    return parse_loss(text, NUMBERS).expression


@pytest.mark.parametrize(("name", "beta", "predictor", "stop"), VARIANTS)
def test_every_loss_and_variant_is_read_back(name, beta, predictor, stop):
    loss = named_loss(name, beta=beta, predictor=predictor, stop_gradient=stop)
    assert read(write_loss(loss.expression)) == loss.expression


@pytest.mark.parametrize(("name", "beta", "predictor", "stop"), VARIANTS)
def test_what_a_derivation_prints_of_a_loss_is_read_back(name, beta, predictor, stop):
    loss = named_loss(name, beta=beta, predictor=predictor, stop_gradient=stop)
    assert read(formula.text(loss.expression)) == loss.expression


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (named_loss("euclidean").expression, "sum((lam*z1 - sg(z2))**2)/2"),
        (
            named_loss("cosine").expression,
            "-sum(lam*z1*sg(z2))/(norm(lam*z1)*norm(sg(z2)))",
        ),
        (GAMMA * norm(z1) / 3, "gamma*norm(z1)/3"),
        (-(norm(2 * z1) ** 3), "-norm(2*z1)**3"),
        (1 / norm(z1 - z2), "1/norm(z1 - z2)"),
        (sp.sqrt(mode_sum(lam * z1**2)), "sqrt(sum(lam*z1**2))"),
        (sp.sqrt(mode_sum(-3 * z2**2)), "sqrt(sum(-3*z2**2))"),
        (mode_sum(z1**2) ** sp.Rational(3, 4), "sum(z1**2)**(3/4)"),
        (norm(z1) ** 7, "sum(z1**2)**(7/2)"),
        (mode_sum(z1 * z2) / sym.modes, "sum(z1*z2)/sum(1)"),
        (0.1 * mode_sum(z1 * z2), "sum(z1*z2)/10"),
        (mode_sum((z1 * z2) ** 2) ** 0.5, "norm(z1*z2)"),
        (mode_sum(abs(z1 - z2) * abs(lam)), "sum(lam*sqrt((z1 - z2)**2))"),
        (mode_sum(1) * norm(norm(z1)), "sum(1)**(3/2)*norm(z1)"),
    ],
)
def test_text_is_short(expression, text):
    assert write_loss(expression) == text
    decimals = {x: sp.nsimplify(x, rational=True) for x in expression.atoms(sp.Float)}
    assert read(text) == expression.xreplace(decimals)


def scalars():
    """Expressions without a mode outside their sums, which parse_loss could have read."""
    numbers = st.sampled_from([sp.S(2), -sp.S(3), sp.Rational(2, 3), sp.sqrt(2), GAMMA, DELTA])
    powers = st.sampled_from([sp.S(2), -sp.S(1), sp.Rational(1, 2), -sp.Rational(3, 2), sp.S(3)])
    scale = st.sampled_from([sp.S(1), lam, sp.sqrt(lam), 1 / lam, lam**2])
    views = st.builds(lambda a, b: a * b, scale, st.sampled_from([z1, z2]))
    vectors = st.recursive(
        views,
        lambda inner: st.one_of(
            st.builds(lambda a, b: a + b, inner, inner),
            st.builds(lambda a, b: a * b, numbers, inner),
            st.builds(stop_gradient, inner),
        ),
        max_leaves=4,
    )
    sums = st.one_of(
        st.builds(lambda a, b: mode_sum(a * b), vectors, vectors), st.builds(norm, vectors)
    )
    return st.recursive(
        sums,
        lambda inner: st.one_of(
            st.builds(lambda a, b: a + b, inner, inner),
            st.builds(lambda a, b: a - b / 3, inner, numbers),
            st.builds(lambda a, b: a * b, inner, inner),
            st.builds(lambda a, b: a**b, inner, powers),
            st.builds(stop_gradient, inner),
            st.builds(lambda a, b, c: mode_sum(a * b * c), inner, vectors, vectors),
            st.just(sym.modes),
        ),
        max_leaves=4,
    )


def read_back(text):
    """The loss of a text, unless that is refused for its size or its meaning."""
    try:
        return read(text)
    except EigendynError as refusal:
        assume(not any(word in str(refusal) for word in ("beyond", "too large", "more than")))
        assume("depend on z1" not in str(refusal) and "exponent" not in str(refusal))
        raise


@pytest.mark.full
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scalars())
def test_generated_losses_are_read_back(expression):
    assume(not expression.has(sp.zoo, sp.nan, sp.oo))
    again = read_back(write_loss(expression))
    assert again == expression or sym.equal(again, expression)
    printed = read_back(formula.text(again))
    assert printed == again or sym.equal(printed, again)
    stopped = (map(sp.expand, loss.atoms(sym.StopGradient)) for loss in (again, expression))
    assert len(set(map(frozenset, stopped))) == 1


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (sp.exp(mode_sum(z1 * z2)), "knows sums"),
        (sp.pi * mode_sum(z1 * z2), "knows sums"),
        (sp.I * mode_sum(z1 * z2), "knows sums"),
        (sp.oo, "knows sums"),
        (named_loss("cosine", beta=sym.beta).expression, "plain numbers as exponents"),
        (mode_sum(z1**2) ** GAMMA, "plain numbers as exponents"),
        (sym.sigma1 * mode_sum(z1**2), "no letter"),
        (sym.beta * mode_sum(z1**2), "no letter"),
        (sp.Symbol("a b") * mode_sum(z1**2), "no letter"),
        (sp.Symbol("norm") * mode_sum(z1**2), "no letter"),
        (sp.Symbol("z1") * mode_sum(z1**2), "no letter"),
    ],
)
def test_what_the_language_has_no_words_for_is_refused(expression, words):
    with pytest.raises(InvalidExpression, match=words) as refusal:
        write_loss(expression)
    assert "\n" not in str(refusal.value)
