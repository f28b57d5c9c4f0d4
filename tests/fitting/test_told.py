"""Claims about what a record tells: null directions are found, and named where they are known."""

import numpy as np
import pytest

from eigendyn.fitting.baselines import baseline, rms
from eigendyn.fitting.numbers import to_coordinates
from eigendyn.fitting.told import told

PLACE = to_coordinates(np.array([0.8, 1.25, 1.0, 0.1, 0.5, 1e-3, 1e-2, 0.3, 0.3]))
MOVES = np.array([True, True, False, True, True, True, True, False, False])


def information(*gradients):
    """What a record tells that reads these gradients of coordinates."""
    found = np.diag([0, 0, 0, 0, 0, 1e4, 1e4, 0, 0]).astype(float)
    for gradient in gradients:
        found[:7, :7] += 1e4 * np.outer(gradient, gradient)
    return found


def test_only_a_difference_and_a_product_are_told_where_only_they_are_read():
    difference = np.array([0.8, 0, 0, -1.0, 0, 0, 0])  # d(A − ω), of ln A, ln c, ω
    product = np.array([1.0, 1.0, 0, 0, 0, 0, 0])  # d ln(A c)
    alpha = np.array([0, 0, 0, 0, 1.0, 0, 0])
    is_told, found = told(PLACE, information(difference, product, alpha), MOVES)
    assert is_told.tolist() == [False, False, False, False, True, *[False] * 4]
    assert [one.name for one in found] == ["A − ω", "A·c₁"]
    assert [one.value(PLACE) for one in found] == pytest.approx([0.7, 1.0])


def test_everything_is_told_where_everything_is_read():
    is_told, found = told(PLACE, 1e4 * np.eye(9), MOVES)
    assert is_told.tolist() == [*MOVES[:5], *[False] * 4]
    assert found == []


def test_what_the_noise_of_batches_makes_up_for_is_not_told():
    together = np.array([1.0, 0, 0, 0, 0, 1.0, 0])  # d ln(A q)
    read = information(together, *(np.eye(7)[row] for row in (1, 3, 4)))
    read[5, 5] -= 1e4  # of q nothing else is known
    is_told, _ = told(PLACE, read, MOVES)
    assert is_told.tolist() == [False, True, False, True, True, *[False] * 4]


def test_an_unknown_combination_is_a_product_of_powers():
    rest = [np.eye(7)[1], np.eye(7)[3]]
    own = np.array([1.0, 0, 0, 0, 3.0, 0, 0])  # A α³
    _, found = told(PLACE, information(own, *rest), MOVES)
    (one,) = found
    assert one.name == "A^0.33·α^1"
    assert one.value(PLACE) == pytest.approx(0.8 ** (1 / 3) * 0.5)


def test_baselines_know_no_theory():
    time, ahead = np.arange(5.0), np.array([6.0, 8.0])
    x = np.array([0.5 * time, np.where(time > 3, np.nan, 1.0)])
    assert baseline("last value", time, x, ahead).tolist() == [[2.0, 2.0], [1.0, 1.0]]
    assert baseline("exponential", time, x, ahead) == pytest.approx(
        np.array([[3.0, 4.0], [1.0, 1.0]])
    )
    assert rms(np.array([[1.0, np.nan]]), np.array([[1.3, 2.0]])) == pytest.approx(0.3)
