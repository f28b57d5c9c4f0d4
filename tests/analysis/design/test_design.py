"""Claims about designed losses: they have the wanted rate, and what is said of them holds."""

import numpy as np
import pytest
from structures import first_of

import eigendyn
from eigendyn.analysis.design import design_loss, design_multiplier
from eigendyn.errors import InvalidExpression, InvalidSetting, UnknownName
from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import descent_directions
from eigendyn.theory.loss_writer import write_loss

RATES = {  # text, the same by hand
    "1 - lam": lambda v: 1 - v,
    "sum(lam)/sum(1) - lam": lambda v: v.mean() - v,
    "(lam - 0.1)*(1 - lam)": lambda v: (v - 0.1) * (1 - v),
    "lam**0.5*(2 - lam)/(1 + lam)": lambda v: np.sqrt(v) * (2 - v) / (1 + v),
    "1/lam - sqrt(sum(lam**2))": lambda v: 1 / v - np.sqrt((v**2).sum()),
    "0.3": lambda v: 0.3 + 0 * v,
}


def growth(loss, variances, **settings):
    field, states, parameters = eigendyn.vector_field(loss, variances, closure="exact", **settings)
    return np.asarray(field(0.0, states, parameters)[0] / states[0])


@pytest.mark.parametrize("sigma1", first_of(0.6, 0.0))
@pytest.mark.parametrize("rate", RATES)
def test_a_designed_loss_has_the_wanted_rate(rate, sigma1):
    design = design_loss(rate, sigma1=sigma1)
    read_again = eigendyn.parse_loss(write_loss(design.loss.expression))
    for variances in (np.array([0.05, 0.3, 1.0, 2.0]), np.array([3.0, 0.7])):
        wanted = RATES[rate](variances)
        for loss in (design.loss, read_again):
            found = growth(loss, variances, sigma1=sigma1, sigma2=0.2)
            np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10)
    assert design.deviation < 1e-10
    assert sym.equal(design.derived, design.wanted)


def test_a_rate_is_twice_alpha_of_the_eigenvalues():
    design = design_loss("1 - lam")
    variances, alpha = np.array([0.2, 0.9]), 0.5
    field, states, parameters = eigendyn.vector_field(design.loss, variances, alpha=alpha)
    eigenvalues = variances**alpha
    rates = 2 * alpha * np.asarray(field(0.0, states, parameters)[0] / states[0]) * eigenvalues
    np.testing.assert_allclose(rates, 2 * alpha * eigenvalues * (1 - eigenvalues), rtol=1e-12)


def assert_moves_as(design, iso):
    directions = descent_directions(design.loss), descent_directions(eigendyn.named_loss(iso))
    assert all(map(sym.equal, *directions))


def test_equal_rates_are_the_isotropic_losses():
    assert_moves_as(design_loss("1 - lam"), "iso-euclidean")
    design = design_multiplier("euclidean", "1")
    assert_moves_as(design, "iso-euclidean")
    assert design.loss.beta == 1


@pytest.mark.full  # seconds of algebra
def test_equal_rates_of_the_cosine_loss_are_the_isotropic_one():
    design = design_multiplier("cosine", "1")
    assert_moves_as(design, "iso-cosine")
    assert design.loss.beta == 1
    assert design.gives_up[0] == "Every sample conserves Σ_k[v_k*v_k^α]."


@pytest.mark.parametrize("loss", first_of("euclidean", "cosine"))
def test_a_multiplier_takes_the_place_of_the_eigenvalue(loss):
    design = design_multiplier(loss, "a + lam**2", {"a": 0.5}, sigma1=0.3)
    variances = np.array([0.1, 0.5, 1.5])
    plain = growth(loss, variances, sigma1=0.3)
    found = growth(design.loss, variances, sigma1=0.3)
    np.testing.assert_allclose(found, plain * (0.5 + variances**2) / variances, rtol=1e-10)
    assert design.deviation < 1e-10
    assert design.loss.parameters == (("a", 0.5),)


def test_a_parameter_of_a_rate_can_be_swept():
    design = design_loss("gain*(1 - lam)", {"gain": 2.0})
    text = write_loss(design.loss.expression)
    for gain in (0.5, 3.0):
        loss = eigendyn.parse_loss(text, {"gain": gain})
        np.testing.assert_allclose(growth(loss, [0.4, 0.8]), gain * np.array([0.6, 0.2]))


@pytest.mark.full  # other losses of one's own are cross-checked in network/test_written.py
def test_descent_of_a_network_follows_a_design():
    loss = design_loss("sum(lam)/sum(1) - lam").loss
    found = eigendyn.crosscheck(loss, steps=100, batch=2_000, seed=1)
    assert found["agreement"].attrs["verdict"] == "agrees"


@pytest.mark.parametrize(
    ("rate", "sentences"),
    [
        (
            "(lam - 0.1)*(1 - lam)",
            (
                "Equal eigenvalues rest at λ = 0.1 (unstable), 1 (stable); beyond, they shrink.",
                "Small modes beside modes of λ = 1 collapse.",
            ),
        ),
        (
            "sum(lam)/sum(1) - lam",
            (
                "No sum over modes is conserved by every sample; Σ ln λ is on average (α = 1).",
                "Equal eigenvalues rest at any common value.",
                "If all eigenvalues are scaled together, the rates scale with power 1.",
            ),
        ),
        (
            "lam - 2*lam**2",
            (
                "Equal eigenvalues rest at λ = 0.5 (stable); beyond, they shrink.",
                "Small modes are recruited slowly: their rate goes about as λ^1 as λ → 0.",
            ),
        ),
        (
            "1/lam",
            (
                "Equal eigenvalues rest nowhere between 0.01 and 100: they grow without bound.",
                "Small modes are recruited explosively: their rate goes about as λ^-1 as λ → 0.",
                "The noise of the views does not change the rates.",
                "No term has z1, so that nothing holds the two views together.",
            ),
        ),
        ("-lam", ("No term has z2, so that the two views are never compared.",)),
    ],
)
def test_what_a_design_gives_up_is_told(rate, sentences):
    assert set(sentences) <= set(design_loss(rate).gives_up)


@pytest.mark.parametrize(
    ("rate", "says"),
    [
        ("0", "zero everywhere"),
        ("lam - lam", "zero everywhere"),
        ("1/(1 - lam)", "can be zero"),
        ("1/(sum(lam) - 2*lam)", "can be zero"),
        ("(1 - lam)**0.5", "can be negative"),
    ],
)
def test_a_rate_that_is_not_always_a_number_is_refused(rate, says):
    with pytest.raises(InvalidSetting, match=says):
        design_loss(rate)


def test_what_is_no_rate_is_refused():
    for rate in ("1 - z1", "import os", "sg(lam)", "", "gain*lam"):
        with pytest.raises(InvalidExpression, match="Try"):
            design_loss(rate)
    with pytest.raises(UnknownName, match="loss"):
        design_multiplier("hinge", "1")
    with pytest.raises(InvalidSetting, match="sigma1"):
        design_loss("1 - lam", sigma1=-1)
