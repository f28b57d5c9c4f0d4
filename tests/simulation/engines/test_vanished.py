"""Claims about modes that sink below what numbers can hold."""

import pytest
from structures import first_of

import eigendyn
from eigendyn.errors import NoProgram
from eigendyn.simulation.engines import vanished

LONG = 10_700.0
SINKING = {
    "loss": "euclidean",
    "predictor": "learned",
    "predictor_start": 1.7,
    "predictor_decay": 2e-4,
    "max_solver_steps": 10**6,
}
DECAYING = {"loss": "euclidean", "weight_decay": 1.0, "engine": "compiled"}


@pytest.mark.parametrize("engine", first_of("compiled", "flow"))
def test_a_mode_that_would_return_is_inaccurate(engine):
    """λ = 1.7 exp(−t/5000) at first: modes sink until λ = 1, and have all returned at the end.

    The second mode is stiff, and holds steps so short that the first one sinks to nothing.
    """
    variances = [[1e-6, 30.0], [1.0, 30.0]]
    found = eigendyn.ensemble(variances=variances, times=[0, LONG], engine=engine, **SINKING)
    sunk, returned = found.singular_value[:, 0, -1].values
    assert list(found.status.values) == ["inaccurate", "completed"]
    assert abs(sunk) < 1e-290
    assert returned > 1


def test_a_mode_that_has_vanished_for_good_is_completed():
    found = eigendyn.ensemble(variances=[[1e-6, 100.0]], times=[0, 500, 1000.0], **DECAYING)
    assert abs(found.singular_value[0, 0, -1]) < 1e-290
    assert found.status.values[0] == "completed"


def test_what_cannot_be_told_is_inaccurate(monkeypatch):
    def refuse(*_):
        raise NoProgram

    monkeypatch.setattr(vanished, "rates_of_many", refuse)
    found = eigendyn.ensemble(variances=[[1e-6], [0.0]], times=[0, 1000.0], **DECAYING)
    assert list(found.status.values) == ["inaccurate", "completed"]


def test_a_mode_that_never_was_is_completed():
    settings = SINKING | {"predictor_start": 0.5}
    found = eigendyn.ensemble(variances=[[0.0, 1.0]], times=[0, LONG], **settings)
    assert found.status.values[0] == "completed"
