"""Claims about models: every engine follows their closed forms; what has no loss has none."""

import json

import numpy as np
import pytest
from structures import first_of

import eigendyn
from eigendyn.errors import InvalidSetting
from eigendyn.theory import symbols as sym
from eigendyn.theory.models import named_model

GAMMA, C, TAU = 0.5, 1.5, 0.8
STARTS = np.array([1e-6, 1e-3, 0.1, 1.0, 2.9])
RUN = {"learning_rate": 0.01, "steps": 1500, "saves": 51}
TIMES = np.linspace(0, 15, 51)
s, u = sym.singular_value, sym.velocity
k = sym.loss_parameter("k")


def barlow_twins(start, times, gamma=GAMMA):
    """s² of Simon et al. 2023, from their closed form (…, times)."""
    start = np.asarray(start)[..., None]
    return 1 / (gamma + (1 / start - gamma) * np.exp(-8 * gamma * times))


def deep_linear(start, times, c=C, tau=TAU):
    """Mode strength of Saxe et al. 2014: their sigmoid, from a₀ (…, times)."""
    start, growth = np.asarray(start)[..., None], np.exp(2 * c * times / tau)
    return c * growth / (growth - 1 + c / start)


MODELS = {
    "barlow-twins": (named_model("barlow-twins", gamma=GAMMA), barlow_twins),
    "deep-linear": (named_model("deep-linear", c=C, tau=TAU), deep_linear),
}
EVERY = pytest.mark.parametrize(("model", "exact"), MODELS.values(), ids=MODELS)


def with_engines(*engines):
    """Every model by every engine; by JAX, which takes long, in full tests.

    That a model has the rates in JAX that are written there: analysis/test_models.py.
    """
    return [
        pytest.param(*pair, engine, id=f"{name}-{engine}", marks=marks)
        for name, pair in MODELS.items()
        for engine in engines
        for marks in [pytest.mark.full if engine == "flow" else ()]
    ]


def competing(rate=0.5):
    """Modes that share one unit of variance: with V = Σ v, dV/dt = 2kV(1 − V), shares stay."""
    share_out = k * s * (1 - sym.mode_sum(s**2))
    return eigendyn.theory.ModeDynamics("competing", (s,), (share_out,), (("k", rate),))


def competed(start, times, rate=0.5):
    whole = start.sum(axis=-1)[..., None, None]
    now = 1 / (1 + (1 / whole - 1) * np.exp(-2 * np.asarray(rate)[..., None, None] * times))
    return start[..., None] / whole * now


@pytest.mark.parametrize(
    ("model", "exact", "method"),
    with_engines("closed-form", "compiled", "implicit", "flow"),
)
def test_every_method_follows_the_closed_form(model, exact, method):
    run = eigendyn.simulate(model, STARTS, method=method, **RUN)
    assert (run.attrs["method"], run.attrs["status"]) == (method, "completed")
    error = 1e-13 if method == "closed-form" else 1e-9
    np.testing.assert_allclose(run.variance, exact(STARTS, TIMES), rtol=error)


@EVERY
def test_auto_takes_the_closed_form(model, exact):
    run = eigendyn.simulate(model, STARTS, **RUN)
    assert run.attrs["method"] == "closed-form"
    assert run.outcome[0] == "recruited"
    within = np.abs(exact(STARTS[0], np.atleast_1d(run.recruitment_time.values[0])))
    np.testing.assert_allclose(within, 0.95 * run.variance[0, -1], rtol=1e-5)


@EVERY
def test_steps_are_euler_steps(model, exact):
    del exact
    run = eigendyn.simulate(model, STARTS, method="steps", learning_rate=0.1, steps=7, saves=8)
    numbers = dict(model.parameters)
    if "gamma" in numbers:
        rate = lambda x: 4 * GAMMA * x * (1 - GAMMA * x**2)  # noqa: E731
    else:
        rate = lambda x: x * (C - x**2) / TAU  # noqa: E731
    value = np.sqrt(STARTS)
    for step in range(8):
        np.testing.assert_allclose(run.singular_value[:, step], value, rtol=1e-13)
        value = value + 0.1 * rate(value)


@pytest.mark.parametrize(
    ("model", "exact", "engine"), with_engines("compiled", "shifted", "implicit", "flow")
)
def test_every_engine_of_ensembles_follows_the_closed_form(model, exact, engine):
    starts = np.exp(np.random.default_rng(0).uniform(np.log(1e-4), np.log(3), (5, 3)))
    run = eigendyn.ensemble(model, starts, times=TIMES[:11], engine=engine, rtol=1e-8, atol=1e-12)
    assert run.attrs["engine"] == engine
    assert run.attrs["model"] == model.name
    assert (run.status == "completed").all()
    np.testing.assert_allclose(run.singular_value**2, exact(starts, TIMES[:11]), rtol=2e-7)


def test_a_step_of_barlow_twins_ends_where_simon_et_al_say():
    """At −ln(γ v₀)/(8γ), v is half of 1/γ but for v₀; growth is over within a few 1/(8γ)."""
    for gamma in (0.3, 2.0):
        start = np.array([1e-12, 1e-8])
        ends = -np.log(gamma * start) / (8 * gamma)
        model = named_model("barlow-twins", gamma=gamma)
        steps = 20_000
        for mode, end in enumerate(ends):
            run = eigendyn.simulate(
                model, start, learning_rate=1.5 * end / steps, steps=steps, saves=steps + 1
            )
            before, at, after = (
                float(run.variance[mode, round(steps * share / 1.5)]) * gamma
                for share in (1 - 3 / (8 * gamma * end), 1, 1 + 3 / (8 * gamma * end))
            )
            np.testing.assert_allclose(at, 0.5, rtol=1e-3)
            np.testing.assert_allclose([before, after], [0.0474, 0.9526], atol=2e-3)
            arrived = float(run.recruitment_time[mode])  # 95 %, that is ln 19 later
            np.testing.assert_allclose(arrived - end, np.log(19) / (8 * gamma), rtol=1e-2)


def test_gamma_may_differ_among_trajectories():
    starts = np.exp(np.random.default_rng(1).uniform(np.log(1e-3), np.log(1), (40, 2)))
    gammas = np.linspace(0.2, 3, 40)
    run = eigendyn.ensemble(
        "barlow-twins", starts, times=TIMES, sweep={"gamma": gammas}, rtol=1e-8, atol=1e-12
    )
    expected = [barlow_twins(one, TIMES, g) for one, g in zip(starts, gammas, strict=True)]
    np.testing.assert_allclose(run.singular_value**2, expected, rtol=2e-7)
    np.testing.assert_array_equal(run.gamma, gammas)


SIGNAL = np.array([2.0, 0.5, 0.5, 0.1])
COMPONENTS = {"signal": SIGNAL, "noise1": [0.1, 0.2, 0.3, 0.4], "noise2": 0.5}
WEIGHTS = np.array([0.01, 0.001, 1.2, 1e-4])  # s₀² of the encoder


def along_components(times):
    """The form of Simon et al. of s² of every mode, with the signal of its component for γ."""
    return np.array([barlow_twins([v], times, g)[0] for v, g in zip(WEIGHTS, SIGNAL, strict=True)])


@pytest.mark.parametrize("method", ["closed-form", "compiled", "implicit"])
def test_along_components_of_data_every_mode_of_barlow_twins_has_its_own_gamma(method):
    run = eigendyn.simulate("barlow-twins", WEIGHTS * SIGNAL, method=method, **COMPONENTS, **RUN)
    exact = along_components(TIMES)
    error = 1e-13 if method == "closed-form" else 1e-9
    np.testing.assert_allclose(run.singular_value**2, exact, rtol=error)
    np.testing.assert_allclose(run.variance, SIGNAL[:, None] * exact, rtol=error)
    assert json.loads(run.attrs["settings"])["signal"] == SIGNAL.tolist()
    assert "noise1" not in json.loads(run.attrs["settings"])  # noise has no part in Σ₁₂


def test_steps_of_barlow_twins_along_components_are_euler_steps_of_the_weights():
    value, run = np.sqrt(WEIGHTS), {"method": "steps", "learning_rate": 0.05, "steps": 9}
    found = eigendyn.simulate("barlow-twins", WEIGHTS * SIGNAL, **COMPONENTS, **run, saves=10)
    for step in range(10):
        np.testing.assert_allclose(found.singular_value[:, step], value, rtol=1e-13)
        value = value + 0.05 * 4 * SIGNAL * value * (1 - SIGNAL * value**2)


def test_an_ensemble_of_barlow_twins_may_sweep_the_signals():
    rng = np.random.default_rng(3)
    signals, weights = rng.uniform(0.3, 2, (4, 2)), rng.uniform(1e-3, 1e-2, (4, 2))
    found = eigendyn.ensemble(
        *("barlow-twins", weights * signals),
        **{"times": TIMES[:11], "rtol": 1e-8, "atol": 1e-12, "signal": 1.0},
        sweep={"signal": signals},
    )
    expected = np.array(
        [
            barlow_twins([v], TIMES[:11], g)[0]
            for v, g in zip(weights.flat, signals.flat, strict=True)
        ]
    )
    np.testing.assert_allclose(found.singular_value**2, expected.reshape(4, 2, -1), rtol=2e-7)


def test_steps_of_barlow_twins_on_data_end_by_the_signal_of_their_component():
    """At −ln(γ s₀²)/(8γ), where the variance s²γ is one half."""
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(500, 4)) * [2, 1, 0.7, 0.3] @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    data = eigendyn.data.from_inputs(mixed, augment="noise:0.2")
    start = eigendyn.data.start(data, scale=1e-3)
    gamma = np.linalg.eigvalsh(np.cov(mixed.T, bias=True))[::-1]
    np.testing.assert_allclose(start["signal"], gamma)
    ends = -np.log(gamma * 1e-6) / (8 * gamma)
    for mode, end in enumerate(ends):
        run = eigendyn.simulate("barlow-twins", **start, learning_rate=end / 100, steps=100)
        np.testing.assert_allclose(run.variance[mode, -1], 0.5, rtol=1e-4)
        assert (run.variance[:mode, -1] > 0.5).all() and (run.variance[mode + 1 :, -1] < 0.5).all()


@pytest.mark.parametrize(
    ("model", "given", "words"),
    [
        (named_model("barlow-twins", gamma=2), COMPONENTS, "is its gamma, and this barlow-twins"),
        ("barlow-twins", {"noise1": 0.1}, "`noise1` belongs to a Siamese network"),
        ("deep-linear", {"signal": SIGNAL}, "`signal` belongs to a Siamese network"),
        ("barlow-twins", {"signal": [1.0, 2.0]}, "one for each of 4 modes, not 2"),
    ],
)
def test_data_that_do_not_fit_a_model_are_refused(model, given, words):
    with pytest.raises(InvalidSetting, match=words):
        eigendyn.simulate(model, WEIGHTS, **given)


def test_a_model_written_by_hand_is_followed_with_its_own_parameter():
    start = np.array([0.01, 0.05, 0.002])
    run = eigendyn.simulate(competing(), start, **RUN)
    assert run.attrs["method"] == "compiled"
    np.testing.assert_allclose(run.variance, competed(start, TIMES), rtol=1e-9)
    starts, rates = np.stack([start, 2 * start]), np.array([0.5, 1.2])
    many = eigendyn.ensemble(competing(), starts, times=TIMES, sweep={"k": rates}, rtol=1e-9)
    np.testing.assert_allclose(many.singular_value**2, competed(starts, TIMES, rates), rtol=1e-7)


@pytest.mark.parametrize("method", first_of("implicit", "compiled", "flow"))
def test_a_model_may_have_velocities_without_momentum(method):
    """s′ = u, u′ = −k²s swings from rest: s = s₀ cos kt."""
    swing = eigendyn.theory.ModeDynamics("swing", (s, u), (u, -(k**2) * s), (("k", 2.0),))
    run = eigendyn.simulate(swing, [1.0, 4.0], method=method, learning_rate=0.01, steps=300)
    expected = np.array([[1.0], [2.0]]) * np.cos(2 * run.time.values)
    np.testing.assert_allclose(run.singular_value, expected, atol=1e-8)


def test_steps_of_a_model_with_velocities_are_euler_steps():
    swing = eigendyn.theory.ModeDynamics("swing", (s, u), (u, -(k**2) * s), (("k", 2.0),))
    run = eigendyn.simulate(swing, [1.0], method="steps", learning_rate=0.1, steps=2, saves=3)
    np.testing.assert_allclose(run.singular_value[0], [1, 1, 0.96], rtol=1e-14)
    np.testing.assert_allclose(run.velocity[0], [0, -0.4, -0.8], rtol=1e-14)


@pytest.mark.parametrize("loss", ["euclidean", "cosine"])
def test_dynamics_that_were_derived_run_as_their_loss_does(loss):
    start = [0.1, 0.5, 2.0]
    settings = {"sigma1": 0.3, "weight_decay": 0.01, "steps": 50, "method": "compiled"}
    expected = eigendyn.simulate(loss, start, **settings)
    derived = eigendyn.theory.mode_dynamics(loss)
    for dynamics in (derived, eigendyn.theory.close(derived)):  # numbers of theirs are settings
        run = eigendyn.simulate(dynamics, start, **settings)
        assert run.attrs["closure"] == expected.attrs["closure"]
        np.testing.assert_allclose(run.variance, expected.variance, rtol=1e-12)


def test_what_belongs_to_a_loss_is_absent_of_a_model():
    run = eigendyn.simulate("barlow-twins", STARTS, **RUN)
    for name in ("expected_loss", "predictor_eigenvalue", "normalised_deviation", "conserved_1"):
        assert name not in run
    np.testing.assert_allclose(run.effective_rank[-1], len(STARTS), rtol=1e-9)
    assert "loss" not in run.attrs
    settings = json.loads(run.attrs["settings"])
    assert settings["model"] == "barlow-twins" and settings["parameters"] == {"gamma": 1.0}
    assert not {"loss", "predictor", "target", "sigma1", "weight_decay"} & set(settings)
    assert run.outcome.attrs["size"] == "variance"  # not a share: the model has a scale


@pytest.mark.parametrize(
    "setting",
    [
        {"sigma1": 0.1},
        {"sigma2": 0.2},
        {"weight_decay": 0.1},
        {"momentum": 0.9},
        {"alpha": 0.5},
        {"beta": 0.5},
        {"predictor": "learned"},
        {"target": "ema"},
        {"stop_gradient": False},
        {"normalize": True},
    ],
)
def test_a_setting_of_networks_is_refused_in_words(setting):
    (name,) = setting
    words = f"`{name}` belongs to a Siamese network"
    with pytest.raises(InvalidSetting, match=words):
        eigendyn.simulate("deep-linear", **setting)


def test_presets_and_closures_are_refused_in_words():
    with pytest.raises(InvalidSetting, match="`preset='byol'` sets a network"):
        eigendyn.simulate("deep-linear", preset="byol")
    with pytest.raises(InvalidSetting, match="`closure='sampled'` takes open moments"):
        eigendyn.simulate("deep-linear", closure="sampled")


@pytest.mark.parametrize(
    ("states", "rates", "parameters", "words"),
    [
        ((s,), (k * s,), (), "uses k, and there is no number for it"),
        ((s,), (s,), (("k", 1.0),), "does not depend on 'k'"),
        ((u,), (u,), (), "first state of a model must be singular_value"),
        ((sym.variance,), (s,), (), "first state of a model must be singular_value"),
        ((s, u), (s,), (), "one rate for each of its states"),
    ],
)
def test_a_model_that_is_not_whole_is_refused(states, rates, parameters, words):
    with pytest.raises(InvalidSetting, match=words):
        eigendyn.simulate(eigendyn.theory.ModeDynamics("mine", states, rates, parameters))
