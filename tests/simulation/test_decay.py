"""Claims about weight decay: the default completes, and agrees with routes of its own."""

import numpy as np
import pytest
from stepped import ALLOWED, stepped, tolerances

import eigendyn
from eigendyn.simulation.engines.lanes.ensemble import compiled_ensemble
from eigendyn.simulation.equations import equations
from eigendyn.simulation.initial import field_parameters, starting_states
from eigendyn.simulation.nodes import fit_nodes

START = (0.02, 0.3, 1.7)
TWO = (0.2, 1.0)
STEADY = 1e4  # time without decay after which modes are equal to all digits


def euclidean(decay, times):
    """S (modes, times) of ds/dt = s v (1 − v) − ω s, v = s², by steps that end at every time."""

    def slope(_, s):
        return s**3 * (1 - s**2) - decay * s

    return stepped(slope, np.sqrt(START), times, 1e-13)


@pytest.mark.parametrize("decay", [0.02, 0.03, 0.04, 0.05, 0.06])
def test_a_euclidean_run_that_decays_completes_and_agrees_with_its_equation(decay):
    run = eigendyn.simulate("euclidean", START, weight_decay=decay, steps=10_000, saves=101)
    assert run.attrs["status"] == "completed"
    right = euclidean(decay, run.time.values)
    assert tolerances(run.singular_value.values, right) < ALLOWED


LEARNED = {"predictor": "learned", "predictor_rate": 2.0}


@pytest.mark.parametrize(
    ("loss", "power", "decay", "closure", "more"),
    [
        pytest.param("cosine", 1, 0.05, "mean-field", {}, marks=pytest.mark.full),
        pytest.param("cosine", 1, 0.3, "exact", {}, marks=pytest.mark.full),
        pytest.param("iso-cosine", 3, 0.05, "exact", {}, marks=pytest.mark.full),
        pytest.param("iso-cosine", 3, 0.3, "mean-field", {}, marks=pytest.mark.full),
        ("cosine", 1, 0.02, "mean-field", LEARNED | {"predictor_decay": 0.02}),
        pytest.param(
            *("cosine", 1, 0.3, "exact", LEARNED | {"predictor_decay": 0.3}),
            marks=pytest.mark.full,
        ),
    ],
)
def test_decay_under_a_loss_without_scale_is_a_change_of_time(loss, power, decay, closure, more):
    """Forces that are F(cs) = F(s)/c^p: s = e^(−ωt) u, and u does not decay in τ(t).

    So do a predictor's, which decays as fast.
    """
    settings = {"closure": closure, "steps": 10_000, **more}
    run = eigendyn.simulate(loss, TWO, weight_decay=decay, saves=101, **settings)
    assert run.attrs["status"] == "completed"
    rate = (1 + power) * decay
    times = run.time.values
    stretched = np.expm1(np.minimum(rate * times, 300)) / rate
    early = np.unique(np.append(stretched[stretched < STEADY], [0.99 * STEADY, STEADY]))

    system = equations(loss, settings | {"predictor_decay": 0.0, "weight_decay": 0.0})
    program = system.program
    start = starting_states(program, np.array(TWO), system.chosen)
    numbers = field_parameters(program, system.chosen, system.numbers)
    equal = start.copy()
    equal[0] = np.sqrt(np.mean(TWO))
    between = np.stack([start, np.sqrt(start * equal), equal])
    nodes = fit_nodes(program, between, numbers, 1e-11).nodes
    finest = {"rtol": 1e-11, "atol": 1e-13}
    still = compiled_ensemble(nodes, program, start[None], early, numbers, **finest)
    assert not still.status.any()
    assert tolerances(still.values[0, ..., -2], still.values[0, ..., -1]) < 1
    at = np.minimum(np.searchsorted(early, stretched), len(early) - 1)
    right = still.values[0, 0][:, at] * np.exp(-decay * times)
    assert tolerances(run.singular_value.values, right) < ALLOWED


def test_a_learned_predictor_an_average_and_momentum_take_few_steps_on_one_mode():
    run = eigendyn.simulate(
        "euclidean",
        [0.5],
        predictor="learned",
        target="ema",
        momentum=0.9,
        weight_decay=0.01,
        steps=10_000,
        method="compiled",
        max_solver_steps=20_000,
    )
    assert run.attrs["status"] == "completed"
    assert run.time[-1] == 1000


def test_a_velocity_that_comes_to_rest_takes_no_steps_for_its_round_off():
    """Forces on a predictor cancel near one, and leave their round-off, of which 1e-15 is more."""
    run = eigendyn.simulate(
        "euclidean",
        START,
        predictor="learned",
        momentum=0.9,
        weight_decay=1e-3,
        learning_rate=0.02,
        steps=50_000,
        method="compiled",
        max_solver_steps=20_000,
    )
    assert run.attrs["status"] == "completed"
    assert run.time[-1] == 1000


@pytest.mark.full
def test_a_run_in_which_everything_sinks_completes():
    """A predictor that is counted in its largest eigenvalue is 0/0 at last."""
    run = eigendyn.simulate(
        "euclidean", TWO, predictor="copy", weight_decay=0.3, steps=10_000, saves=101
    )
    assert run.attrs["status"] == "completed"
    assert run.time[-1] == 1000
    assert np.isfinite(run.singular_value).all()


def test_momentum_makes_decay_faster():
    """All that is left in the end is e^(−rt), with η(1 + μ)/2 r² − (1 − μ) r + ω = 0."""
    momentum, decay, rate = 0.5, 0.01, 0.05
    settings = {"momentum": momentum, "weight_decay": decay, "learning_rate": rate}
    run = eigendyn.simulate(
        "cosine", TWO, closure="mean-field", steps=600, saves=61, method="implicit", **settings
    )
    assert run.attrs["status"] == "completed"
    (r,) = (x for x in np.roots([rate * (1 + momentum) / 2, momentum - 1, decay]) if x < 1)
    late = np.log(run.singular_value.values[0, -11:])
    np.testing.assert_allclose(np.diff(late) / np.diff(run.time[-11:]), -r, rtol=1e-5)


@pytest.mark.parametrize("decay", [0.005, 0.02, 0.1])
def test_momentum_and_decay_complete_by_default(decay):
    """A loss without scale grows its forces as modes sink, until steps of η make them bounce."""
    run = eigendyn.simulate("cosine", TWO, momentum=0.9, weight_decay=decay, steps=10_000)
    assert run.attrs["status"] == "completed"
    assert run.attrs["method"] == "steps"
    assert np.isfinite(run.singular_value).all()


@pytest.mark.full
def test_a_learned_predictor_and_its_modes_change_what_decay_alone_changes_together():
    """P F_p = κ s F_s, so that s² − p²/κ = (s₀² − p₀²/κ) e^(−2ωt) where both decay alike."""
    decay, rate = 0.02, 2.0
    both = {"weight_decay": decay, "predictor_decay": decay, "predictor_rate": rate}
    start = [1.1, 0.6, 0.3, 0.05]
    learned = {"predictor": "learned", "target": "ema", "method": "implicit"}
    run = eigendyn.simulate("cosine", start, steps=5000, saves=251, **learned, **both)
    assert run.attrs["status"] == "completed"
    s, p = run.singular_value.values, run.predictor_value.values
    left = (s[:, :1] ** 2 - p[:, :1] ** 2 / rate) * np.exp(-2 * decay * run.time.values)
    assert tolerances(s, np.sqrt(left + p**2 / rate)) < 0.1


@pytest.mark.full  # the quick test of its cause is in engines/implicit/test_scale_free.py
def test_a_predictor_that_sinks_beside_its_modes_keeps_to_both_laws():
    """Without stop-gradient Σ s F_s = Σ p F_p = 0: Σ s² stays, and Σ p² decays as e^(−2 ω_p t)."""
    decay = 0.02
    learned = {"predictor": "learned", "predictor_rate": 2.0, "predictor_decay": decay}
    start = [0.45322528, 0.16398034, 0.03436129, 0.00868433]
    run = eigendyn.simulate("cosine", start, stop_gradient=False, steps=8000, **learned)
    assert run.attrs["status"] == "completed"
    modes, predictors = (
        (run[name] ** 2).sum("mode").values for name in ("singular_value", "predictor_value")
    )
    np.testing.assert_allclose(modes, modes[0], rtol=1e-9)
    expected = predictors[0] * np.exp(-2 * decay * run.time.values)
    np.testing.assert_allclose(predictors, expected, rtol=1e-9)


@pytest.mark.full  # what is counted in decay is in engines/implicit/test_scale_free.py
def test_a_scheduled_target_that_decay_leaves_behind_is_what_its_schedule_leaves():
    """Without a representation ξ falls as exp(−∫(1 − m)/η dt), m of BYOL's schedule."""
    kept, eta, steps = 0.99, 0.1, 2500
    scheduled = {"target": "ema", "ema": kept, "ema_schedule": "cosine", "learning_rate": eta}
    run = eigendyn.simulate(
        "cosine",
        [1.1, 0.3],
        predictor="learned",
        weight_decay=0.3,
        method="implicit",
        max_solver_steps=3000,  # counted in what decays, it would take more than twice as many
        steps=steps,
        saves=126,
        **scheduled,
    )
    assert run.attrs["status"] == "completed"
    late = run.time.values[75:]  # when s is e^(−45) of its start
    end = eta * steps
    forgotten = (1 - kept) / (2 * eta) * (late + end / np.pi * np.sin(np.pi * late / end))
    target = run.target_value.values[:, 75:]
    right = target[:, :1] * np.exp(forgotten[0] - forgotten)
    np.testing.assert_allclose(target, right, rtol=1e-9)
