"""Claims about the compiled flow of simulate: it agrees with other flows, and says how it ends.

It shares no integrator, no code of the rates and no stepping rule with that in JAX, nor with SciPy.
"""

import numpy as np
import pytest
from followed import followed
from structures import chosen, first_of, full_but

import eigendyn
from eigendyn.crosschecks.systems import systems
from eigendyn.errors import InvalidSetting

START = (0.03, 0.3, 1.1)
FOUR = (*START, 0.6)  # of systems with a signal for each of four modes
SAVED = {"steps": 200, "saves": 21, "sigma1": 0.2}
# That the rates of all systems are right is shown by program/machine/test_rates.py. The quick ones
# have what the stepping can get wrong: rates that depend on time and a state of each kind, numbers
# of each mode with nodes and without, a power, and no uncoupled closed form.
QUICK = {
    "cosine, learned, scheduled EMA target",
    "iso-cosine, own signals, weights",
    "sum((lam*z1 - sg(z2))**2)/norm(sg(z2))",
    "sum((lam*z1 - sg(z2))**4)/4",
    "watching, lifted",
    "iso-euclidean, no stop-gradient",
}
SHORT = {"cosine, no stop-gradient": 40}  # steps, after which modes that sink ask for many nodes
SYSTEMS = {name: one for name, one in systems() if name in chosen() | QUICK}
SYSTEMS |= {name: SYSTEMS[name] | {"steps": steps} for name, steps in SHORT.items()}


def prepared(settings):
    """Settings of a run, and where it starts."""
    settings = {**SAVED, **settings}
    start = FOUR if "signal" in settings else START
    return settings, settings.pop("scale", 1.0) ** 2 * np.array(start)


def assert_accurate(run, expected):
    """States by name are within ten times the tolerances of the expected ones."""
    assert run.attrs["status"] == "completed"
    for state, values in expected.items():
        error = np.abs(run[state].values - values)
        assert (error <= 10 * (1e-12 + 1e-8 * np.abs(values))).all(), state


@pytest.mark.parametrize("settings", full_but(SYSTEMS, QUICK))
def test_it_is_what_another_integrator_finds_to_the_accuracy_contract(settings):
    """The reference follows the vector field in JAX with SciPy."""
    settings, start = prepared(settings)
    run = eigendyn.simulate(variances=start, method="compiled", rtol=1e-8, **settings)
    assert_accurate(run, followed(variances=start, **settings))


@pytest.mark.full  # as SciPy says above; rates under every closure: program/machine/test_rates.py
@pytest.mark.parametrize(
    "closure", [{"closure": "mean-field"}, {"closure": "sampled", "samples": 500}]
)
def test_every_closure_is_followed(closure):
    options = SAVED | {"learning_rate": 0.1} | closure
    run = eigendyn.simulate("cosine", START, method="compiled", rtol=1e-8, **options)
    assert_accurate(run, followed("cosine", START, **options))


def test_single_precision_keeps_to_its_tolerance():
    """Two runs must differ in tolerance, which single precision leaves little room for."""
    options = {"method": "compiled", "rtol": 1e-3, "atol": 1e-5}
    single = eigendyn.simulate("cosine", START, dtype="float32", **options)
    double = eigendyn.simulate("cosine", START, method="compiled")
    assert single.attrs["status"] == "completed"
    error = np.abs(single.singular_value - double.singular_value)
    assert (error <= 10 * (1e-5 + 1e-3 * double.singular_value)).all()


def test_an_accuracy_that_cannot_be_shown_is_a_status_with_advice():
    late = (1e-6, 1e-5, 1e-4, 1e-3, *START[1:])  # small errors grow until these are recruited
    accuracy = {"rtol": 1e-6, "atol": 1e-9}
    run = eigendyn.simulate("cosine", late, method="compiled", dtype="float32", **accuracy)
    double = eigendyn.simulate("cosine", late, method="compiled").singular_value
    assert (np.abs(run.singular_value - double) > 10 * (1e-9 + 1e-6 * double)).any()
    assert run.attrs["status"] == "inaccurate"
    assert "Try" in run.attrs["message"]
    assert run.time[-1] == 150


def test_running_out_of_steps_is_a_status_with_advice():
    run = eigendyn.simulate("cosine", method="compiled", max_solver_steps=20)
    assert run.attrs["status"] == "out-of-steps"
    assert "solver='stiff'" in run.attrs["message"]
    assert 0 <= run.time[-1] < 150
    assert np.isfinite(run.variance).all()


def test_divergence_is_a_status_and_the_data_end_there():
    growing = eigendyn.parse_loss("-sum(z1*z1*sg(z1*z1))")
    run = eigendyn.simulate(growing, [1.0, 2.0], steps=1000, method="compiled")
    assert run.attrs["status"] == "diverged"
    assert "Try" in run.attrs["message"]
    assert np.isfinite(run.variance).all()


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"solver": "stiff"}, "method='flow'"), ({"device": "cuda"}, "device='cpu'")],
)
def test_what_compiled_code_cannot_do_is_refused(settings, said):
    with pytest.raises(InvalidSetting, match=said):
        eigendyn.simulate("cosine", method="compiled", **settings)


@pytest.mark.parametrize("settings", first_of({"dtype": "float32"}, {"solver": "stiff"}))
def test_stiff_solvers_and_single_precision_are_those_of_jax(settings):
    run = eigendyn.simulate("cosine", START[:1], steps=5, closure="mean-field", **settings)
    assert run.attrs["method"] == "flow"


@pytest.mark.parametrize("rtol", [1e-10, 1e-8, 1e-7])
def test_momentum_comes_to_rest_whatever_the_tolerance(rtol):
    """A velocity's error is beside round-off then, which no shorter step makes smaller."""
    settings = {"sigma2": 0.0, "weight_decay": 0.1, "closure": "mean-field", "momentum": 0.9}
    run = eigendyn.simulate(
        "euclidean", [0.1241, 0.9], method="compiled", rtol=rtol, steps=600, **settings
    )
    assert run.attrs["status"] == "completed"
    # v (1 − v) = 0.1, of which the larger solution is stable
    np.testing.assert_allclose(run.variance[:, -1], (1 + np.sqrt(0.6)) / 2, rtol=1e-9)
