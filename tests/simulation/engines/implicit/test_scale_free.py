"""Claims about forces without scale: what cancels is known, and stays cancelled in numbers."""

import numpy as np
import pytest
from structures import first_of

import eigendyn
from eigendyn.program.averaging import NO_NODES
from eigendyn.simulation.engines.implicit.scale_free import FASTEST, Dynamics
from eigendyn.simulation.equations import equations
from eigendyn.simulation.initial import field_parameters, starting_states
from eigendyn.simulation.nodes import fit_nodes
from eigendyn.theory.loss_text import parse_loss

VARIANCES = np.array([0.05, 0.3, 1.0, 2.0])


def dynamics(loss, **settings):
    system = equations(loss, {"closure": "mean-field", **settings})
    numbers = field_parameters(system.program, system.chosen, system.numbers)
    start = starting_states(system.program, VARIANCES, system.chosen)
    if "predictor_value" in system.program.states:  # no multiple of one, or there are no forces
        start[system.program.states.index("predictor_value")] *= [1.0, 0.9, 1.1, 1.0]
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


def test_forces_that_know_the_scale_of_the_predictor_have_no_sum_that_cancels_for_good():
    """λ + 1 in the place of λ: the same at every scale of the representation, but not of λ."""
    loss = "-sum((1 + lam)*z1*sg(z2)) / (norm((1 + lam)*z1) * norm(sg(z2)))"
    assert dynamics(parse_loss(loss), predictor="learned").exponent is None
    without = parse_loss(loss.replace("(1 + lam)", "lam"))
    assert dynamics(without, predictor="learned").exponent == 0


def test_what_is_left_of_forces_moves_a_predictor_no_more_where_they_are_slowed():
    """It is p F_p = κ s F_s in every state, for what the modes are said to do."""
    kappa = 3.0
    own = dynamics("cosine", predictor="learned", predictor_rate=kappa, target="ema")
    floor = own.slowed_below(own.start)
    s, p = own.program.states.index("singular_value"), own.program.states.index("predictor_value")
    for size in (1.0, 1e-2, 1e-4):
        states = own.start.copy()
        states[p] *= [1.0, 0.9, 1.1, 1.0]
        degrees = [[float(i != p)] for i in range(len(states))]
        states *= (size * floor["singular_value"] / states[0].max()) ** np.array(degrees)
        rates = own(0.0, states, floor)
        np.testing.assert_allclose(states[p] * rates[p], kappa * states[s] * rates[s], rtol=1e-6)


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
    direction, largest = own.start / own.start.max(), floor["singular_value"]
    fast, faster = (own(0.0, size * direction, floor) / size for size in (largest, largest / 1e6))
    np.testing.assert_allclose(faster, fast, rtol=1e-9)
    assert 0.1 * FASTEST < own.fastest(largest * direction) < 10 * FASTEST


def test_forces_on_a_sinking_predictor_act_no_faster_and_modes_feel_nothing_of_it():
    own = dynamics("cosine", predictor="learned", stop_gradient=False, predictor_decay=0.02)
    floor = own.slowed_below(own.start)
    place, largest = own.program.states.index("predictor_value"), floor["predictor_value"]
    states = own.start.copy()
    fast, faster = [], []
    for found, size in ((fast, largest), (faster, largest / 1e6)):
        states[place] *= size / states[place].max()
        found[:] = own(0.0, states, floor)
    np.testing.assert_allclose(faster[0], fast[0], rtol=1e-9)
    np.testing.assert_allclose(1e6 * faster[place], fast[place], rtol=1e-9)
    states[place] *= 1e6
    assert 0.1 * FASTEST < own.fastest(states, "predictor_value") < 10 * FASTEST


@pytest.mark.parametrize(
    ("decay", "schedule", "expected"),
    [
        (0.05, "constant", 0.05),  # forgets at 0.1, and follows
        (0.3, "constant", 0.1),  # is left behind
        (0.05, "cosine", 0.05),
        (0.3, "cosine", 0.0),  # forgets ever more slowly
    ],
)
def test_an_average_is_counted_as_what_it_follows_or_as_it_forgets(decay, schedule, expected):
    average = {"target": "ema", "ema": 0.99, "ema_schedule": schedule, "learning_rate": 0.1}
    own = dynamics("cosine", predictor="learned", weight_decay=decay, **average)
    place = own.program.states.index("target_value")
    np.testing.assert_allclose(own.shrinks[place, 0], expected, rtol=1e-12)


@pytest.mark.parametrize("closure", first_of("mean-field", "exact"))
def test_trajectories_that_explicit_steps_leave_undone_are_served_and_counted(closure):
    """Averages over nodes make steps long: fewer are allowed there, and are too few as well."""
    fewer = {"max_solver_steps": 2_000} if closure == "exact" else {}
    runs = eigendyn.ensemble(
        "cosine",
        [[0.2, 1.0], [0.5, 0.4]],
        times=[0.0, 60.0, 120.0],
        weight_decay=0.1,
        closure=closure,
        **fewer,
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


@pytest.mark.parametrize(
    ("variances", "settings", "moves"),
    [
        ([1.0, 0.3, 0.05], {}, True),
        ([1.0, 1e-16], {}, True),  # of which the small mode grows, if slowly
        ([1.0, 0.3], {"predictor": "learned", "closure": "exact"}, True),
        ([0.7, 0.7, 0.7], {}, False),
        ([1.0, 0.3, 0.05], {"predictor": "learned"}, False),
        ([1.0, 0.3, 0.05], {"predictor": "none", "stop_gradient": False}, False),
    ],
)
def test_forces_are_told_from_their_round_off(variances, settings, moves):
    system = equations("cosine", {"closure": "mean-field", "sigma1": 0.2, **settings})
    numbers = field_parameters(system.program, system.chosen, system.numbers)
    start = starting_states(system.program, np.array(variances), system.chosen)
    nodes = fit_nodes(system.program, start[None], numbers, 1e-9).nodes
    rates = Dynamics(system.program, nodes, numbers, start)(0.0, start)
    assert rates[0].any() == moves
