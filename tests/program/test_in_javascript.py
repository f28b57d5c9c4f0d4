"""Claims about the JavaScript of a field: it is the Python field, number by number."""

import jax
import numpy as np
import pytest
from in_node import field_in_node, system_and_dynamics
from structures import full_but

from eigendyn.program.in_javascript import javascript_field
from eigendyn.theory.loss_text import parse_loss

OWN = {
    "quartic": ("sum((lam*z1 - g*sg(z2))**4*lam) - sum(lam*z1**2*z2**2)**2", {"g": 0.3}),
    "ratio": ("sum((lam*z1 - g*sg(z2))**2*lam)/norm(z2)", {"g": 0.3}),
    "sampled": ("sum((lam*z1 - sg(z2))**2)/sqrt(1 + part0*sum(z1**2)**2)", {"part0": 0.4}),
}
SYSTEMS = {
    "cosine": ("cosine", 2, {}),
    "euclidean": ("euclidean", 2, {}),
    "iso-cosine": ("iso-cosine", 2, {}),
    "iso-euclidean": ("iso-euclidean", 2, {}),
    "cosine, square root": ("cosine", 2, {"alpha": 0.5}),
    "cosine, β = 0.3": ("cosine", 2, {"beta": 0.3}),
    "cosine, no stop-gradient": ("cosine", 2, {"stop_gradient": False}),
    "cosine, no predictor": ("cosine", 2, {"predictor": "none"}),
    "cosine, copied predictor, three modes": ("cosine", 3, {"predictor": "copy"}),
    "cosine, mean field": ("cosine", 2, {"closure": "mean-field"}),
    "cosine, sampled": ("cosine", 2, {"closure": "sampled", "samples": 500}),
    "cosine, learned predictor and target": (
        "cosine",
        2,
        {"predictor": "learned", "target": "ema", "momentum": 0.9},
    ),
    "euclidean, learned predictor": ("euclidean", 1, {"predictor": "learned"}),
    "euclidean, target": ("euclidean", 1, {"target": "ema"}),
    "euclidean, running correlation": (
        "euclidean",
        1,
        {"predictor": "running", "epsilon": 0.1, "alpha": 0.3},
    ),
    **{name: (parse_loss(*own), 2, {"samples": 500}) for name, own in OWN.items()},
}


FEW = {
    *("iso-euclidean", "cosine, square root", "cosine, no stop-gradient", "cosine, mean field"),
    *("cosine, copied predictor, three modes", "euclidean, running correlation", "quartic"),
}


@pytest.mark.parametrize("name", full_but({name: name for name in SYSTEMS}, FEW))
def test_a_thousand_random_states_have_the_same_rates_as_in_python(name):
    loss, modes, settings = SYSTEMS[name]
    system, dynamics = system_and_dynamics(loss, modes, **settings)
    rng = np.random.default_rng(0)
    states = rng.uniform(0.03, 1.5, (1000, len(system.names)))
    chosen = {key: value + 0.3 * rng.uniform() for key, value in system.parameters.items()}
    expected = np.asarray(jax.jit(jax.vmap(lambda x: system(x, **chosen)))(states))
    found = field_in_node(system, dynamics, states, chosen)
    assert np.abs(found - expected).max() < 1e-6
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_a_mode_at_zero_stays_at_zero():
    system, dynamics = system_and_dynamics("cosine", 2)
    ((rate, _),) = field_in_node(system, dynamics, [[0.0, 0.8]], dict(system.parameters))
    assert rate == 0


def test_the_code_grows_with_the_number_of_modes_and_not_with_its_square():
    system, dynamics = system_and_dynamics("cosine", 2)
    few, many = (len(javascript_field(dynamics, m, tuple(system.parameters))) for m in (2, 32))
    assert many < 16 * few


def test_no_name_that_a_user_chose_gets_into_the_code():
    loss = parse_loss("sum((lam*z1 - alert*sg(z2))**2)", {"alert": 0.5})
    system, dynamics = system_and_dynamics(loss, 2)
    assert "alert" not in javascript_field(dynamics, 2, tuple(system.parameters))
