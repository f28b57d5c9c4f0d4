"""Claims about the equations of a branch: vanished modes are set apart, levels are kept."""

import hand_written
import numpy as np
import pytest

from eigendyn.analysis.bifurcations.curve import ALIVE, curve_through, stands_alone
from eigendyn.analysis.bifurcations.family import family
from eigendyn.analysis.fixed_points.linearisation import judge
from eigendyn.analysis.system import dynamical_system

SIZE = np.full(2, 1.4)


def through(system, x, value, parameter="weight_decay", between=(0, 0.4), **parameters):
    member = family(system, parameter, between, (0 * SIZE, SIZE), parameters)
    return curve_through(member, np.array(x), value, SIZE, 1e-10)


@pytest.fixture(scope="module")
def euclidean():
    return dynamical_system("euclidean", 2)


def test_the_eigenvalues_of_vanished_modes_are_told_apart(euclidean):
    upper = ((1 + 0.6**0.5) / 2) ** 0.5
    curve = through(euclidean, [upper, 0.0], 0.1)
    reading = curve.at_parameter(np.array([upper, 0.0]), 0.1)
    np.testing.assert_allclose(reading.blocks["1"], [-0.1], atol=1e-12)
    np.testing.assert_allclose(reading.blocks[ALIVE], [2 * upper**2 * (1 - 2 * upper**2)])
    expected = judge(euclidean, reading.x, weight_decay=0.1)
    np.testing.assert_allclose(reading.eigenvalues, expected.eigenvalues, atol=1e-12)
    assert reading.stability == expected.stability == "stable"
    assert reading.growing == {ALIVE: 0, "1": 0}


def test_the_equations_have_the_jacobian_of_finite_differences(euclidean):
    curve = through(euclidean, [0.7, 0.4], 0.1)
    y, step = curve.unknowns(np.array([0.7, 0.4]), 0.1), 1e-6
    _, jacobian = curve.equations(y)
    columns = [
        (curve.equations(y + d)[0] - curve.equations(y - d)[0]) / (2 * step)
        for d in step * np.eye(3)
    ]
    np.testing.assert_allclose(jacobian, np.transpose(columns), atol=1e-8)
    x, value = curve.point(y)
    np.testing.assert_allclose([*x, value], [0.7, 0.4, 0.1], atol=1e-15)


def test_a_point_beside_others_stands_alone_on_its_level_only():
    system = dynamical_system("euclidean", 1, predictor="learned")
    x = np.array([0.8, 1.0])
    kept = through(system, x, 0.2, "sigma1", (0.0, 1.0), sigma1=0.2)
    assert list(kept.family.levels) and len(kept.kept) == 1
    apart = through(system, x, 0.0, between=(0.0, 0.4))  # decay conserves nothing
    assert len(apart.kept) == 0
    assert not stands_alone(apart, apart.at_parameter(x, 0.0))
    at = np.array([0.8, 1 / 1.04])
    on_level = through(system, at, 0.2, "sigma1", (0.0, 1.0))
    assert stands_alone(on_level, on_level.at_parameter(at, 0.2))


def test_where_there_are_no_rates_there_is_no_reading():
    member = family(
        hand_written.explosive(), "mu", (-1, 1), (np.array([-2.0]), np.array([2.0])), {}
    )
    curve = curve_through(member, np.zeros(1), 0.0, np.array([4.0]), 1e-10)
    assert curve.at_parameter(np.zeros(1), 0.9) is None
