"""Claims about the weights of a linear encoder under Euclidean losses, on data of any kind."""

from dataclasses import replace
from functools import cache

import jax
import numpy as np
import pytest
import xarray
from structures import first_of, full_but

import eigendyn
from eigendyn.errors import InvalidSetting, InvalidSpectrum, UnknownName
from eigendyn.network.losses import sample_losses
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.matrix.moments import SecondMoments, second_moments, skew_part
from eigendyn.simulation.matrix.rates import drives, expected_loss, first_state, law_of, predictor

SINGULAR = np.array([0.8, 0.7, 0.6, 0.4])
SIGNAL = np.array([2.0, 1.0, 0.5, 0.25])
NOISE1, NOISE2 = np.array([0.05, 0.4, 0.02, 0.3]), np.array([0.1, 0.1, 0.3, 0.02])
RNG = np.random.default_rng(5)
FRAME = np.linalg.qr(RNG.normal(size=(4, 4)))[0]
LEFT = np.linalg.qr(RNG.normal(size=(4, 4)))[0]
START = LEFT @ np.diag(SINGULAR) @ FRAME
KINDS = {
    "clean": {},
    "first view": {"correlation": "first-view"},
    "weights": {"correlation": "weights"},
    "power": {"alpha": 0.5},
    "ε inside": {"epsilon": 0.2, "alpha": 0.5, "learning_rate": 0.02},
    "ε outside": {"epsilon": 0.2, "epsilon_placement": "outside", "learning_rate": 0.02},
    "normalised": {"normalize": True, "alpha": 2.0, "learning_rate": 0.02},
    "copy": {"predictor": "copy", "learning_rate": 0.02},
    "running": {"predictor": "running"},
    "running, clean, used first": {
        "predictor": "running",
        "correlation": "clean",
        "correlation_order": "use-first",
    },
    "learned": {"predictor": "learned", "predictor_rate": 2.0, "predictor_decay": 0.03},
    "none": {"predictor": "none"},
    "momentum": {"momentum": 0.8, "learning_rate": 0.02},
    "learned, momentum": {"predictor": "learned", "momentum": 0.8, "learning_rate": 0.02},
    "EMA target": {"target": "ema", "ema": 0.9, "ema_schedule": "cosine"},
    "family": {"beta": 0.5},
    "isotropic": {"loss": "iso-euclidean"},
    "isotropic, running, EMA": {"loss": "iso-euclidean", "predictor": "running", "target": "ema"},
    "no stop-gradient": {"stop_gradient": False},
    "isotropic, no stop-gradient": {"loss": "iso-euclidean", "stop_gradient": False},
    "no predictor, no stop-gradient": {"predictor": "none", "stop_gradient": False},
}
# Whose parts stand in another kind as well, where they have to be right beside others.
AGAIN = {
    *("clean", "power", "running", "learned", "none", "momentum", "isotropic"),
    "no stop-gradient",
}


def data_of(covariance_12, covariance_11, covariance_22, **more):
    values, vectors = np.linalg.eigh((covariance_12 + covariance_12.T) / 2)
    both = ("input", "other_input")
    return xarray.Dataset(
        {
            "components": (("component", "input"), vectors[:, ::-1].T),
            "signal": ("component", values[::-1]),
            "covariance_12": (both, covariance_12),
            "covariance_11": (both, covariance_11),
            "covariance_22": (both, covariance_22),
            **more,
        },
        attrs={"augment": "noise:0", "augment2": "noise:0"},
    )


@cache
def aligned_data():
    moments = (FRAME.T @ np.diag(d) @ FRAME for d in (SIGNAL, SIGNAL + NOISE1, SIGNAL + NOISE2))
    return data_of(*moments)


def both_theories(settings, of_modes, **common):
    given = {"loss": "euclidean", "weight_decay": 0.01, **settings, **common}
    own = {"signal": SIGNAL, "noise1": NOISE1, "noise2": NOISE2}
    loss = given.pop("loss")
    modes = eigendyn.simulate(loss, SINGULAR**2 * SIGNAL, **own, **given | of_modes)
    return modes, eigendyn.matrix_flow(loss, aligned_data(), START, **given)


@pytest.mark.parametrize("settings", full_but(KINDS, KINDS.keys() - AGAIN))
def test_expected_steps_on_aligned_moments_are_those_of_modes(settings):
    modes, matrix = both_theories(settings, {}, method="steps", steps=150, saves=4)
    assert matrix.status == "completed"
    for name, own in (
        ("singular_value", "singular_value"),
        ("eigenvalue", "variance"),
        ("predictor_eigenvalue", "predictor_eigenvalue"),
    ):
        expected = np.sort(modes[own].values, axis=0)[::-1]
        np.testing.assert_allclose(matrix[name], expected, rtol=1e-11, atol=1e-10)
    if "expected_loss" in matrix:
        np.testing.assert_allclose(matrix["expected_loss"], modes["expected_loss"], atol=1e-12)
    assert matrix["off_component_share"].max() < 1e-12
    assert matrix["overlap"].min() == pytest.approx(1)  # NaN of what has vanished


@pytest.mark.parametrize("kind", first_of("isotropic, running, EMA", "clean", "learned"))
def test_the_flow_on_aligned_moments_is_that_of_modes(kind):
    """Modes are followed in machine code: another integrator, which XLA need not compile."""
    of_modes = {"method": "compiled", "rtol": 1e-11, "atol": 1e-13}
    modes, matrix = both_theories(KINDS[kind], of_modes, method="flow", steps=100, saves=4)
    assert modes.status == "completed"
    expected = np.sort(modes["singular_value"].values, axis=0)[::-1]
    np.testing.assert_allclose(matrix["singular_value"], expected, rtol=1e-9)


@cache
def pairs():
    """Both views (inputs, samples), neither alike nor aligned."""
    rng = np.random.default_rng(2)
    x1 = rng.normal(size=(5, 5)) @ rng.normal(size=(5, 40))
    return x1, 0.8 * x1 + rng.normal(size=(5, 5)) @ rng.normal(size=(5, 40)) / 3


@pytest.mark.parametrize("loss", ["euclidean", "iso-euclidean", "family", "learned"])
@pytest.mark.parametrize("stop_gradient", [True, False])
def test_rates_are_the_gradient_of_the_loss_on_samples_of_the_same_moments(loss, stop_gradient):
    if loss == "family" and not stop_gradient:
        return  # the family is defined by what is stopped
    x1, x2 = pairs()
    count = x1.shape[1]
    between = x1 @ x2.T / count
    data = data_of(between, x1 @ x1.T / count, x2 @ x2.T / count)
    skew = (between - between.T) / 2
    basis = data["components"].values
    plain = second_moments(data)
    moments = SecondMoments(plain.signal, plain.first, plain.second, basis @ skew @ basis.T)
    extra = {"family": {"beta": 0.7}, "learned": {"predictor": "learned"}}.get(loss, {})
    name = loss if loss == "iso-euclidean" else "euclidean"
    ema = {"target": "ema"} if stop_gradient else {}
    chosen = Settings(name, weight_decay=0.1, stop_gradient=stop_gradient, **extra, **ema)
    law = law_of(chosen, moments)
    weights = np.random.default_rng(3).normal(size=(3, 5))
    state = first_state(law, weights @ basis.T, moments, 0.6)
    if stop_gradient:
        weights = weights + 0.2  # so that the target lags
        state = replace(state, weights=weights @ basis.T)
    numbers = {key: value for key, value in vars(chosen).items() if isinstance(value, float)}
    made = predictor(law, state, moments, numbers)
    target = weights if state.target is None else state.target @ basis
    family = None
    if loss == "family":
        values, vectors = np.linalg.eigh(made)
        family = vectors @ np.diag(values**-0.7) @ vectors.T

    def mean_loss(online, by_predictor):
        second = target if stop_gradient else online
        z1, z2 = online @ x1, second @ x2
        return sample_losses(name, z1, z2, by_predictor, family, stop_gradient).mean()

    if loss != "family":
        value = expected_loss(law, state, moments, numbers)
        np.testing.assert_allclose(value, mean_loss(weights, made))
    of_weights, of_predictor = jax.grad(mean_loss, argnums=(0, 1))(weights, made)
    drive, learned = drives(law, state, moments, numbers)
    np.testing.assert_allclose(drive @ basis, -of_weights - 0.1 * weights, rtol=1e-9, atol=1e-11)
    if loss == "learned":
        np.testing.assert_allclose(learned, -of_predictor, rtol=1e-9, atol=1e-11)


def test_the_skew_part_of_views_is_what_symmetric_moments_leave_out():
    x1, x2 = pairs()
    data = eigendyn.data.from_views(x1.T, x2.T)
    mean = (x1.mean(axis=1) + x2.mean(axis=1)) / 2
    between = (x1.T - mean).T @ (x2.T - mean) / x1.shape[1]
    np.testing.assert_allclose(skew_part(data), (between - between.T) / 2, atol=1e-5)
    images = np.random.default_rng(0).normal(size=(50, 3, 3))
    assert skew_part(eigendyn.data.from_inputs(images, "shift:1")) is None
    unlike = eigendyn.data.from_inputs(images, "shift:1,mask:0.2", augment2="flip")
    assert np.linalg.norm(skew_part(unlike)) > 0.01


@cache
def digits():
    return eigendyn.data.digits("shift:1,noise:0.05")


def test_digits_under_shifts_are_learned_as_was_found_apart_from_this_package():
    """Steps are counted from zero there, so that step 500 is the 501st; shown to three digits."""
    known = {
        501: (0.614, 0.053),
        1001: (0.891, 0.830, 0.0290),
        1500: (0.917, 0.875, 0.0966, 0.0232),
    }
    given = {"method": "steps", "learning_rate": 0.2, "steps": 1500, "saves": 1501}
    found = eigendyn.matrix_flow("euclidean", digits(), **given)
    for steps, values in known.items():
        then = found["eigenvalue"].values[: len(values), steps]
        np.testing.assert_allclose(then, values, atol=1e-3)
    assert found["off_component_share"][-1] > 0.5
    assert found["component_variance"].sum("component").values == pytest.approx(
        found["eigenvalue"].sum("mode").values
    )
    weights, covariance = found["weights"].values, digits()["covariance_12"].values
    last = np.linalg.eigvalsh(weights @ covariance @ weights.T)[::-1]
    np.testing.assert_allclose(found["eigenvalue"][:, -1], last)


def test_divergence_ends_the_data_and_says_so():
    found = eigendyn.matrix_flow("euclidean", aligned_data(), START, method="steps", momentum=0.9)
    assert found.status == "completed"
    wild = eigendyn.matrix_flow(
        "euclidean", aligned_data(), START, method="steps", learning_rate=5.0
    )
    assert wild.status == "diverged"
    assert "learning_rate" in wild.message
    assert np.isfinite(wild["eigenvalue"]).all()
    assert np.isfinite(wild["weights"]).all()


@pytest.mark.parametrize(
    ("error", "words", "given"),
    [
        (InvalidSetting, "second moments are all", {"loss": "cosine"}),
        (UnknownName, "euclidean", {"loss": "euclid"}),
        (InvalidSetting, "eigendyn.data", {"data": xarray.Dataset()}),
        (InvalidSetting, "`sigma2`", {"sigma2": 0.2}),
        (InvalidSetting, "at most the 4 components", {"modes": 5}),
        (InvalidSetting, "`scale`", {"scale": 0.0}),
        (InvalidSetting, "method='steps'", {"method": "compiled"}),
        (InvalidSetting, "momentum", {"method": "flow", "momentum": 0.9}),
        (InvalidSpectrum, "column for each of the 4 inputs", {"weights": np.eye(3)}),
    ],
)
def test_what_cannot_be_followed_is_refused_in_a_sentence(error, words, given):
    given = {
        "loss": "euclidean",
        "data": aligned_data(),
        **given,
    }
    with pytest.raises(error, match=words):
        eigendyn.matrix_flow(**{"modes": 4, **given})
