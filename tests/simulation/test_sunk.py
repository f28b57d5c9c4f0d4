"""Claims about modes that have sunk for good: they ask for no nodes, unless they can come back."""

import numpy as np
import pytest

import eigendyn
from eigendyn.program.derivation import program_of
from eigendyn.simulation.nodes import fit_nodes
from eigendyn.simulation.sunk import cannot_return, lifted, sunk_modes
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics
from eigendyn.theory.losses import named_loss

ATOL = 1e-12
NUMBERS = {"sigma1": 0.0, "sigma2": 0.5, "weight_decay": 0.0}


def test_a_mode_has_sunk_where_it_stays_below_the_tolerance():
    first = np.array([1.0, 1e-13, 1.0, 1e-13, 1e-13])
    states = np.stack([np.ones(5), first], axis=-1)[:, None, :]
    expected = [[False, False]] * 3 + [[False, True]] * 2
    np.testing.assert_array_equal(sunk_modes(states, ATOL), expected)


def test_a_mode_without_variance_has_not_sunk():
    """Put at the tolerance, it would ask for nodes that nothing needs."""
    states = np.array([[[1.0, 0.0]], [[1.0, 0.0]]])
    assert not sunk_modes(states, ATOL).any()


def test_where_all_modes_are_small_the_tolerance_is_a_share_of_the_largest():
    states = 1e-20 * np.array([[[1.0, 1e-11, 1e-13]]])
    np.testing.assert_array_equal(sunk_modes(states, ATOL), [[False, False, True]])


def test_a_mode_that_would_grow_from_the_tolerance_can_return():
    """Under the cosine loss small modes grow; without stop-gradient they sink."""
    states = np.array([[[1.0, 0.5, 1e-30]]])
    sunk = sunk_modes(states, ATOL)
    for stop_gradient in (True, False):
        loss = named_loss("cosine", stop_gradient=stop_gradient)
        program = program_of(close(mode_dynamics(loss), "exact"))
        there = lifted(program, states, sunk, ATOL)
        assert there[0, 0, 2] == ATOL
        nodes = fit_nodes(program, there, NUMBERS).nodes
        gone = cannot_return(program, there, sunk, NUMBERS, nodes, np.zeros(1))
        np.testing.assert_array_equal(gone, [[False, False, not stop_gradient]])


@pytest.mark.full
def test_modes_that_sink_by_many_decades_do_not_hold_a_run_up():
    run = eigendyn.simulate(
        "cosine", [0.1, 1.1], stop_gradient=False, steps=2000, rtol=1e-3, atol=1e-5
    )
    assert run.attrs["status"] == "completed"
    assert (run.variance[0, -1] < 1e-10).all()
