"""Claims about phase planes in Python: manifolds, basins and level sets are those of the theory."""

import numpy as np
import pytest

import eigendyn
from eigendyn.explorer.axes import axes
from eigendyn.explorer.motion import Motion
from eigendyn.explorer.portrait import basins, conserved_levels, rests, separatrices
from eigendyn.explorer.system import explored_system

DECAY = 0.1
LOW, HIGH = (1 - np.sqrt(1 - 4 * DECAY)) / 2, (1 + np.sqrt(1 - 4 * DECAY)) / 2  # v(1 − v) = ω


def motion_of(*arguments, **settings):
    system, dynamics = explored_system(*arguments, **settings)
    return Motion(system, axes(system, dynamics))


@pytest.fixture(scope="module")
def euclidean():
    return motion_of("euclidean", weight_decay=DECAY)


@pytest.fixture(scope="module")
def learned():
    decays = {"weight_decay": DECAY, "predictor_decay": DECAY}
    return motion_of("euclidean", predictor="learned", **decays)


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


def test_borders_of_basins_are_straight_without_interaction(euclidean):
    branches = separatrices(euclidean, rests(euclidean, {}).points, {})
    for branch in branches:
        assert np.abs(branch - LOW).min(axis=1).max() < 1e-3  # one of both stays at the unstable v
    assert max(branch.max() for branch in branches) == pytest.approx(2.0)  # as far as the edge


def test_a_start_on_either_side_of_a_border_ends_elsewhere(learned):
    found = rests(learned, {})
    border = max(separatrices(learned, found.points, {}), key=len)
    p, s = border[len(border) // 2]
    ends = [learned.trajectory((p, s * side), {}, 300.0)[1][-1] for side in (0.97, 1.03)]
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
    motion = motion_of("cosine", closure_accuracy=1e-6)
    across, up = motion.grid(7)
    levels = conserved_levels(motion, across, up)
    np.testing.assert_allclose(levels["sum of variances"], across + up)
    _, path = motion.trajectory((0.2, 1.1), {}, 20.0)
    np.testing.assert_allclose(path.sum(axis=1), 1.3, rtol=1e-3)


def test_equal_eigenvalues_are_one_line_of_fixed_points():
    motion = motion_of("cosine", closure_accuracy=1e-6)
    found = rests(motion, {})
    lines = [i for i, point in enumerate(found.points) if point.stability == "stable"]
    assert len(lines) == 1
    line, point = found.continua[lines[0]], found.points[lines[0]]
    np.testing.assert_allclose(line[..., 0], line[..., 1], atol=1e-6)
    assert np.ptp(line[..., 0]) > 1.9
    assert point.zero_modes == point.explained == 1


def test_the_explorer_and_the_portrait_share_their_motion(euclidean):
    run = eigendyn.simulate("euclidean", [0.3, 1.2], weight_decay=DECAY, steps=100)
    _, path = euclidean.trajectory((0.3, 1.2), {}, 10.0)
    np.testing.assert_allclose(path[-1], run["variance"].values[:, -1], rtol=1e-3)
