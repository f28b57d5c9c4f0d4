"""Claims about pseudo-arclength: curves are followed past turns, and lost only where they end."""

import numpy as np

from eigendyn.analysis.bifurcations.arclength import Spot, correct, null_space, tangent, trace


def circle(y):
    return np.array([y @ y - 1]), 2 * y[None]


def test_a_circle_is_followed_past_both_of_its_turns():
    start, angle = Spot(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 0), 0.0
    for here, new, closes in trace(circle, start, 0.1, 200, 1e-12):
        np.testing.assert_allclose(new.y @ new.y, 1, atol=1e-12)
        turned = np.arctan2(here.y[0] * new.y[1] - here.y[1] * new.y[0], here.y @ new.y)
        assert 0 < turned < 0.11  # always in the same direction
        assert closes == (angle + turned >= 2 * np.pi)
        angle += turned
        if closes:
            break
    assert angle >= 2 * np.pi


def test_a_guess_comes_onto_the_curve_in_its_hyperplane():
    normal = np.array([0.6, 0.8])
    guess = np.array([0.6, 0.7])
    spot = correct(circle, guess, normal, normal, 1e-12)
    np.testing.assert_allclose([spot.y @ spot.y, normal @ (spot.y - guess)], [1, 0], atol=1e-12)


def test_no_point_is_made_up_where_the_curve_does_not_pass():
    assert correct(circle, np.array([3.0, 0.0]), np.array([1.0, 0.0]), np.ones(2), 1e-12) is None


def test_a_curve_that_ends_is_given_up_with_the_shortest_step():
    def ends(y):  # y[1] = √(1 − y[0])
        return np.array([y[1] - np.sqrt(1 - y[0])]), np.array([[0.5 / np.sqrt(1 - y[0]), 1.0]])

    start = Spot(np.array([1 - 1e-4, 1e-2]), np.array([1.0, 0.0]), 0)
    with np.errstate(invalid="ignore"):
        (*steps, (last, none, closes)) = trace(ends, start, 0.1, 500, 1e-12)
    assert none is None and not closes
    assert len(steps) < 400 and 0 <= 1 - last.y[0] < 1e-4


def test_null_vectors_are_those_of_the_matrix():
    matrix = np.array([[1.0, 2, 3], [2, 4, 6]])
    assert np.abs(matrix @ null_space(matrix, 2).T).max() < 1e-12
    along = np.array([-1.0, 0, 0])
    assert tangent(np.array([[0.0, 1, 0], [0, 0, 1]]), along) @ along > 0


def test_without_equations_the_tangent_is_the_parameter_s_axis():
    np.testing.assert_array_equal(np.abs(tangent(np.empty((0, 1)), np.ones(1))), [1.0])
