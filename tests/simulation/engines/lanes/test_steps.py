"""Claims about steps of descent in machine code: against the same in JAX."""

import numpy as np
import pytest

from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.engines.in_jax.steps import descent_steps
from eigendyn.simulation.engines.lanes.steps import compiled_steps
from eigendyn.simulation.equations import equations
from eigendyn.simulation.simulate import vector_field

EMA = {"target": "ema", "ema_schedule": "cosine"}
SYSTEMS = [
    ("euclidean", {"momentum": 0.9}),
    ("cosine", {"predictor": "learned", "momentum": 0.9, **EMA}),
    ("cosine", {"predictor": "running", "correlation_order": "use-first", "momentum": 0.5, **EMA}),
    ("iso-cosine", {"predictor": "running", "correlation_order": "update-first"}),
    ("iso-cosine", {"closure": "sampled", "samples": 100, "dtype": "float32"}),
]
VARIANCES = np.array([0.01, 0.3, 1.0, 2.5])


def _both(loss, variances, saved, **settings):
    field, start, parameters = vector_field(loss, variances, steps=int(saved[-1]), **settings)
    chosen = Settings(loss=loss, **settings)
    given = (start, saved, 0.05, parameters)
    reports = [], []
    ours = compiled_steps(
        *(equations(loss, settings).program, field.nodes, *given, reports[0].append),
        chosen.correlation_order,
    )
    theirs = descent_steps(field, *given, reports[1].append, chosen.correlation_order)
    assert reports[0] == reports[1]
    assert (ours.status, ours.states) == (theirs.status, theirs.states)
    np.testing.assert_array_equal(ours.times, theirs.times)
    assert ours.values.dtype == theirs.values.dtype
    return ours, theirs


@pytest.mark.parametrize(("loss", "settings"), SYSTEMS)
def test_steps_in_machine_code_are_those_in_jax(loss, settings):
    saved = np.array([0, 1, 2, 5, 40])
    ours, theirs = _both(loss, VARIANCES, saved, **settings)
    resolution = np.finfo(ours.values.dtype).eps
    largest = np.abs(theirs.values).max()  # velocities are differences of terms of this size
    assert (np.abs(ours.values - theirs.values) <= 100 * resolution * largest).all()


def test_very_many_modes_are_no_other():
    ours, theirs = _both("iso-euclidean", np.geomspace(0.01, 2, 600), np.array([0, 30]))
    np.testing.assert_allclose(ours.values, theirs.values, rtol=1e-13)


def test_both_find_the_same_divergence():
    ours, _ = _both("euclidean", np.array([1e3, 2.0]), np.arange(50))
    assert ours.status == "diverged"
    assert np.isfinite(ours.values).all()
    assert ours.message.endswith("Try a smaller `learning_rate`.")
