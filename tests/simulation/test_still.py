"""Claims about modes that cannot move."""

import numpy as np
import pytest

import eigendyn
from eigendyn.simulation.equations import equations
from eigendyn.simulation.still import moving_modes
from eigendyn.theory.loss_text import parse_loss

V = [0.0, 0.3, 0.0, 1.0, 0.0, 0.6]
MOVING = [1, 3, 5]


def start(program, spectrum=V):
    states = np.zeros((len(program.states), len(spectrum)))
    states[0] = np.sqrt(spectrum)
    return states


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "cosine"},
        {"loss": "iso-cosine", "stop_gradient": False},
        {"loss": "euclidean", "predictor": "learned", "momentum": 0.5},
        {"loss": "cosine", "predictor": "running", "target": "ema", "ema": 0.9},
        {"loss": "cosine", "closure": "mean-field"},
        {"loss": "euclidean", "closure": "sampled"},
    ],
)
def test_one_mode_without_variance_stands_for_all(settings):
    settings = dict(settings)
    program = equations(settings.pop("loss"), settings).program
    moving = moving_modes(program, start(program))
    assert moving.some.tolist() == [0, 1, 3, 5]
    assert moving.place.tolist() == [0, 1, 0, 2, 0, 3]


@pytest.mark.parametrize(
    ("loss", "settings"),
    [
        ("sum((lam*z1 - sg(z2))**2)*sum(lam + 1)", {}),
        ("sum((lam*z1 - sg(z2))**2)/sum(1/(1 + lam))", {}),
    ],
)
def test_modes_without_variance_that_others_feel_are_kept(loss, settings):
    program = equations(parse_loss(loss), settings).program
    assert len(moving_modes(program, start(program)).some) == len(V)


def test_modes_without_variance_change_nothing_and_come_back_in_their_place():
    options = {"steps": 100, "predictor": "learned", "predictor_decay": 0.05, "saves": 11}
    whole = eigendyn.simulate("cosine", V, **options)
    few = eigendyn.simulate("cosine", np.array(V)[MOVING], **options)
    assert whole.status == "completed"
    np.testing.assert_allclose(whole.variance[MOVING], few.variance, rtol=1e-8)
    assert (whole.variance[[0, 2, 4]] == 0).all()
    decay = np.exp(-0.05 * whole.time) * whole.predictor_value[0, 0]
    for mode in (0, 2, 4):
        np.testing.assert_allclose(whole.predictor_value[mode], decay, rtol=1e-8)
    assert whole.outcome[[0, 2, 4]].values.tolist() == ["collapsed"] * 3


def test_a_thousand_modes_without_variance_take_no_nodes_and_no_code():
    spectrum = np.zeros(1024)
    spectrum[::128] = np.linspace(0.2, 2, 8)
    program = equations("cosine", {}).program
    assert len(moving_modes(program, start(program, spectrum)).some) == 9
