"""Claims about the gradient descent of networks."""

from dataclasses import replace

import numpy as np
import pytest
from structures import first_of

import eigendyn
from eigendyn.errors import EigendynError
from eigendyn.network import Network, descend
from eigendyn.network.descent import _advance
from eigendyn.settings.parameters import PARAMETERS

WEIGHTS = np.random.default_rng(0).normal(size=(4, 6)) / 2
SINGULAR = np.linalg.svd(WEIGHTS, compute_uv=False)
STEPS = np.arange(0, 101, 10)
RATE, DECAY = 0.1, 0.02


def population(weights=WEIGHTS, measures=("singular_value",), **settings):
    network = Network(
        **{"loss": "euclidean", "batch": None, "weight_decay": DECAY, "sigma1": 0.3} | settings
    )
    return descend(weights, network, STEPS, measures=measures)


@pytest.mark.parametrize(
    ("loss", "variant"),
    [
        pytest.param("euclidean", {}, marks=pytest.mark.full),
        ("euclidean", {"alpha": 0.5}),
        ("euclidean", {"beta": 0.5}),
        ("euclidean", {"stop_gradient": False}),
        pytest.param("iso-euclidean", {}, marks=pytest.mark.full),
        ("iso-euclidean", {"stop_gradient": False}),
    ],
)
def test_the_population_descends_as_the_expected_steps_say(loss, variant):
    """Two routes that share no code: symbolic modes, and a matrix by automatic differentiation."""
    found = population(loss=loss, sigma2=0.4, **variant).measures["singular_value"][0]
    theory = eigendyn.simulate(
        loss,
        SINGULAR**2,
        method="steps",
        sigma1=0.3,
        sigma2=0.4,
        weight_decay=DECAY,
        steps=100,
        saves=11,
        **variant,
    )
    np.testing.assert_allclose(found, theory.singular_value, rtol=1e-11)


def by_hand(step, **start):
    """Follow the modes, step by step, from the same singular values."""
    states = {name: np.array(value) for name, value in start.items()}
    saved = []
    for number in range(101):
        if number in STEPS:
            saved.append({name: value.copy() for name, value in states.items()})
        states = step(**states)
    return {name: np.stack([one[name] for one in saved], axis=-1) for name in states}


C1 = 1 + 0.3**2


def test_ema_target_and_learned_predictor_follow_their_mode_equations():
    """Tian et al. 2021, with an EMA target: s, ξ and p of every mode."""
    kappa, momentum, predictor_decay = 2.0, 0.95, 0.01

    def step(s, xi, p):
        residual = xi * s - p * C1 * s**2
        new = s + RATE * (p * residual / s - DECAY * s)
        return {
            "s": new,
            "xi": momentum * xi + (1 - momentum) * new,
            "p": p + RATE * (kappa * residual - predictor_decay * p),
        }

    expected = by_hand(step, s=SINGULAR, xi=SINGULAR, p=np.full(4, 0.5))
    found = population(
        measures=("singular_value", "target_value", "predictor_value", "off_mode_share"),
        predictor="learned",
        predictor_rate=kappa,
        predictor_decay=predictor_decay,
        target="ema",
        ema=momentum,
    ).measures
    for name, state in {
        "singular_value": "s",
        "target_value": "xi",
        "predictor_value": "p",
    }.items():
        np.testing.assert_allclose(found[name][0], expected[state], rtol=1e-11)
    assert found["off_mode_share"].max() < 1e-13


def test_running_correlation_follows_its_mode_equation():
    momentum = 0.8

    def step(s, c):
        c = momentum * c + (1 - momentum) * C1 * s**2
        return {"s": s + RATE * (c * (s**2 - c * C1 * s**2) / s - DECAY * s), "c": c}

    expected = by_hand(step, s=SINGULAR, c=C1 * SINGULAR**2)
    found = population(
        measures=("singular_value", "correlation_value"),
        predictor="running",
        correlation_momentum=momentum,
    ).measures
    np.testing.assert_allclose(found["singular_value"][0], expected["s"], rtol=1e-11)
    np.testing.assert_allclose(found["correlation_value"][0], expected["c"], rtol=1e-11)


def test_momentum_is_heavy_ball():
    def step(s, u):
        u = 0.7 * u - s * (s**2 - C1 * s**4) + DECAY * s
        return {"s": s - RATE * u, "u": u}

    expected = by_hand(step, s=SINGULAR, u=np.zeros(4))
    found = population(momentum=0.7).measures["singular_value"][0]
    np.testing.assert_allclose(found, expected["s"], rtol=1e-11)


@pytest.mark.parametrize(
    "structure",
    first_of(
        {"predictor": "running", "epsilon": 0.1, "alpha": 0.5, "batch": 20},
        {"predictor": "learned", "predictor_rate": 2.0, "target": "ema", "ema_schedule": "cosine"},
        {"beta": 0.5, "momentum": 0.1, "weight_decay": 0.01},
        {"loss": "gamma*sum(lam*z1*sg(z2))", "parameters": (("gamma", -0.7),), "batch": 20},
    ),
)
def test_networks_that_differ_in_numbers_share_compiled_code(structure):
    one = Network(**{"loss": "euclidean", "sigma1": 0.2, "batch": None} | structure)
    numbers = {name: getattr(one, name) for name in PARAMETERS}
    other = {name: 0.9 * value for name, value in numbers.items() if value not in (None, 0, 1)}
    other |= {"steps": 10, "batch": one.batch and 30}
    other["parameters"] = tuple((name, 0.9 * value) for name, value in one.parameters)
    before = _advance._cache_size()
    for network in (one, replace(one, **other)):
        descend(WEIGHTS, network, [0, 1], measures=())
    assert _advance._cache_size() == before + 1


def test_samples_follow_the_singular_values():
    """z(t) = U diag(s(t)/s(0)) Uᵀ z(0), without decay or noise."""
    samples = np.random.default_rng(1).normal(size=(6, 5))
    network = Network("euclidean", batch=None)
    run = descend(
        WEIGHTS, network, STEPS, measures=("singular_value", "representation"), samples=samples
    )
    left = np.linalg.svd(WEIGHTS)[0]
    gain = run.measures["singular_value"][0, :, -1] / SINGULAR
    expected = (left * gain) @ left.T @ WEIGHTS @ samples
    np.testing.assert_allclose(run.measures["representation"][0, ..., -1], expected, rtol=1e-10)


def test_networks_draw_batches_of_their_own_and_the_same_ones_again():
    network = Network("euclidean", batch=20)
    one, same = (descend(WEIGHTS, network, [0, 5], seeds=2, seed=3).measures for _ in range(2))
    np.testing.assert_array_equal(one["singular_value"], same["singular_value"])
    assert (one["singular_value"][0, :, -1] != one["singular_value"][1, :, -1]).all()
    other = descend(WEIGHTS, network, [0, 5], seed=4).measures
    assert (one["singular_value"][0, :, -1] != other["singular_value"][0, :, -1]).all()


def test_saved_steps_do_not_change_the_descent():
    network = Network("euclidean", batch=50)
    few, many = (
        descend(WEIGHTS, network, steps).measures["singular_value"][..., -1]
        for steps in ([0, 130], range(131))
    )
    np.testing.assert_array_equal(few, many)


def test_only_what_is_asked_for_is_kept():
    run = descend(WEIGHTS, Network("euclidean", batch=None), [0, 1, 2], measures=("loss",))
    assert set(run.measures) == {"loss"}
    assert run.measures["loss"].shape == (1, 3)


def test_a_diverging_descent_is_cut_and_says_where():
    run = descend(5 * WEIGHTS, Network("euclidean", batch=10, learning_rate=3.0), STEPS, seeds=2)
    assert run.status == "diverged"
    assert np.isfinite(run.measures["singular_value"]).all()
    assert run.measures["singular_value"].shape[-1] == len(run.steps) < len(STEPS)
    assert f"between steps {run.steps[-1]} and" in run.message


def test_float32_is_float32_and_near():
    single, double = (
        descend(WEIGHTS, Network("euclidean", batch=None, dtype=dtype), STEPS).measures
        for dtype in ("float32", "float64")
    )
    assert single["singular_value"].dtype == np.float32
    np.testing.assert_allclose(single["singular_value"], double["singular_value"], rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((np.full((2, 3), np.nan), Network(), [0, 1]), "finite"),
        ((np.zeros((2, 3)), Network(), [0, 1]), "all are 0"),
        ((np.ones((3, 2)), Network(), [0, 1]), "at least as many inputs"),
        ((np.ones(3), Network(), [0, 1]), "shape"),
        (([["a"]], Network(), [0, 1]), "real numbers"),
        ((WEIGHTS, Network(), [1, 2]), "increase from 0"),
        ((WEIGHTS, Network(), [0, 2, 2]), "increase from 0"),
        ((WEIGHTS, Network(), [0, 1.5]), "whole numbers"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(arguments, said):
    with pytest.raises(EigendynError, match=said):
        descend(*arguments)


def test_bad_options_are_refused_in_one_sentence():
    with pytest.raises(EigendynError, match="Did you mean 'singular_value'"):
        descend(WEIGHTS, Network(), [0, 1], measures=("singular_values",))
    with pytest.raises(EigendynError, match="each of the 6 inputs"):
        descend(WEIGHTS, Network(), [0, 1], samples=np.ones((5, 2)))
    with pytest.raises(EigendynError, match="seeds"):
        descend(WEIGHTS, Network(), [0, 1], seeds=0)
