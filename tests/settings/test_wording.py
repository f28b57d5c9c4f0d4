"""Claims about the line of words that says which run it was."""

import json

import pytest

from eigendyn.settings.wording import told
from eigendyn.simulation.simulate import simulated


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "cosine"),
        ({"weight_decay": 0.02}, "cosine, weight decay 0.02"),
        (
            {"predictor": "learned", "target": "ema", "weight_decay": 0.02},
            "cosine, learned predictor, EMA target, weight decay 0.02",
        ),
        ({"predictor": "copy"}, "cosine, copied predictor"),  # its ε = 0.25 follows
        (
            {"predictor": "running", "correlation_momentum": 0.5, "epsilon": 0.1},
            "cosine, running predictor, ε = 0.1, correlation momentum 0.5",
        ),
        ({"target": "ema", "ema": 0.5}, "cosine, EMA target, EMA momentum 0.5"),
        ({"predictor": "none"}, "cosine, no predictor"),
        ({"stop_gradient": False, "sigma2": 0.3}, "cosine, no stop-gradient, σ₂ = 0.3"),
        ({"beta": 0.5, "momentum": 0.9}, "cosine, β = 0.5, momentum 0.9"),
    ],
)
def test_every_setting_that_is_not_usual_is_said(settings, words):
    run = simulated("cosine", [0.3, 1.0], steps=2, method="steps", **settings)
    assert told(run.attrs["loss"], json.loads(run.attrs["settings"])) == words


def test_what_changes_while_one_looks_is_not_said():
    settings = {"predictor": "learned", "weight_decay": 0.1, "sigma1": 0.3}
    words = told("cosine", settings, without=("weight_decay", "sigma1"))
    assert words == "cosine, learned predictor"
