"""Claims about branches that cross: all are followed, and the crossing is called by its kind."""

import hand_written
import numpy as np

from eigendyn.analysis.bifurcations.continuation import continue_fixed_points


def test_both_arms_of_a_pitchfork_are_found_from_its_trunk():
    found = continue_fixed_points(
        hand_written.pitchfork(),
        "mu",
        (-1, 1.1),
        window=([-1.2, -1.2], [1.3, 1.4]),
        start=[0.0, 0.0],
        mu=-0.5,
    )
    (one,) = found.special_points
    assert one.kind == "pitchfork"
    np.testing.assert_allclose([one.parameter, *one.x], 0, atol=1e-9)
    trunk, arms = found.branches
    np.testing.assert_array_equal(trunk.x, 0)
    np.testing.assert_allclose(arms.x[:, 0] ** 2, arms.parameter, atol=1e-9)
    assert arms.x[:, 0].min() < -1 and arms.x[:, 0].max() > 1
    assert set(trunk.stability[trunk.parameter > 1e-6]) == {"saddle"}
    exists = arms.parameter > 1e-6
    assert exists.any() and arms.stable[exists].all()


def test_a_transcritical_point_exchanges_stability():
    found = continue_fixed_points(
        hand_written.transcritical(), "mu", (-1, 1.1), window=([-1.2], [1.3]), start=[0.0], mu=-0.5
    )
    (one,) = found.special_points
    assert one.kind == "transcritical"
    flat, slanted = found.branches
    np.testing.assert_allclose(slanted.x[:, 0], slanted.parameter, atol=1e-9)
    for branch, sign in ((flat, -1), (slanted, 1)):
        away = np.abs(branch.parameter) > 1e-6
        np.testing.assert_array_equal(branch.stable[away], sign * branch.parameter[away] > 0)
