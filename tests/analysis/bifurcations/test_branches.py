"""Claims about branches: why they end, and that a part is returned with the reason."""

import hand_written
import numpy as np
import pytest
from structures import first_of

from eigendyn.analysis.bifurcations import branches, continuation
from eigendyn.analysis.bifurcations.branches import between
from eigendyn.analysis.bifurcations.continuation import continue_fixed_points
from eigendyn.analysis.system import dynamical_system


@pytest.mark.full  # test_continuation.py finds a closed loop in a wide range
def test_a_closed_loop_is_noticed():
    (loop,) = continue_fixed_points(
        hand_written.circle(), "mu", (-1, 1), window=([-1.2], [1.3])
    ).branches
    assert loop.ended == ("closed loop", "closed loop")
    assert not loop.partial
    np.testing.assert_array_equal(loop.x[0], loop.x[-1])
    np.testing.assert_allclose(loop.x[:, 0] ** 2 + loop.parameter**2, 0.25, atol=1e-10)
    assert len(loop.special_points) == 2


def test_a_branch_ends_at_the_window_and_at_the_range():
    window = ([-1.2], [0.8])
    found = continue_fixed_points(
        hand_written.transcritical(), "mu", (-1, 1.1), window=window, start=[0.5], mu=0.5
    )
    slanted = found.branches[0]
    assert set(slanted.ended) == {"left the window", "parameter range ended"}
    np.testing.assert_allclose(slanted.x.max(), 0.8, atol=1e-12)
    np.testing.assert_allclose(slanted.parameter.min(), -1, atol=1e-12)


def test_leaving_the_domain_is_the_reason():
    system = dynamical_system("euclidean", 1)
    found = continue_fixed_points(system, "weight_decay", (-0.5, 0.4))
    assert all("left the domain, weight_decay ≥ 0" in one.ended for one in found.branches)
    assert min(one.parameter.min() for one in found.branches) >= 0
    assert not found.partial


def test_a_branch_without_rates_beyond_a_point_is_returned_up_to_it():
    found = continue_fixed_points(
        hand_written.explosive(), "mu", (-1, 1), window=([-2.0], [2.0]), start=[0.0]
    )
    (branch,) = found.branches
    assert branch.partial and found.partial
    assert branch.ended == ("parameter range ended", "step too small")
    assert 0.49 < branch.parameter[-1] <= 0.5
    np.testing.assert_allclose(branch.x[:, 0], branch.parameter, atol=1e-6)


def test_a_branch_of_too_many_points_is_returned_up_to_them(monkeypatch):
    monkeypatch.setattr(continuation, "MOST", 5)
    found = continue_fixed_points(
        hand_written.transcritical(), "mu", (-1, 1), window=([-1.2], [1.3]), start=[0.0], mu=-0.5
    )
    assert found.branches[0].ended == (branches.LONG, branches.LONG)
    assert found.branches[0].partial


@pytest.mark.parametrize("modes", first_of(1, 2))
def test_no_negative_singular_value_is_followed(modes):
    found = continue_fixed_points(
        dynamical_system("iso-euclidean", modes), "weight_decay", (0, 1.4)
    )
    assert min(one.x.min() for one in found.branches) >= 0
    assert len(found.branches) == 2**modes


def test_a_few_neutral_points_belong_to_their_neighbours():
    points = ["neutral", "stable", "stable", "neutral", "saddle", "neutral", "neutral"]
    assert between(np.array(points)).tolist() == ["stable"] * 3 + ["saddle"] * 3
    assert between(np.array(["neutral"] * 3)).tolist() == ["neutral"] * 2


@pytest.mark.full
def test_stretches_name_the_parameters_in_the_order_of_their_stabilities():
    cusp = continue_fixed_points(hand_written.cusp(), "nu", (-1, 1), window=([-1.6], [1.7]))
    (branch,) = cusp.branches
    places, kinds = branch.stretches
    fold = 2 / np.sqrt(27)
    np.testing.assert_allclose(places, [-1, fold, -fold, 1], atol=1e-9)  # from the lower end
    assert kinds == ["stable", "unstable", "stable"]
    hopf = continue_fixed_points(
        hand_written.hopf(), "mu", (-1, 1.2), window=([-1, -1], [1.1, 1])
    ).branches[0]
    np.testing.assert_allclose(hopf.stretches[0], [-1, 0, 1.2], atol=1e-9)
    assert hopf.stretches[1] == ["stable", "unstable"]
