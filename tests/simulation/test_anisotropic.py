"""Claims about modes that have a signal d and noises a1, a2 of their own."""

import numpy as np
import pytest
from structures import first_of

import eigendyn
from eigendyn.errors import InvalidSetting
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.equations import equations
from eigendyn.simulation.initial import field_parameters, starting_states
from eigendyn.simulation.nodes import fit_nodes

SINGULAR = np.array([0.6, 0.9, 0.4, 1.2])
SIGNAL = np.array([2.0, 1.0, 0.5, 0.25])
DATA = {"signal": SIGNAL, "noise1": [0.05, 0.4, 0.02, 0.3], "noise2": [0.1, 0.1, 0.3, 0.02]}
COMMON = {**DATA, "weight_decay": 0.01, "learning_rate": 0.1, "steps": 400}
# Final singular values after 400 expected steps, made apart from this package: two quadrature
# rules for the cosine losses, and networks with 40,000 Gaussian samples a step, agree with them.
KNOWN = {
    ("euclidean", "weights"): (0.98518215, 0.83913149, 0.97010525, 0.64061858),
    ("euclidean", "clean"): (0.69662898, 0.83913149, 1.37193600, 1.28083963),
    ("euclidean", "first-view"): (0.68808106, 0.70919555, 1.34529393, 0.86378758),
    ("iso-euclidean", "weights"): (0.98525718, 0.84091787, 0.97072534, 0.66057826),
    ("iso-euclidean", "clean"): (0.69668203, 0.84091787, 1.37281295, 1.32115652),
    ("iso-euclidean", "first-view"): (0.68813346, 0.71070531, 1.34615385, 0.89072354),
    ("cosine", "weights"): (0.63172441, 0.52906217, 0.61073639, 0.44300067),
    ("cosine", "clean"): (0.36612165, 0.42913530, 0.67856739, 0.68357833),
    ("cosine", "first-view"): (0.41998239, 0.42449721, 0.76728235, 0.54918000),
    ("iso-cosine", "weights"): (0.69063033, 0.57839539, 0.66768677, 0.48428920),
    ("iso-cosine", "clean"): (0.38986099, 0.45696086, 0.72256949, 0.72788653),
    ("iso-cosine", "first-view"): (0.45758762, 0.46250754, 0.83600682, 0.59827031),
}
STRUCTURES = {
    "euclidean": {"alpha": 0.5},
    "cosine": {"predictor": "running", "target": "ema", "ema": 0.9},
    "iso-cosine": {"momentum": 0.5, "method": "steps"},
}


def final(loss, **settings):
    given = {**COMMON, **settings}
    return eigendyn.simulate(loss, SINGULAR**2 * SIGNAL, **given)["singular_value"].values[:, -1]


@pytest.mark.parametrize(("loss", "correlation"), KNOWN)
def test_expected_steps_end_where_they_are_known_to(loss, correlation):
    found = final(loss, correlation=correlation, method="steps")
    np.testing.assert_allclose(found, KNOWN[loss, correlation], atol=1e-8)


@pytest.mark.parametrize("loss", STRUCTURES)
def test_equal_signals_and_noises_are_white_inputs(loss):
    settings = {**STRUCTURES[loss], "weight_decay": 0.02, "steps": 100}
    white = eigendyn.simulate(loss, SINGULAR**2, sigma1=0.3, sigma2=0.4, **settings)
    equal = {"signal": 1.0, "noise1": 0.3**2, "noise2": [0.4**2] * 4}
    own = eigendyn.simulate(loss, SINGULAR**2, **equal, **settings)
    for name in ("singular_value", "variance", "predictor_eigenvalue", "expected_loss"):
        np.testing.assert_allclose(own[name], white[name], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("method", [*first_of("compiled", "flow"), "implicit"])
def test_every_engine_follows_the_same_flow(method):
    found = final("euclidean", alpha=0.5, method=method)
    v, d, a1 = SINGULAR**2 * SIGNAL, SIGNAL, np.array(DATA["noise1"])
    for _ in range(4000):  # Runge–Kutta by hand: dv/dt = 2 v^(1/2) (d − v^(1/2) (d + a1)) v − 2ωv

        def rate(v):
            return 2 * v * (np.sqrt(v) * d - v * (d + a1) - 0.01)

        k1 = rate(v)
        k2 = rate(v + 0.005 * k1)
        k3 = rate(v + 0.005 * k2)
        v = v + 0.01 / 6 * (k1 + 2 * k2 + 2 * k3 + rate(v + 0.01 * k3))
    np.testing.assert_allclose(found, np.sqrt(v / d), rtol=1e-8)


def test_the_closed_form_has_a_solution_for_every_mode():
    run = {"method": "closed-form", "alpha": 1.0}
    flow = final("iso-euclidean", method="compiled")
    np.testing.assert_allclose(final("iso-euclidean", **run), flow, rtol=1e-9)


@pytest.mark.parametrize("loss", first_of("cosine", "iso-euclidean"))
def test_an_ensemble_is_so_many_runs(loss):
    rng = np.random.default_rng(0)
    table = rng.uniform(0.1, 1.0, (5, 4))
    noises = rng.uniform(0, 0.5, (5, 4))
    given = {**COMMON, "steps": 100}
    found = eigendyn.ensemble(loss, table, sweep={"noise1": noises}, keep="final", **given)
    assert (found["status"] == "completed").all()
    for row in range(5):
        one = eigendyn.simulate(loss, table[row], **{**given, "noise1": noises[row]})
        expected = one["singular_value"].values[:, -1]
        np.testing.assert_allclose(found["singular_value"][row, :, -1], expected, rtol=1e-6)
    np.testing.assert_array_equal(found["noise1"], noises)


def test_sampled_noise_has_the_variance_of_its_mode():
    settings = {"correlation": "first-view", "method": "steps", "steps": 100}
    exact = final("cosine", **settings)
    sampled = final("cosine", closure="sampled", samples=40_000, **settings)
    np.testing.assert_allclose(sampled, exact, rtol=0.01)


def test_the_scale_free_loss_conserves_the_norm_of_the_weights():
    run = eigendyn.simulate("cosine", SINGULAR**2 * SIGNAL, **{**COMMON, "weight_decay": 0.0})
    kept = run["conserved_1"]
    np.testing.assert_allclose(kept, (SINGULAR**2).sum(), rtol=1e-8)
    np.testing.assert_allclose((run["singular_value"] ** 2).sum("mode"), kept, rtol=1e-8)
    np.testing.assert_allclose(run["variance"], SIGNAL[:, None] * run["singular_value"] ** 2)


@pytest.mark.full
def test_nodes_for_many_modes_know_each_its_own_noise():
    """Of more than 512 modes some are picked for choosing nodes, and their numbers with them."""
    modes = 600
    rng = np.random.default_rng(1)
    own = {name: rng.uniform(0.1, 1.0, modes) for name in ("signal", "noise1", "noise2")}
    system = equations("cosine", own)
    parameters = field_parameters(system.program, system.chosen, {})
    start = starting_states(system.program, rng.uniform(0.5, 1.0, modes), Settings(**own))
    fit = fit_nodes(system.program, start[None], parameters, 1e-9)
    assert fit.reached
    finer = fit_nodes(system.program, start[None], parameters, 1e-11)
    rates = [
        system.field.__class__(**{**vars(system.field), "nodes": one.nodes})(0.0, start, parameters)
        for one in (fit, finer)
    ]
    np.testing.assert_allclose(rates[0], rates[1], rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"signal": [1.0, 2.0]}, "one for each of 4 modes, not 2"),
        ({"signal": [1.0, 0.0, 1.0, 1.0]}, "`signal` must be finite and > 0"),
        ({"noise1": [0.1, -0.1, 0.1, 0.1]}, "`noise1` must be finite and ≥ 0"),
        ({"noise1": 0.1, "sigma1": 0.3}, "Leave out one of the two"),
        ({"correlation": "clean", "predictor": "none"}, "has no meaning"),
        ({"correlation": "second-view"}, "first-view"),
    ],
)
def test_wrong_data_are_refused(given, said):
    with pytest.raises((InvalidSetting, eigendyn.errors.UnknownName), match=said):
        eigendyn.simulate("euclidean", SINGULAR**2, **given)
