"""Claims about round-off in stiff rates: it is told apart, and no step is asked to be below it."""

import numpy as np
import pytest

import eigendyn
from eigendyn.simulation.engines.implicit.lsoda import FINEST, STRICTER, _shares
from eigendyn.simulation.engines.implicit.noise import EPSILON, moved_by_round_off

LARGE = np.sqrt(2) * 1e6  # of which one takes away what the other adds


@pytest.mark.parametrize("stiffness", [1e2, 1e8])
def test_round_off_of_what_cancels_moves_a_state_by_as_much_however_stiff_it_is(stiffness):
    """Rates −k(Lx − (L − 1)x − 1) hold x at one, but for ε L."""

    def rates(_, x):
        return -stiffness * (LARGE * x - (LARGE - 1) * x - 1)

    x = 1 + np.linspace(-1e-9, 1e-9, 8)
    moved = moved_by_round_off(rates, -stiffness * np.eye(8), 0.0, x, 10.0)
    assert 0.1 * EPSILON * LARGE < moved.max() < 10 * EPSILON * LARGE


def test_exact_rates_move_nothing_by_more_than_the_states_own_round_off():
    moved = moved_by_round_off(lambda _, x: -1e6 * x, -1e6 * np.eye(3), 0.0, np.ones(3), 10.0)
    assert moved.max() < 2 * EPSILON


@pytest.mark.parametrize("rtol", [1e-6, 1e-10, 1e-12, 1e-14])
def test_no_two_runs_that_are_to_agree_have_the_same_tolerance(rtol):
    tolerances = np.array(_shares(FINEST / (STRICTER * rtol))) * STRICTER * rtol
    assert len(tolerances) > 1
    assert (tolerances[:-1] >= 3 * tolerances[1:]).all()
    np.testing.assert_allclose(tolerances[-1], FINEST)


def test_forces_far_stiffer_than_what_is_left_to_follow_do_not_shorten_the_steps():
    """Encoder and predictor decay at different rates, so that forces grow while both move on."""
    run = eigendyn.simulate(
        "cosine",
        [2.0, 1.0, 0.3],
        predictor="learned",
        predictor_rate=2.0,
        predictor_decay=0.02,
        stop_gradient=False,
        weight_decay=0.3,
        sigma1=0.2,
        sigma2=0.3,
        steps=10_000,
        saves=101,
        method="implicit",
        max_solver_steps=2000,
    )
    assert run.attrs["status"] == "completed"
    assert run.time[-1] == 1000
