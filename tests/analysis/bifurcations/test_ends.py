"""Claims about where branches end: a mode vanishes exactly where its own growth rate does."""

import numpy as np
import pytest
from structures import first_of

from eigendyn.analysis.bifurcations.continuation import continue_fixed_points
from eigendyn.analysis.system import dynamical_system


@pytest.mark.parametrize("sigma1", first_of(0.5, 0.0))
def test_a_mode_vanishes_where_its_growth_rate_is_zero(sigma1):
    system = dynamical_system("iso-euclidean", 1, sigma1=sigma1)
    found = continue_fixed_points(system, "weight_decay", (0, 1.4))
    (alive,) = (one for one in found.branches if one.x.max() > 0)
    assert "met the branch on which mode 0 has vanished" in alive.ended
    (one,) = alive.special_points
    np.testing.assert_allclose([one.parameter, one.x[0]], [1, 0], atol=1e-12)
    at = int(np.argmax(alive.parameter))
    assert alive.x[at, 0] == 0  # the last point is on the branch that is met


def test_modes_that_vanish_together_are_both_named():
    found = continue_fixed_points(
        dynamical_system("iso-euclidean", 2),
        "weight_decay",
        (0.2, 1.4),
        start=[0.7**0.5] * 2,
        weight_decay=0.3,
    )
    assert "met the branch on which mode 0 and 1 has vanished" in found.branches[0].ended


def test_at_the_end_of_the_range_there_is_no_special_point():
    found = continue_fixed_points(dynamical_system("euclidean", 1), "weight_decay", (0, 0.4))
    assert [one.kind for one in found.special_points] == ["saddle-node"]
    assert all(one.ended == ("parameter range ended",) * 2 for one in found.branches)


def test_a_mode_vanishes_with_a_kink_where_the_predictor_is_a_root():
    system = dynamical_system("iso-euclidean", 1, alpha=0.5)  # ds/dt = s(1 − |s| − ω)
    found = continue_fixed_points(system, "weight_decay", (0.1, 1.4))
    (alive,) = (one for one in found.branches if one.x.max() > 0)
    assert "met the branch on which mode 0 has vanished" in alive.ended
    assert not found.partial
    np.testing.assert_allclose(alive.x[:, 0], 1 - alive.parameter, atol=1e-9)
