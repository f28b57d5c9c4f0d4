"""Claims about networks whose inputs have a signal and noises of their own, without sampling.

A loss that is quadratic in the inputs has the population's gradient in closed form, in the original
basis and by automatic differentiation; the mode theory knows nothing of either.
"""

import numpy as np
import pytest
from structures import first_of

import eigendyn
from eigendyn.network import Network, descend

SINGULAR, SIGNAL = np.array([1.2, 0.9, 0.6, 0.4]), (2.0, 1.0, 0.5, 0.25)
COMMON = {
    "signal": SIGNAL,
    "noise1": (0.05, 0.4, 0.02, 0.3),
    "noise2": (0.1, 0.1, 0.3, 0.02),
    "weight_decay": 0.01,
    "learning_rate": 0.05,
}
STRUCTURES = {
    "direct": {},
    "first view, α = 1/2": {"correlation": "first-view", "alpha": 0.5},
    "weights, normalised": {"correlation": "weights", "normalize": True},
    "running": {"predictor": "running"},
    "running, clean": {"predictor": "running", "correlation": "clean"},
    "copied": {"predictor": "copy"},
    "EMA target, momentum": {"target": "ema", "ema": 0.9, "momentum": 0.5},
    "no stop-gradient": {"stop_gradient": False},
    "learned": {"predictor": "learned"},
}
LOSSES = {"learned": ("euclidean",)}


@pytest.mark.parametrize("name", first_of(*STRUCTURES))
def test_the_population_descends_as_the_modes_do(name):
    given = COMMON | STRUCTURES[name]
    for loss in LOSSES.get(name, ("euclidean", "iso-euclidean")):
        network = Network(loss, batch=None, **given)
        found = descend(np.diag(SINGULAR), network, np.arange(0, 101, 20))
        start = SINGULAR**2 * SIGNAL
        theory = eigendyn.simulate(loss, start, steps=100, method="steps", saves=6, **given)
        trained = found.measures["singular_value"][0]
        np.testing.assert_allclose(trained, theory["singular_value"], atol=1e-12)
