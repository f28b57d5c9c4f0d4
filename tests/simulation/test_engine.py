"""Claims about the engines: they agree with each other, and say so when they cannot."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from structures import first_of

import eigendyn
from eigendyn.settings.engines import ENGINES
from eigendyn.simulation.engines.in_jax.flow import _flow, flow, gradient_flow
from eigendyn.simulation.engines.in_jax.steps import descent_steps
from eigendyn.simulation.engines.task import load_engine

WIDE = np.geomspace(1e-6, 1e3, 19)
LOSSES = ["cosine", "euclidean", "iso-euclidean", "iso-cosine"]


@pytest.mark.parametrize(("loss", "alpha"), first_of(("euclidean", 0.5), ("iso-euclidean", 1.0)))
@pytest.mark.parametrize("sigma1", first_of(0.5, 0.0))
def test_flow_equals_the_closed_form(loss, alpha, sigma1):
    options = {"alpha": alpha, "sigma1": sigma1, "saves": 61, "steps": 600}
    flowed = eigendyn.simulate(loss, WIDE, method="flow", **options)
    closed = eigendyn.simulate(loss, WIDE, method="closed-form", **options)
    assert closed.attrs["method"] == "closed-form"
    np.testing.assert_allclose(flowed.variance, closed.variance, rtol=1e-9)


@pytest.mark.parametrize("loss", first_of(*LOSSES))
def test_steps_tend_to_the_flow_at_first_order_in_the_learning_rate(loss):
    v = [0.05, 0.3, 1.0, 2.0]
    ends, rates = [], np.array([0.08, 0.04, 0.02, 0.01])
    flowed = eigendyn.simulate(loss, v, method="compiled", learning_rate=0.01, steps=400, saves=2)
    for rate in rates:
        steps = round(4 / rate)
        run = eigendyn.simulate(loss, v, method="steps", learning_rate=rate, steps=steps, saves=2)
        ends.append(np.abs(run.variance[:, -1] - flowed.variance[:, -1]).max())
    slope = np.polyfit(np.log(rates), np.log(ends), 1)[0]
    assert slope == pytest.approx(1, abs=0.1)


@pytest.mark.full
@pytest.mark.parametrize("loss", ["cosine", "iso-cosine"])
def test_conserved_quantities_stay_over_the_published_time(loss):
    run = eigendyn.simulate(loss, method="flow")
    assert run.time[-1] == pytest.approx(150)
    assert run.conserved_1.relative_drift < 1e-9


@pytest.mark.parametrize("method", first_of("compiled", "flow"))
@pytest.mark.parametrize("variant", first_of({"predictor": "none"}, {"stop_gradient": False}))
def test_cosine_variants_keep_the_sum_of_variances(variant, method):
    run = eigendyn.simulate("cosine", method=method, steps=100, **variant)
    assert run.conserved_1.relative_drift < 1e-9


@pytest.mark.parametrize("method", first_of("compiled", "flow"))
def test_weight_decay_is_followed_by_the_conserved_quantity(method):
    run = eigendyn.simulate("iso-cosine", method=method, weight_decay=0.01, steps=300)
    assert "exp" in run.conserved_1.long_name
    assert run.conserved_1.relative_drift < 1e-9


@pytest.mark.full
def test_the_stiff_solver_agrees_with_the_explicit_one():
    options = {"steps": 200, "saves": 21}
    start = [0.3, 1.0]  # few modes: the Jacobian of an average over nodes is large
    explicit = eigendyn.simulate("cosine", start, method="compiled", **options)
    stiff = eigendyn.simulate("cosine", start, method="flow", solver="stiff", rtol=1e-9, **options)
    assert "quadrature" in stiff.attrs["closure"]
    np.testing.assert_allclose(stiff.variance, explicit.variance, rtol=1e-7)


def test_one_step_is_the_published_update():
    field, states, parameters = eigendyn.vector_field("cosine", [0.5, 1.0])
    after = descent_steps(field, states, np.array([0, 1]), 0.1, parameters).values[..., 1]
    rate = jax.jit(field)(0.0, jnp.asarray(states), parameters)
    np.testing.assert_allclose(after, states + 0.1 * rate, rtol=1e-14)


def test_a_diverging_descent_is_cut_and_named():
    run = eigendyn.simulate("euclidean", [50.0, 0.1], method="steps", learning_rate=1.0, steps=50)
    assert run.attrs["status"] == "diverged"
    assert "`learning_rate`" in run.attrs["message"]
    assert np.isfinite(run.variance).all()
    assert run.sizes["time"] < 51


def test_running_out_of_steps_is_named():
    run = eigendyn.simulate("euclidean", method="flow", max_solver_steps=20)
    assert run.attrs["status"] == "out-of-steps"
    assert np.isfinite(run.variance).all()


def final(start, sigma1, field, parameters):
    """Singular values at time 2, as a plain function of the start and of a parameter."""
    parameters = {**parameters, "sigma1": sigma1}
    return flow(field, start, jnp.array([0.0, 2.0]), parameters).ys[-1, 0]


def linearised(start, sigma1, *given):
    """The same with their Jacobians, differentiated backwards."""
    value, pulled_back = jax.vjp(lambda *moved: final(*moved, *given), start, sigma1)
    return value, *jax.vmap(pulled_back)(jnp.eye(2))


@pytest.mark.full
def test_flow_can_be_jitted_and_vmapped_while_it_is_differentiated():
    """Against closed forms, from starts and under a parameter moved up and down."""
    given = {"learning_rate": 0.1, "steps": 20, "saves": 2, "method": "closed-form"}
    field, start, parameters = eigendyn.vector_field("euclidean", [0.1, 0.5])
    small, noise = 1e-5, 0.4
    moved = small * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    moved = np.concatenate([moved, -moved[1:]])
    starts, noises = start + moved[:, None, :2], noise + moved[:, 2]
    compiled = jax.jit(jax.vmap(lambda s, n: linearised(s, n, field, parameters)))
    found, by_start, by_noise = map(np.asarray, compiled(starts, noises))
    ends = [
        eigendyn.simulate("euclidean", s[0] ** 2, sigma1=float(n), **given)
        for s, n in zip(starts, noises, strict=True)
    ]
    ends = np.array([one.singular_value[:, -1] for one in ends])
    np.testing.assert_allclose(found, ends, rtol=1e-9)
    differences = (ends[1:4] - ends[4:]).T / (2 * small)
    jacobian = np.concatenate([by_start[0, :, 0], by_noise[0][:, None]], axis=1)
    np.testing.assert_allclose(jacobian, differences, rtol=1e-5, atol=1e-8)


def test_gradient_flow_keeps_what_it_was_told_about_accuracy():
    field, states, parameters = eigendyn.vector_field("cosine", closure="mean-field")
    times = np.linspace(0, 30, 31)
    loose = gradient_flow(field, states, times, parameters, rtol=1e-4, atol=1e-6)
    compiled = _flow._cache_size()
    tight = gradient_flow(field, states, times, parameters, rtol=1e-12, atol=1e-14)
    assert _flow._cache_size() == compiled  # tolerances are arguments of compiled code
    error = np.abs(loose.values - tight.values).max()
    assert error < 1e-3


@pytest.mark.parametrize("row", ENGINES.values(), ids=lambda row: row.name)
def test_every_engine_has_the_functions_that_its_row_says(row):
    module = load_engine(row.name)
    assert hasattr(module, "follow_one") == row.serves_one
    assert hasattr(module, "follow_many") == row.serves_many
    asked = row.follows == "flow" and "float32" not in row.dtypes
    if asked and row.serves_many:
        with pytest.raises(eigendyn.errors.InvalidSetting, match="computes in float64"):
            eigendyn.ensemble("euclidean", [[0.3]], engine=row.name, dtype="float32", steps=5)
