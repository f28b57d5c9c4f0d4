"""Claims about forces without scale: what cancels is known, and stays cancelled in numbers."""

import numpy as np
import pytest

import eigendyn
from eigendyn.program.averaging import NO_NODES
from eigendyn.simulation.engines.implicit.scale_free import FASTEST, Dynamics
from eigendyn.simulation.equations import equations
from eigendyn.simulation.initial import field_parameters, starting_states

VARIANCES = np.array([0.05, 0.3, 1.0, 2.0])


def dynamics(loss, **settings):
    system = equations(loss, {"closure": "mean-field", **settings})
    numbers = field_parameters(system.program, system.chosen, system.numbers)
    start = starting_states(system.program, VARIANCES, system.chosen)
    return Dynamics(system.program, NO_NODES, numbers, start)


@pytest.mark.parametrize(
    ("loss", "settings", "exponent"),
    [
        ("cosine", {}, 0.0),
        ("cosine", {"predictor": "none", "target": "ema"}, 0.0),
        ("cosine", {"beta": 0.5}, 0.5),
        ("iso-cosine", {"alpha": 0.5}, 1.0),
        ("cosine", {"predictor": "learned", "target": "ema", "momentum": 0.9}, 0.0),
        ("euclidean", {}, None),
        ("iso-euclidean", {"predictor": "running"}, None),
    ],
)
def test_the_sum_that_cancels_is_found(loss, settings, exponent):
    assert dynamics(loss, **settings).exponent == exponent


def test_a_spectrum_of_equal_modes_keeps_its_scale_however_small_it_is():
    """Its forces are round-off alone, ε/s; without decay nothing may move the scale."""
    own = dynamics("cosine")
    for size in (1e-3, 1e-6, 1e-9):
        states = size * np.array([[1.0, 1 + 1e-12, 1 - 1e-12, 1.0]])
        rates = own(0.0, states)
        assert abs(states[0] @ rates[0]) < 1e-14 * np.abs(states[0]) @ np.abs(rates[0]) + 1e-30


def test_forces_act_no_faster_than_at_the_scale_where_they_are_fast_enough():
    own = dynamics("iso-cosine")
    floor = own.slowed_below(own.start)
    direction = own.start / own.start.max()
    fast, faster = (own(0.0, size * direction, floor) / size for size in (floor, floor / 1e6))
    np.testing.assert_allclose(faster, fast, rtol=1e-9)
    assert 0.1 * FASTEST < own.fastest(floor * direction) < 10 * FASTEST


def test_trajectories_that_explicit_steps_leave_undone_are_served_and_counted():
    runs = eigendyn.ensemble(
        "cosine", [[0.2, 1.0], [0.5, 0.4]], times=[0.0, 60.0, 120.0], weight_decay=0.1
    )
    assert runs.status.values.tolist() == ["completed"] * 2
    assert runs.attrs["engine"] == "compiled, 2 of 2 implicit"
    total = (runs.singular_value**2).sum("mode").values  # decays as exp(−2ωt) exactly
    np.testing.assert_allclose(
        total[:, 1:], np.outer([1.2, 0.9], np.exp([-12.0, -24.0])), rtol=1e-8
    )


def test_what_the_implicit_engine_approximates_travels_with_the_result():
    own = {"weight_decay": 0.3, "steps": 100, "closure": "mean-field"}
    implicit, compiled = (
        eigendyn.simulate("cosine", VARIANCES, method=method, **own).attrs["approximation"]
        for method in ("implicit", "compiled")
    )
    assert f"{FASTEST:.0e}".replace("+0", "") in implicit
    assert compiled == ""
