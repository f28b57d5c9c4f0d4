"""Claims about phase planes in Python: manifolds, basins and level sets are those of the theory."""

import jax
import numpy as np
import pytest
import sympy as sp

import eigendyn
from eigendyn.analysis.design import design_loss
from eigendyn.analysis.plane.motion import SAVES, phase_plane
from eigendyn.analysis.plane.portrait import basins, conserved_levels, rests, separatrices
from eigendyn.analysis.system import dynamical_system
from eigendyn.theory.losses import loss_from_function
from eigendyn.theory.symbols import mode_sum, stop_gradient

DECAY = 0.1
LOW, HIGH = (1 - np.sqrt(1 - 4 * DECAY)) / 2, (1 + np.sqrt(1 - 4 * DECAY)) / 2  # v(1 − v) = ω


@pytest.fixture(scope="module")
def euclidean():
    return phase_plane("euclidean", weight_decay=DECAY)


@pytest.fixture(scope="module")
def learned():
    decays = {"weight_decay": DECAY, "predictor_decay": DECAY}
    return phase_plane("euclidean", predictor="learned", **decays)


def test_all_nine_fixed_points_are_found(euclidean):
    found = rests(euclidean, {})
    values = [0, LOW, HIGH]
    expected = sorted((a, b) for a in values for b in values)
    np.testing.assert_allclose(sorted(found.shown.round(9).tolist()), expected, atol=1e-8)
    kinds = {p.stability: 0 for p in found.points}
    for point in found.points:
        kinds[point.stability] += 1
    assert kinds == {"stable": 4, "saddle": 4, "unstable": 1}


def test_eigenvalues_are_those_of_the_linearisation(euclidean):
    rate = {0: -DECAY, LOW: 2 * LOW * (1 - 2 * LOW), HIGH: 2 * HIGH * (1 - 2 * HIGH)}
    for point, shown in zip((found := rests(euclidean, {})).points, found.shown, strict=True):
        expected = [rate[min(rate, key=lambda v, s=s: abs(v - s))] for s in shown]
        np.testing.assert_allclose(point.eigenvalues, sorted(expected)[::-1], atol=1e-8)


@pytest.mark.full
def test_borders_of_basins_are_straight_without_interaction(euclidean):
    branches = separatrices(euclidean, rests(euclidean, {}).points, {})
    for branch in branches:
        assert np.abs(branch - LOW).min(axis=1).max() < 1e-3  # one of both stays at the unstable v
    assert max(branch.max() for branch in branches) == pytest.approx(2.0)  # as far as the edge


@pytest.mark.full
def test_a_start_on_either_side_of_a_border_ends_elsewhere(learned):
    found = rests(learned, {})
    border = max(separatrices(learned, found.points, {}), key=len)
    p, s = border[len(border) // 2]
    both = learned.trajectories([(p, s * side) for side in (0.97, 1.03)], {}, 300.0)
    ends = [path[-1] for _, path in both]
    np.testing.assert_allclose(ends[0], 0, atol=1e-3)
    np.testing.assert_allclose(ends[1], HIGH, atol=1e-3)


def test_basins_are_where_modes_collapse(euclidean):
    found = rests(euclidean, {})
    across, up, labels = basins(euclidean, found.points, {}, 200.0, 12)
    assert (labels >= 0).all()
    ends = found.shown[labels]
    np.testing.assert_allclose(ends[..., 0], np.where(across < LOW, 0, HIGH), atol=1e-6)
    np.testing.assert_allclose(ends[..., 1], np.where(up < LOW, 0, HIGH), atol=1e-6)


def test_a_trajectory_that_has_not_arrived_has_no_basin(euclidean):
    labels = basins(euclidean, rests(euclidean, {}).points, {}, 0.01, 4)[2]
    assert (labels == -1).any()


def test_trajectories_keep_to_the_level_sets():
    motion = phase_plane("cosine")
    across, up = motion.grid(7)
    levels = conserved_levels(motion, across, up)
    np.testing.assert_allclose(levels["sum of variances"], across + up)
    _, path = motion.trajectories([(0.2, 1.1)], {}, 20.0)[0]
    np.testing.assert_allclose(path.sum(axis=1), 1.3, rtol=1e-3)


@pytest.mark.full  # show/notebook/test_explorer.py finds one line of them too
def test_equal_eigenvalues_are_one_line_of_fixed_points():
    motion = phase_plane("cosine")
    found = rests(motion, {})
    lines = [i for i, point in enumerate(found.points) if point.stability == "stable"]
    assert len(lines) == 1
    line, point = found.continua[lines[0]], found.points[lines[0]]
    np.testing.assert_allclose(line[..., 0], line[..., 1], atol=1e-6)
    assert np.ptp(line[..., 0]) > 1.9
    assert point.zero_modes == point.explained == 1


def test_the_explorer_and_the_portrait_share_their_motion(euclidean):
    run = eigendyn.simulate("euclidean", [0.3, 1.2], weight_decay=DECAY, steps=100)
    _, path = euclidean.trajectories([(0.3, 1.2)], {}, 10.0)[0]
    np.testing.assert_allclose(path[-1], run["variance"].values[:, -1], rtol=1e-3)


def test_a_slice_moves_as_the_whole_does_where_the_others_are_held():
    held = {"variance3": 0.4}
    part = phase_plane("cosine", modes=3, held=held, window=(1.0, 1.0))
    whole = dynamical_system("cosine", 3)
    rates = part.rates(np.array([0.2]), np.array([0.7]), {})
    s = np.sqrt([0.2, 0.7, 0.4])
    np.testing.assert_allclose(rates[:, 0], 2 * (s * jax.jit(whole)(s))[:2], rtol=1e-5)
    assert part.title == "cosine, variance3 = 0.4"
    assert not part.system.conserved  # the sum over two of three modes is not


def test_a_predictor_beside_an_ema_target_rests_at_tian_s_fixed_points():
    decays = {"weight_decay": DECAY, "predictor_decay": DECAY}
    plane = phase_plane(
        "euclidean", predictor="learned", target="ema", held={"target": HIGH**2}, **decays
    )
    assert [axis.symbol for axis in plane.axes] == ["p", "s"]
    found = [tuple(shown.round(6)) for shown in rests(plane, {}).shown]
    assert (round(HIGH, 6), round(HIGH, 6)) in found  # where target and encoder agree


def test_the_mean_field_has_a_plane():
    motion = phase_plane("cosine", closure="mean-field")
    rates = motion.rates(np.array([0.5]), np.array([0.5]), {})
    np.testing.assert_allclose(rates, 0, atol=1e-15)  # equal eigenvalues rest


@pytest.mark.full  # compiles a flow for each
def test_a_slice_and_a_loss_without_machine_code_are_followed_by_the_flow():
    held = {"variance3": 0.5}
    part = phase_plane("euclidean", modes=3, held=held, weight_decay=DECAY)
    whole = phase_plane("euclidean", modes=2, weight_decay=DECAY)
    starts = [(0.3, 1.2), (1.0, 0.1)]
    for (_, one), (_, other) in zip(
        part.trajectories(starts, {}, 10.0), whole.trajectories(starts, {}, 10.0), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-3)
    bent = loss_from_function(lambda z1, z2, lam: mode_sum(sp.tanh(lam) * stop_gradient(z1) * z2))
    points = phase_plane(bent, learning_rate=0.1).trajectories(starts, {}, 1.0)
    assert all(len(path) == SAVES for _, path in points)


@pytest.mark.parametrize("rate", ["-(lam - 1)**2", "-(lam - sum(lam)/sum(1))**2"])
def test_a_nullcline_that_a_rate_only_touches_is_drawn(rate):
    motion = phase_plane(design_loss(rate).loss)
    across, up = motion.grid(81)
    for which, lines in enumerate(motion.nullclines(across, up, motion.rates(across, up, {}), {})):
        drawn = np.concatenate(lines)
        drawn = drawn[drawn.min(axis=1) > 0.1]  # beside the axes all rates are small
        expected = drawn[:, 1 - which] if "sum" in rate else 1.0
        # 2 v d²/4 is below 1e-6 of usual rates for d < 5e-3
        np.testing.assert_allclose(drawn[:, which], expected, atol=5e-3)
        assert np.ptp(drawn, axis=0)[1 - which] > 1.8


def test_no_nullcline_is_drawn_in_the_ghost_of_one():
    motion = phase_plane(design_loss("-(lam - 1)**2 - 0.001").loss)
    across, up = motion.grid(81)
    assert motion.nullclines(across, up, motion.rates(across, up, {}), {}) == [[], []]
