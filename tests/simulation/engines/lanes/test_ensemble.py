"""Claims about compiled ensembles: exact solutions, true errors, independence, failures."""

from dataclasses import replace

import hand_programs
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from structures import first_of

from eigendyn.errors import InvalidSetting
from eigendyn.program.averaging import NO_NODES
from eigendyn.program.derivation import program_of
from eigendyn.program.in_jax import compile_field
from eigendyn.program.prepared import prepared
from eigendyn.results.trajectory import BATCH_STATUSES
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.engines.closed_form.closed_form import omega
from eigendyn.simulation.engines.in_jax.flow import gradient_flow
from eigendyn.simulation.engines.lanes.build import MANY
from eigendyn.simulation.engines.lanes.ensemble import compiled_ensemble
from eigendyn.simulation.nodes import fit_nodes
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics
from eigendyn.theory.losses import named_loss

CONTRACT = 10  # largest true error, in units of atol + rtol·|y|
COMPLETED, DIVERGED, OUT_OF_STEPS, INVALID, INACCURATE = range(5)
TIMES = np.linspace(0, 60, 101)


def spectra(count, modes, low=1e-2, high=3.0, seed=0):
    draws = np.random.default_rng(seed).uniform(np.log(low), np.log(high), (count, 1, modes))
    return np.exp(draws)


def worst(values, exact, rtol, atol):
    return float((np.abs(values - exact) / (atol + rtol * np.abs(exact))).max())


def recruited(starts, times):
    """Exact λ of dλ/dt = 2 λ² (1 − λ)."""
    exact = omega(jnp.asarray(starts.ravel()), jnp.asarray(times), 1.0, 2.0, 2.0)
    return np.asarray(exact).reshape(*starts.shape, len(times))


def test_statuses_are_those_of_the_code():
    assert BATCH_STATUSES[INVALID] == "invalid-start"
    assert BATCH_STATUSES[INACCURATE] == "inaccurate"


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-9])
def test_every_saved_value_keeps_the_contract(rtol):
    starts = spectra(300, 10)
    options = {"rtol": rtol, "atol": rtol * 1e-3}
    batch = compiled_ensemble(NO_NODES, hand_programs.euclidean(), starts, TIMES, {}, **options)
    assert (batch.status == COMPLETED).all()
    assert worst(batch.values, recruited(starts, TIMES), **options) < CONTRACT


def test_what_round_off_keeps_from_being_accurate_is_flagged():
    starts = spectra(300, 10, 1e-5)
    options = {"rtol": 1e-13, "atol": 1e-16}
    batch = compiled_ensemble(NO_NODES, hand_programs.euclidean(), starts, TIMES, {}, **options)
    assert set(np.unique(batch.status)) <= {COMPLETED, INACCURATE}
    assert (batch.status == INACCURATE).any()
    fine = batch.status == COMPLETED
    exact = recruited(starts[fine], TIMES)
    round_off = 1e-14 * 60  # of the closed form itself
    assert worst(batch.values[fine], exact, 1e-13 + round_off, 1e-16) < CONTRACT


def test_errors_that_grow_a_hundred_thousand_times_keep_the_contract():
    start = 1e-5
    middle = (1 / start - 2 + np.log(1 / start - 1)) / 2  # when λ = ½, from the closed form
    times = np.linspace(0, middle, 201)
    batch = compiled_ensemble(
        NO_NODES, hand_programs.euclidean(), np.full((1, 1, 1), start), times, {}
    )
    assert batch.status[0] == COMPLETED
    assert batch.values[0, 0, 0, -1] == pytest.approx(0.5, rel=CONTRACT * 1e-6)
    local = solve_ivp(
        lambda _t, y: 2 * y**2 * (1 - y), (0, middle), [start], rtol=1e-6, atol=1e-9 * start
    )
    assert abs(local.y[0, -1] - 0.5) > 100 * CONTRACT * 1e-6  # local errors alone say nothing


def test_coupled_modes_keep_the_contract():
    starts = spectra(16, 5, 1e-4, 10)
    batch = compiled_ensemble(NO_NODES, hand_programs.cosine(), starts, TIMES, {})

    def rate(_t, y):
        cubes, squares = (y**3).sum(), (y**2).sum()
        return 2 * y**2 * (cubes - y * squares) / (cubes * np.sqrt(cubes * y.sum()))

    assert (batch.status == COMPLETED).all()
    for start, values in zip(starts, batch.values, strict=True):
        options = {"method": "DOP853", "rtol": 1e-13, "atol": 1e-16, "max_step": 1.0}
        exact = solve_ivp(rate, (0, 60), start[0], t_eval=TIMES[::10], **options).y
        assert worst(values[0][:, ::10], exact, 1e-6, 1e-9) < CONTRACT


def test_each_trajectory_has_its_own_parameters():
    k = np.linspace(-2, 0.1, 37)
    starts = np.full((37, 1, 3), 0.7)
    batch = compiled_ensemble(NO_NODES, hand_programs.power_growth(1), starts, TIMES, {"k": k})
    exact = 0.7 * np.exp(k[:, None, None, None] * TIMES)
    assert worst(batch.values, np.broadcast_to(exact, batch.values.shape), 1e-6, 1e-9) < CONTRACT


def test_an_oscillator_keeps_its_phase():
    starts = np.array([[[1.0, 2.0], [0.0, 0.5]]])
    batch = compiled_ensemble(NO_NODES, hand_programs.oscillator(), starts, TIMES, {"k": 1.0})
    x, y = starts[0][:, :, None]
    exact = np.stack([x * np.cos(TIMES) + y * np.sin(TIMES), y * np.cos(TIMES) - x * np.sin(TIMES)])
    assert (batch.status == COMPLETED).all()
    assert worst(batch.values[0], exact, 1e-6, 1e-9) < CONTRACT


def test_rates_may_depend_on_time():
    starts = np.array([[[0.5]]])
    batch = compiled_ensemble(NO_NODES, hand_programs.falling(), starts, TIMES + 1, {"k": 3.0})
    exact = 0.5 + 3 * (1 / 2 - 1 / (2 + TIMES))
    assert worst(batch.values[0, 0, 0], exact, 1e-6, 1e-9) < CONTRACT


@pytest.mark.full  # test_flow.py compares one trajectory with the flow, for every closure
@pytest.mark.parametrize(("loss", "closure"), [("cosine", "mean-field"), ("euclidean", "exact")])
def test_the_ensemble_equals_the_flow(loss, closure):
    dynamics = close(mode_dynamics(named_loss(loss)), closure)
    field, program = compile_field(dynamics), program_of(dynamics)
    parameters = dict.fromkeys(field.parameters, 0.01)
    starts = np.sqrt(spectra(5, 4))
    batch = compiled_ensemble(
        field.nodes, program, starts, TIMES, parameters, rtol=1e-9, atol=1e-12
    )
    for start, values in zip(starts, batch.values, strict=True):
        flowed = gradient_flow(field, start, TIMES, parameters, rtol=1e-12, atol=1e-14)
        assert worst(values, flowed.values, 1e-9, 1e-12) < CONTRACT


@pytest.mark.full  # simulation/test_ensemble.py compares ensembles of it with SciPy
def test_the_exact_closure_brings_its_nodes():
    dynamics = close(mode_dynamics(named_loss("cosine")))
    field, program = compile_field(dynamics), program_of(dynamics)
    parameters = dict.fromkeys(field.parameters, 0.1)
    starts = np.sqrt(spectra(3, 4, 0.1, 3))
    nodes = fit_nodes(program, starts, parameters, accuracy=1e-6).nodes
    field = replace(field, nodes=nodes)
    times = np.linspace(0, 10, 11)
    batch = compiled_ensemble(field.nodes, program, starts, times, parameters)
    for start, values in zip(starts, batch.values, strict=True):
        flowed = gradient_flow(field, start, times, parameters)
        assert worst(values, flowed.values, 1e-6, 1e-9) < CONTRACT


@pytest.mark.parametrize("rtol", first_of(1e-6, 1e-10))  # of order 5, and of order 8
def test_short_code_for_one_trajectory_finds_what_written_out_code_finds(rtol):
    """With averages, which it is written for; it differs by what products are rounded with sums."""
    known = prepared(Settings(loss="cosine"))
    assert known is not None
    program = known.program
    parameters = {"sigma1": 0.1, "sigma2": 0.2, "weight_decay": 0.01}
    start = np.sqrt(spectra(1, 3, 0.1, 3))
    nodes = fit_nodes(program, start, parameters, accuracy=1e-4).nodes
    options = {"rtol": rtol, "atol": 1e-3 * rtol, "threads": 1, "across": "nodes"}
    short, written_out = (
        compiled_ensemble(nodes, program, start, TIMES, parameters, quickly=quickly, **options)
        for quickly in (True, False)
    )
    assert short.status == COMPLETED
    assert short.steps == written_out.steps
    np.testing.assert_allclose(short.values, written_out.values, rtol=1e-11)


def test_results_do_not_depend_on_order_chunks_or_threads():
    starts = spectra(101, 3, 1e-4, 3)
    program = hand_programs.cosine()
    options = {"rtol": 1e-6, "atol": 1e-9}
    whole = compiled_ensemble(NO_NODES, program, starts, TIMES, {}, threads=1, **options)
    order = np.random.default_rng(1).permutation(101)
    mixed = compiled_ensemble(NO_NODES, program, starts[order], TIMES, {}, threads=3, **options)
    alone = compiled_ensemble(NO_NODES, program, starts[50:51], TIMES, {}, **options)
    assert (mixed.values == whole.values[order]).all()
    assert (mixed.steps == whole.steps[order]).all()
    assert (alone.values == whole.values[50:51]).all()


def test_failures_leave_their_neighbours_alone():
    starts = spectra(40, 2)
    k = np.full(40, -0.3)
    program = hand_programs.power_growth(2)
    clean = compiled_ensemble(NO_NODES, program, starts, TIMES, {"k": k})
    bad, bad_k = starts.copy(), k.copy()
    bad[3], bad[7, 0, 1], bad[11], bad[20] = np.nan, np.inf, -1.0, 1e300
    bad_k[5], bad_k[9] = 1.0, np.nan  # becomes infinite; is no number
    spoiled = compiled_ensemble(NO_NODES, program, bad, TIMES, {"k": bad_k})
    touched = [3, 5, 7, 9, 11, 20]
    kept = np.setdiff1d(np.arange(40), touched)
    assert (spoiled.values[kept] == clean.values[kept]).all()
    assert (spoiled.status[[3, 7, 9, 11]] == INVALID).all()
    assert np.isnan(spoiled.values[[3, 7, 9, 11]]).all()
    assert spoiled.status[5] == DIVERGED
    assert spoiled.status[20] != COMPLETED


def test_what_becomes_infinite_is_followed_until_then():
    starts = np.array([[[0.5]], [[0.04]]])
    times = np.array([0.0, 0.5, 1.0, 1.5, 1.9, 2.1, 5.0])
    batch = compiled_ensemble(NO_NODES, hand_programs.power_growth(2), starts, times, {"k": 1.0})
    exact = starts[0, 0, 0] / (1 - starts[0, 0, 0] * times[:5])
    assert list(batch.status) == [DIVERGED, COMPLETED]
    assert worst(batch.values[0, 0, 0, :5], exact, 1e-6, 1e-9) < CONTRACT
    assert np.isnan(batch.values[0, 0, 0, 5:]).all()


def test_what_slows_down_from_a_rate_of_1e21_does_not_diverge():
    x, k = np.array([10.0, 0.5]), np.array([-1e18, -1.0])
    program = hand_programs.power_growth(3)
    batch = compiled_ensemble(NO_NODES, program, x[:, None, None], TIMES, {"k": k})
    exact = x[:, None] / np.sqrt(1 - 2 * (k * x**2)[:, None] * TIMES)
    assert list(batch.status) == [COMPLETED, COMPLETED]
    assert worst(batch.values[:, 0, 0], exact, 1e-6, 0.0) < CONTRACT


def test_a_stiff_trajectory_runs_out_of_steps():
    starts = np.array([[[1.0]], [[1.0]]])
    times = np.array([0.0, 1e-3, 1e-2, 60.0])
    options = {"max_steps": 500}
    program = hand_programs.power_growth(1)
    batch = compiled_ensemble(NO_NODES, program, starts, times, {"k": [-1e3, -0.1]}, **options)
    assert list(batch.status) == [OUT_OF_STEPS, COMPLETED]
    assert worst(batch.values[0, 0, 0, :3], np.exp(-1e3 * times[:3]), 1e-6, 1e-9) < CONTRACT
    assert np.isnan(batch.values[0, 0, 0, 3])


def test_the_final_state_alone_is_the_last_one_saved():
    starts = spectra(20, 4)
    program = hand_programs.cosine()
    final = compiled_ensemble(NO_NODES, program, starts, TIMES, {}, keep="final")
    whole = compiled_ensemble(NO_NODES, program, starts, TIMES, {})
    assert final.values.shape == (20, 1, 4, 1)
    assert list(final.times) == [60.0]
    assert worst(final.values, whole.values[..., -1:], 1e-6, 1e-9) < 2 * CONTRACT


def test_no_trajectory_and_no_time_to_go_are_fine():
    program = hand_programs.cosine()
    none = compiled_ensemble(NO_NODES, program, np.empty((0, 1, 4)), TIMES, {})
    assert none.values.shape == (0, 1, 4, 101)
    starts = spectra(3, 4)
    still = compiled_ensemble(NO_NODES, program, starts, TIMES[:1], {})
    assert (still.values[..., 0] == starts).all()
    assert (still.status == COMPLETED).all()


@pytest.mark.parametrize("modes", first_of(MANY, MANY - 1))
def test_many_modes_of_one_trajectory_are_integrated_as_few_are(modes):
    starts = spectra(2, modes)
    times = np.array([0.0, 1.0, 10.0])
    batch = compiled_ensemble(NO_NODES, hand_programs.euclidean(), starts, times, {})
    assert worst(batch.values, recruited(starts, times), 1e-6, 1e-9) < CONTRACT


def test_single_precision_keeps_the_contract_at_its_own_tolerance():
    starts = spectra(50, 4).astype(np.float32)
    options = {"rtol": 1e-3, "atol": 1e-6}
    batch = compiled_ensemble(NO_NODES, hand_programs.euclidean(), starts, TIMES, {}, **options)
    fine = batch.status == COMPLETED
    assert batch.values.dtype == np.float32
    assert fine.mean() > 0.9
    exact = recruited(starts.astype(float), TIMES)
    assert worst(batch.values[fine], exact[fine], **options) < CONTRACT


@pytest.mark.parametrize(
    ("kind", "times", "options", "said"),
    [
        (np.float32, TIMES, {"rtol": 1e-8}, "below the precision of float32"),
        (np.float64, TIMES, {"rtol": 1e-17}, "below the precision of float64"),
        (np.float64, TIMES, {"rtol": 0.0}, "must be positive"),
        (np.float64, TIMES[::-1], {}, "increase"),
        (np.float64, TIMES[:0], {}, "increase"),
    ],
)
def test_what_cannot_be_done_is_refused(kind, times, options, said):
    starts = np.ones((1, 1, 2), kind)
    with pytest.raises(InvalidSetting, match=said):
        compiled_ensemble(NO_NODES, hand_programs.euclidean(), starts, times, {}, **options)


def test_a_mode_that_has_all_but_vanished_keeps_its_digits():
    starts = np.array([[[1e-20, 1e-3]]])
    times = np.linspace(0, 60, 7)
    batch = compiled_ensemble(NO_NODES, hand_programs.power_growth(1), starts, times, {"k": 0.7})
    exact = starts[0, 0][:, None] * np.exp(0.7 * times)
    np.testing.assert_allclose(batch.values[0, 0], exact, rtol=CONTRACT * 1e-6)
