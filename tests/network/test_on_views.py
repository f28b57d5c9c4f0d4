"""Claims about networks that are trained on views drawn elsewhere."""

from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest
import xarray
from structures import full_but

import eigendyn
from eigendyn.data.joint import gaussian_views
from eigendyn.network import Network
from eigendyn.network.on_views import descend_on_views
from eigendyn.network.views import Population

STEPS = np.array([0, 3, 40])
START = np.random.default_rng(1).normal(size=(3, 5)) / 4
KINDS = {
    "clean": {},
    "first view": {"correlation": "first-view", "alpha": 0.5},
    "weights": {"correlation": "weights"},
    "running": {"predictor": "running", "epsilon": 0.1},
    "running, clean, used first": {
        "predictor": "running",
        "correlation": "clean",
        "correlation_order": "use-first",
    },
    "learned, momentum": {"predictor": "learned", "predictor_rate": 2.0, "momentum": 0.5},
    "EMA target": {"target": "ema", "ema": 0.9},
    "family": {"beta": 0.5},
    "isotropic": {"loss": "iso-euclidean"},
    "no stop-gradient": {"stop_gradient": False},
    "running, EMA target": {
        **{"predictor": "running", "epsilon": 0.1, "target": "ema", "ema": 0.9}
    },
    "isotropic, no stop-gradient": {"loss": "iso-euclidean", "stop_gradient": False},
}
# Whose parts stand in another kind as well, where they have to be right beside others.
AGAIN = {"clean", "running", "EMA target", "isotropic", "no stop-gradient"}


@cache
def views():
    """Twenty pairs of views (samples, inputs), neither alike nor aligned."""
    rng = np.random.default_rng(2)
    x1 = rng.normal(size=(20, 5)) @ rng.normal(size=(5, 5)) / 3
    return x1, 0.8 * x1 + rng.normal(size=(20, 5)) @ rng.normal(size=(5, 5)) / 6


@cache
def data():
    x1, x2 = views()
    between = (x1.T @ x2 + x2.T @ x1) / 40
    values, vectors = np.linalg.eigh(between)
    both, rows = ("input", "other_input"), ("sample", "input")
    return xarray.Dataset(
        {
            "components": (("component", "input"), vectors[:, ::-1].T),
            "signal": ("component", values[::-1]),
            "covariance_12": (both, between),
            "covariance_11": (both, x1.T @ x1 / 20),
            "covariance_22": (both, x2.T @ x2 / 20),
            "view1": (rows, x1),
            "view2": (rows, x2),
        }
    )


def all_pairs(count, _rng):
    """Every pair once for each step."""
    return tuple(np.tile(view, (count // 20, 1)) for view in views())


def population():
    return Population(*(jnp.asarray(data()[f"covariance_{pair}"].values) for pair in ("12", "11")))


@pytest.mark.parametrize("kind", full_but(KINDS, KINDS.keys() - AGAIN))
def test_on_all_pairs_at_once_networks_take_the_expected_steps_of_the_matrix(kind):
    settings = {"loss": "euclidean", "weight_decay": 0.02, "learning_rate": 0.1, **kind}
    found = descend_on_views(START, Network(**settings, batch=20), all_pairs, population(), STEPS)
    theory = eigendyn.matrix_flow(
        settings.pop("loss"), data(), START, method="steps", steps=40, saves=41, **settings
    ).isel(time=STEPS)
    for name in ("eigenvalue", "singular_value"):
        np.testing.assert_allclose(found.measures[name][0], theory[name], rtol=1e-10, atol=1e-12)


def test_what_is_drawn_at_a_time_does_not_change_what_is_trained(monkeypatch):
    def draw(count, rng):
        return tuple(rng.normal(size=(2, count // 8, 8, 5)).reshape(2, count, 5))

    def one_by_one(count, rng):
        parts = [draw(8, rng) for _ in range(count // 8)]
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    network = Network("cosine", batch=8)
    given = (network, one_by_one, population(), np.array([0, 7, 20]))
    whole = descend_on_views(START, *given, seeds=2)
    monkeypatch.setattr("eigendyn.network.on_views.NUMBERS", 1)
    parts = descend_on_views(START, *given, seeds=2)
    np.testing.assert_allclose(parts.measures["eigenvalue"], whole.measures["eigenvalue"])
    first, second = whole.measures["eigenvalue"]
    assert not np.allclose(first[:, -1], second[:, -1])  # networks have batches of their own


def test_gaussian_views_have_the_joint_moments_of_the_data():
    count = 100_000
    x1, x2 = gaussian_views(data())(count, np.random.default_rng(0))
    drawn = np.concatenate([x1, x2], axis=1)
    given = np.concatenate(views(), axis=1)
    expected = given.T @ given / len(given)
    variances = np.diag(expected)
    errors = np.sqrt((np.outer(variances, variances) + expected**2) / count)
    assert (np.abs(drawn.T @ drawn / count - expected) < 5 * errors).all()


def test_divergence_cuts_what_was_measured_and_is_told():
    network = Network("euclidean", batch=20, learning_rate=500.0)
    found = descend_on_views(START * 3, network, all_pairs, population(), STEPS)
    assert found.status == "diverged"
    assert "learning rate 500" in found.message
    assert np.isfinite(found.measures["eigenvalue"]).all()
