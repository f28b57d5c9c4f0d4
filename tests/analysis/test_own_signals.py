"""Claims about planes and branches of modes with a signal and noises of their own."""

import numpy as np
import pytest

import eigendyn


def of_component(d, a, decay):
    root = np.sqrt(d**2 - 4 * decay * (d + a))
    return 0.0, (d - root) / (2 * (d + a)), (d + root) / (2 * (d + a))


def test_every_mode_stands_at_its_own_fixed_points():
    signal, noise, decay = (2.0, 0.5), (0.1, 0.4), 0.05
    own = {"signal": signal, "noise1": noise, "weight_decay": decay}
    system = eigendyn.dynamical_system("euclidean", 2, **own)
    found = eigendyn.fixed_points(system, [0.0, 0.0], [1.4, 1.4], starts=64)
    points = {tuple(np.round(point.x**2, 8) + 0.0) for point in found}
    first, second = (of_component(d, a, decay) for d, a in zip(signal, noise, strict=True))
    assert points == {tuple(np.round((v, w), 8)) for v in first for w in second}


@pytest.mark.full  # test_continuation.py has folds, test_component_limits.py these limits
def test_a_branch_folds_where_the_component_can_live_no_more():
    system = eigendyn.dynamical_system("euclidean", 1, signal=1.0, noise1=0.3)
    diagram = eigendyn.continue_fixed_points(system, "weight_decay", (0, 0.4))
    (fold,) = [one for one in diagram.special_points if one.kind == "saddle-node"]
    np.testing.assert_allclose(fold.parameter, 1 / (4 * 1.3), rtol=1e-6)
