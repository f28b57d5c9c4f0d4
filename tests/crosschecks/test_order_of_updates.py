"""Claims about the order in which a step of training updates its parts.

The reference here is a third one beside theory and network: a loop over single numbers, written
from the texts of the published algorithms. Under the Euclidean loss and isotropic Gaussian inputs
the expected gradients of a mode are

    −∂ℓ/∂s = p ξ − c1 p² s,   −∂ℓ/∂p = s ξ − c1 p s²,   c1 = 1 + σ1²

with the target's singular value ξ. Of the algorithms it takes, word for word:

- PyTorch's SGD: g ← g + weight_decay·w; buf ← momentum·buf + g, the first buf being g;
  w ← w − lr·buf
- BYOL: gradients of encoder and predictor at once, the optimiser's step, then in step k = 0, 1, …
  ξ ← τ ξ + (1 − τ) θ with the new θ, τ = 1 − (1 − τ0)(cos(πk/K) + 1)/2
- DirectPred in solo-learn: the batch's correlation goes into the average, whose eigenvalues are the
  predictor's for this batch; in luckmatters the predictor is set after the optimiser's step
"""

import math

import numpy as np
import pytest
from structures import full_but

import eigendyn
from eigendyn.errors import InvalidSetting
from eigendyn.network import Network, descend
from eigendyn.settings.choices import CORRELATION_ORDERS
from eigendyn.settings.presets import preset_settings
from eigendyn.settings.run_settings import Settings

WEIGHTS = np.random.default_rng(5).normal(size=(3, 5)) / 2
SINGULAR = np.linalg.svd(WEIGHTS, compute_uv=False)
SIGMA1, RATE, STEPS = 0.4, 0.1, 30
C1 = 1 + SIGMA1**2
COMMON = {"sigma1": SIGMA1, "learning_rate": RATE, "steps": STEPS}


class Sgd:
    """torch.optim.SGD without dampening or Nesterov, for one number."""

    def __init__(self, lr, momentum=0.0, weight_decay=0.0):
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.buf = None

    def step(self, w, g):
        g = g + self.weight_decay * w
        self.buf = g if self.buf is None else self.momentum * self.buf + g
        return w - self.lr * self.buf


def trained(theta, settings):
    """Singular value of one mode after every step, trained as the published code does."""
    momentum, kappa = settings.get("momentum", 0.0), settings.get("predictor_rate", 1.0)
    encoder = Sgd(RATE, momentum, settings.get("weight_decay", 0.0))
    # a learning rate of κη: the optimiser's decay is multiplied by it as the gradient is
    predictor = Sgd(kappa * RATE, momentum, settings.get("predictor_decay", 0.0) / kappa)
    kind, order = settings.get("predictor"), settings.get("correlation_order", "update-first")
    target, weight, average = theta, 0.5, C1 * theta**2
    history = [theta]
    for k in range(STEPS):
        batch = C1 * theta**2  # mean square of z1
        if kind == "running":
            rho = settings["correlation_momentum"]
            if order == "update-first":
                average = rho * average + (1 - rho) * batch
            weight = average
            if order == "use-first":  # for the next batch
                average = rho * average + (1 - rho) * batch
        elif kind != "learned":
            weight = theta**2
        seen = target if "ema" in settings else theta
        gradient = -(weight * seen - C1 * weight**2 * theta)
        gradient_of_weight = -(theta * seen - C1 * weight * theta**2)
        theta = encoder.step(theta, gradient)
        if kind == "learned":
            weight = predictor.step(weight, gradient_of_weight)
        if "ema" in settings:
            tau = settings["ema"]
            if settings.get("ema_schedule") == "cosine":
                tau = 1 - (1 - tau) * (math.cos(math.pi * k / STEPS) + 1) / 2
            target = tau * target + (1 - tau) * theta
        history.append(theta)
    return history


LEARNED = {"predictor": "learned", "predictor_rate": 2.0, "predictor_decay": 0.07}
RUNNING = {"predictor": "running", "correlation_momentum": 0.7}
EMA = {"target": "ema", "ema": 0.8}
SYSTEMS = {
    "plain": {},
    "decay": {"weight_decay": 0.05},
    "momentum": {"weight_decay": 0.05, "momentum": 0.8},
    "target": EMA,
    "scheduled target": {**EMA, "ema_schedule": "cosine"},
    "target and momentum": {**EMA, "momentum": 0.8, "weight_decay": 0.05},
    "learned": LEARNED,
    "BYOL": {**LEARNED, **EMA, "ema_schedule": "cosine", "momentum": 0.6, "weight_decay": 0.02},
    "updated first": {**RUNNING, "correlation_order": "update-first"},
    "used first": {**RUNNING, "correlation_order": "use-first"},
    "DirectPred": {**RUNNING, **EMA, "correlation_order": "use-first", "momentum": 0.5},
}


FEW = {"momentum", "updated first", "BYOL", "DirectPred"}  # every part stands in one


@pytest.mark.parametrize("settings", full_but(SYSTEMS, FEW))
def test_theory_and_network_train_as_the_published_algorithms(settings):
    """Three routes: symbolic modes, matrices by automatic differentiation, and this loop."""
    expected = np.array([trained(s, settings) for s in SINGULAR])
    theory = eigendyn.simulate(
        "euclidean", SINGULAR**2, method="steps", saves=STEPS + 1, **COMMON | settings
    )
    # where a mode swings through zero, the round-off of its neighbourhood of one is all there is
    np.testing.assert_allclose(theory.singular_value, expected, rtol=1e-12, atol=1e-15)
    network = Network("euclidean", batch=None, **COMMON | settings)
    found = descend(WEIGHTS, network, range(STEPS + 1)).measures["singular_value"]
    np.testing.assert_allclose(found[0], expected, rtol=1e-11)


def ends(**settings):
    """Last singular values of the theory and of a network."""
    theory = eigendyn.simulate(
        "euclidean", SINGULAR**2, method="steps", saves=2, **COMMON | settings
    )
    network = Network("euclidean", batch=None, **COMMON | settings)
    found = descend(WEIGHTS, network, [0, STEPS]).measures["singular_value"]
    return np.array([theory.singular_value[:, -1], found[0, :, -1]])


def test_a_target_without_momentum_is_the_shared_one():
    np.testing.assert_allclose(ends(target="ema", ema=0.0), ends(), rtol=1e-12)
    run = eigendyn.simulate("euclidean", [0.3], method="steps", target="ema", ema=0.0, steps=20)
    assert float(run.variance[0, 2]) == pytest.approx(0.326320, abs=5e-7)  # after two steps


def test_a_target_without_momentum_is_the_shared_one_under_the_cosine_loss_too():
    one, other = (
        eigendyn.simulate("cosine", SINGULAR**2, method="steps", saves=2, **COMMON, **target)
        for target in ({}, {"target": "ema", "ema": 0.0})
    )
    np.testing.assert_allclose(one.variance, other.variance, rtol=1e-9)


def test_a_correlation_without_momentum_is_that_of_the_batch_if_it_is_updated_first():
    """Without noise that is the direct predictor's; the other order is a step late."""
    direct = ends(sigma1=0.0)
    running = {"predictor": "running", "correlation_momentum": 0.0, "sigma1": 0.0}
    np.testing.assert_allclose(ends(**running), direct, rtol=1e-12)
    late = ends(**running, correlation_order="use-first")
    assert (np.abs(late / direct - 1).max(axis=1) > 1e-3).all()


def test_a_network_updates_first_with_the_very_batch_that_it_then_uses():
    """After one step both orders hold the same correlation, and only one has used it."""
    shared = {"sigma2": 0.0, "batch": 12, "steps": 1}
    running = Network("euclidean", predictor="running", correlation_momentum=0.0, **shared)
    end = descend(WEIGHTS, running, [0, 1], measures=("singular_value", "correlation_value"))
    late = Network(
        "euclidean",
        predictor="running",
        correlation_momentum=0.0,
        correlation_order="use-first",
        **shared,
    )
    other = descend(WEIGHTS, late, [0, 1], measures=("singular_value", "correlation_value"))
    batch = end.measures["correlation_value"][0, :, 1]
    np.testing.assert_allclose(other.measures["correlation_value"][0, :, 1], batch, rtol=1e-12)
    assert (np.abs(batch / SINGULAR**2 - 1) > 1e-2).any()  # of twelve samples, not of all
    assert (end.measures["singular_value"] != other.measures["singular_value"])[0, :, 1].all()


def test_presets_have_the_order_of_their_code():
    assert Settings().correlation_order == CORRELATION_ORDERS[0] == "update-first"
    for name in ("directpred", "directcopy"):
        assert preset_settings(name)["correlation_order"] == "use-first"
        assert "correlation_order" not in preset_settings(name, predictor="learned")


@pytest.mark.parametrize("predictor", ["direct", "copy", "learned", "none"])
def test_an_order_without_a_running_correlation_is_refused(predictor):
    with pytest.raises(InvalidSetting, match="there is none"):
        Settings(predictor=predictor, correlation_order="use-first")
    with pytest.raises(InvalidSetting, match="there is none"):
        Network(predictor=predictor, correlation_order="use-first")
