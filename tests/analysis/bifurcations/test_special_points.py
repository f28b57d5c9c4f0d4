"""Claims about special points: those of textbook systems are bracketed, refined and named."""

import hand_written
import numpy as np
import pytest
from structures import first_of

from eigendyn.analysis.bifurcations.continuation import continue_fixed_points
from eigendyn.analysis.bifurcations.special_points import NARROW


def of(system, parameter, between, window):
    return continue_fixed_points(system, parameter, between, window=window)


@pytest.fixture(scope="module")
def cusp():
    return of(hand_written.cusp(), "nu", (-1, 1), ([-1.6], [1.7]))


def test_folds_are_bracketed_and_refined(cusp):
    expected = 2 / np.sqrt(27)
    low, high = cusp.special_points
    assert [low.kind, high.kind] == ["saddle-node", "saddle-node"]
    np.testing.assert_allclose([low.parameter, high.parameter], [-expected, expected], atol=1e-12)
    np.testing.assert_allclose([low.x[0], high.x[0]], np.array([1, -1]) / np.sqrt(3), atol=1e-8)
    for one in cusp.special_points:
        assert one.refined
        assert one.bracket[:, 1].min() < one.x[0] < one.bracket[:, 1].max()
        assert np.ptp(one.bracket[:, 1]) < 3.3 * NARROW
        assert abs(one.eigenvalues[0]) < 1e-7
        assert np.isnan(one.period)


@pytest.mark.parametrize(
    ("system", "parameter", "between", "window", "at", "frequency"),
    first_of(
        (hand_written.hopf(), "mu", (-1, 1.2), ([-1, -1], [1.1, 1]), 0.0, 2.0),
        (hand_written.brusselator(), "b", (0.5, 3.4), ([0, 0], [3, 4]), 2.0, 1.0),
    ),
)
def test_a_hopf_point_has_its_frequency(system, parameter, between, window, at, frequency):
    (one,) = of(system, parameter, between, window).special_points
    assert one.kind == "Hopf"
    assert one.bracket[0, 0] < one.parameter < one.bracket[1, 0]
    np.testing.assert_allclose(one.parameter, at, atol=1e-10)
    np.testing.assert_allclose(one.frequency, frequency, rtol=1e-10)
    np.testing.assert_allclose(one.period, 2 * np.pi / frequency, rtol=1e-10)


@pytest.mark.full
def test_where_nothing_happens_nothing_is_found():
    found = of(hand_written.brusselator(), "b", (0.5, 1.5), ([0, 0], [3, 4]))
    assert found.special_points == ()
