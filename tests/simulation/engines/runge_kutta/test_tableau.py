"""Claims about Runge–Kutta methods: their orders, those of their dense outputs, their stability."""

import math

import mpmath as mp
import numpy as np
import pytest
from numpy.polynomial import Polynomial

from eigendyn.simulation.engines.runge_kutta.dop853 import DOP853
from eigendyn.simulation.engines.runge_kutta.tsit5 import TSIT5

METHODS = pytest.mark.parametrize(
    ("tableau", "order", "dense"), [(TSIT5, 5, 4), (DOP853, 8, 7)], ids=["Tsit5", "DOP853"]
)


def one_step(tableau, f, y, h, theta):
    """The state after a step, and inside it."""
    slopes = [f(y)]

    def advance(row):
        return y + h * sum((a * k for a, k in zip(row, slopes, strict=False) if a), mp.mpf(0))

    for row in tableau.stages:
        slopes.append(f(advance(row)))
    after = advance(tableau.weights)
    slopes.append(f(after))
    for row in tableau.extra:
        slopes.append(f(advance(row)))
    inside = y
    for power, row in enumerate(tableau.dense, start=1):
        inside += h * theta**power * sum(b * k for b, k in zip(row, slopes, strict=True))
    return after, inside


@METHODS
def test_errors_of_a_step_fall_as_its_order_says(tableau, order, dense):
    def rate(y):
        return 2 * y**2 * (1 - y)

    def exact(t):
        start = mp.mpf(1) / mp.mpf("0.3") - 1
        return 1 / (1 + mp.lambertw(start * mp.exp(start - 2 * t)).real)

    steps, theta = [mp.mpf(2) ** -k for k in (1, 2, 3)], mp.mpf("0.3")
    with mp.workdps(40):
        results = [one_step(tableau, rate, mp.mpf("0.3"), h, theta) for h in steps]
        ends = [abs(a - exact(h)) for (a, _), h in zip(results, steps, strict=True)]
        insides = [abs(i - exact(theta * h)) for (_, i), h in zip(results, steps, strict=True)]
    assert math.log2(ends[1] / ends[2]) == pytest.approx(order + 1, abs=0.6)
    assert math.log2(insides[1] / insides[2]) == pytest.approx(dense + 1, abs=0.6)


@METHODS
def test_dense_output_ends_where_the_step_does(tableau, order, dense):
    total = np.sum(tableau.dense, axis=0)
    weights = np.pad(tableau.weights, (0, tableau.slopes - len(tableau.weights)))
    np.testing.assert_allclose(total, weights, atol=1e-12)


@METHODS
def test_dense_output_is_a_cubic_and_what_bends_it(tableau, order, dense):
    first, last = np.eye(tableau.slopes)[[0, tableau.last]]
    total = np.pad(tableau.weights, (0, tableau.slopes - len(tableau.weights)))
    for x in np.linspace(0, 1, 7):
        cubic = x * first + x**2 * (3 * total - 2 * first - last)
        cubic += x**3 * (first + last - 2 * total)
        bend = sum(x**power * np.array(row) for power, row in enumerate(tableau.bends))
        found = cubic + (x * (1 - x)) ** 2 * bend
        np.testing.assert_allclose(found, tableau.dense_weights(x), atol=1e-12)


@METHODS
def test_a_step_of_exponential_growth_is_its_taylor_series(tableau, order, dense):
    z = Polynomial([0, 1])
    slopes = [z]
    for row in tableau.stages:
        slopes.append(z * (1 + sum(a * k for a, k in zip(row, slopes, strict=False))))
    growth = 1 + sum(b * k for b, k in zip(tableau.weights, slopes, strict=True))
    taylor = [1 / math.factorial(k) for k in range(order + 1)]
    np.testing.assert_allclose(growth.coef[: order + 1], taylor, rtol=1e-11)


def test_the_growth_of_steps_keeps_them_from_where_the_error_of_dop853_vanishes():
    blind, unstable = 5.654, 23.2
    assert DOP853.growth**2 * blind < unstable < DOP853.growth**3 * blind
