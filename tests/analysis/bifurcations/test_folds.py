"""Claims about curves of saddle-nodes: closed forms in two parameters, and why they end."""

import hand_written
import numpy as np
import pytest

from eigendyn.analysis.bifurcations.continuation import continue_fixed_points
from eigendyn.analysis.bifurcations.folds import fold_curve
from eigendyn.analysis.system import dynamical_system
from eigendyn.errors import InvalidSetting, UnknownName


@pytest.fixture(scope="module")
def euclidean():
    return dynamical_system("euclidean", 1)


@pytest.mark.full  # show/plot/test_bifurcation.py draws the curve of theory
def test_the_saddle_node_moves_with_noise_as_theory_says(euclidean):
    (curve,) = fold_curve(euclidean, "weight_decay", (0, 0.4), "sigma1", (0, 1))
    c = 1 + curve.second**2
    np.testing.assert_allclose(curve.first, 1 / (4 * c), atol=1e-12)
    np.testing.assert_allclose(curve.x[:, 0] ** 2, 1 / (2 * c), atol=1e-10)
    np.testing.assert_allclose(sorted([curve.second[0], curve.second[-1]]), [0, 1], atol=1e-12)
    assert curve.ended == ("parameter range ended", "parameter range ended")
    assert not curve.partial
    assert len(curve.first) > 30


@pytest.mark.full  # as the direct one above
def test_a_learned_predictor_s_saddle_node_moves_likewise():
    system = dynamical_system("euclidean", 1, predictor="learned", predictor_rate=2.0)
    both = ("weight_decay", "predictor_decay")
    (curve,) = fold_curve(system, both, (0, 0.4), "sigma1", (0, 1))
    np.testing.assert_allclose(curve.first, 1 / (4 * (1 + curve.second**2)), atol=1e-10)
    assert curve.driven == (both, ("sigma1",))


@pytest.mark.full  # the closed form above says the same
def test_every_point_is_a_saddle_node_of_its_own_diagram(euclidean):
    (curve,) = fold_curve(euclidean, "weight_decay", (0, 0.4), "sigma1", (0, 1))
    for index in (3, len(curve.first) // 2):
        noise = float(curve.second[index])
        found = continue_fixed_points(euclidean, "weight_decay", (0, 0.4), sigma1=noise)
        (fold,) = found.special_points
        np.testing.assert_allclose(fold.parameter, curve.first[index], atol=1e-10)


@pytest.mark.full
def test_saddle_nodes_on_one_curve_give_one_curve_through_the_cusp():
    curves = fold_curve(
        hand_written.cusp(), "nu", (-0.5, 0.5), "mu", (-1, 1), window=([-1.6], [1.7])
    )
    (curve,) = curves  # both saddle-nodes are on it: it turns at the cusp
    np.testing.assert_allclose(27 * curve.first**2, 4 * curve.second**3, atol=1e-9)
    np.testing.assert_allclose(curve.second.min(), 0, atol=1e-3)
    assert curve.first.min() < -0.3 and curve.first.max() > 0.3
    assert not curve.partial


@pytest.mark.full  # followed as a closed loop of test_continuation.py
def test_a_closed_curve_of_saddle_nodes_is_noticed():
    (curve,) = fold_curve(
        hand_written.sphere(), "mu", (-1, 1), "nu", (-1, 1), window=([-1.2], [1.3])
    )
    assert curve.ended == ("closed loop", "closed loop")
    assert not curve.partial
    assert (curve.first[0], curve.second[0]) == (curve.first[-1], curve.second[-1])
    np.testing.assert_allclose(curve.first**2 + curve.second**2, 0.25, atol=1e-10)
    turns = np.unwrap(np.arctan2(curve.second, curve.first))
    np.testing.assert_allclose(abs(turns[-1] - turns[0]), 2 * np.pi, rtol=1e-12)


def test_a_curve_ends_where_its_parameters_have_no_meaning(euclidean):
    (curve,) = fold_curve(euclidean, "weight_decay", (0, 0.4), "sigma1", (-1, 1))
    assert "left the domain, sigma1 ≥ 0" in curve.ended
    assert curve.second.min() >= -1e-12


def test_without_saddle_nodes_there_is_no_curve():
    system = dynamical_system("iso-euclidean", 1)
    assert fold_curve(system, "weight_decay", (0, 1.4), "sigma1", (0, 1)) == ()


@pytest.mark.parametrize(
    ("second", "between", "error", "says"),
    [
        ("sigma7", (0, 1), UnknownName, "Known: sigma1"),
        ("sigma1", (1, 0), InvalidSetting, "lower one first"),
        ("weight_decay", (0, 0.4), InvalidSetting, "must differ"),
    ],
)
def test_a_wrong_second_parameter_is_refused(euclidean, second, between, error, says):
    with pytest.raises(error, match=says):
        fold_curve(euclidean, "weight_decay", (0, 0.4), second, between)
