"""Claims about the compiled flow of simulate: it agrees with the flow in JAX, and says how it ends.

The two share no integrator, no code of the rates and no stepping rule.
"""

import numpy as np
import pytest

import eigendyn
from eigendyn.errors import InvalidSetting
from eigendyn.systems import systems

START = (0.03, 0.3, 1.1)
TIGHT = {"rtol": 1e-12, "atol": 1e-14}
STATES = ("singular_value", "target_value", "correlation_value", "predictor_value", "velocity")


@pytest.mark.parametrize(("name", "settings"), list(systems()))
def test_it_agrees_with_the_flow_to_the_accuracy_contract(name, settings):
    settings = {"steps": 200, "saves": 21, "sigma1": 0.2, **settings}
    compiled = eigendyn.simulate(variances=START, method="compiled", rtol=1e-8, **settings)
    flow = eigendyn.simulate(variances=START, method="flow", **settings, **TIGHT)
    assert compiled.attrs["status"] == flow.attrs["status"] == "completed"
    for state in (state for state in STATES if state in flow):
        error = np.abs(compiled[state] - flow[state])
        assert (error <= 10 * (1e-12 + 1e-8 * np.abs(flow[state]))).all(), (name, state)


@pytest.mark.parametrize("closure", ["mean-field", "sampled"])
def test_it_agrees_with_the_flow_for_every_closure(closure):
    settings = {"closure": closure, "steps": 200, "samples": 500}
    compiled, flow = (
        eigendyn.simulate("cosine", START, method=method, **settings)
        for method in ("compiled", "flow")
    )
    np.testing.assert_allclose(compiled.variance, flow.variance, rtol=1e-8)


def test_single_precision_keeps_to_its_tolerance():
    single = eigendyn.simulate("cosine", START, method="compiled", dtype="float32")
    double = eigendyn.simulate("cosine", START, method="compiled")
    assert single.attrs["status"] == "completed"
    np.testing.assert_allclose(single.variance, double.variance, rtol=1e-3)


def test_running_out_of_steps_is_a_status_with_advice():
    run = eigendyn.simulate("cosine", method="compiled", max_solver_steps=20)
    assert run.attrs["status"] == "out-of-steps"
    assert "--solver stiff" in run.attrs["message"]
    assert 0 <= run.time[-1] < 150
    assert np.isfinite(run.variance).all()


def test_divergence_is_a_status_and_the_data_end_there():
    growing = eigendyn.parse_loss("-sum(z1*z1*sg(z1*z1))")
    run = eigendyn.simulate(growing, [1.0, 2.0], steps=1000)
    assert run.attrs["method"] == "compiled"
    assert run.attrs["status"] == "diverged"
    assert "Try" in run.attrs["message"]
    assert np.isfinite(run.variance).all()


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"solver": "stiff"}, "--method flow"), ({"device": "cuda"}, "--device cpu")],
)
def test_what_compiled_code_cannot_do_is_refused(settings, said):
    with pytest.raises(InvalidSetting, match=said):
        eigendyn.simulate("cosine", method="compiled", **settings)


def test_stiff_solvers_are_those_of_jax():
    assert eigendyn.simulate("cosine", START, solver="stiff", steps=5).attrs["method"] == "flow"
