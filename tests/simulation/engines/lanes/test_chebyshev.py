"""Claims about the Chebyshev method: its order, its stability, when lanes use it."""

import hand_programs
import numpy as np
import pytest
from numpy.polynomial import Polynomial
from scipy.integrate import solve_ivp

from eigendyn.program.averaging import NO_NODES
from eigendyn.simulation.engines.lanes import build, ensemble
from eigendyn.simulation.engines.lanes.chebyshev import chebyshev_like
from eigendyn.simulation.engines.lanes.ensemble import compiled_ensemble
from eigendyn.simulation.engines.runge_kutta.dop853 import DOP853
from eigendyn.simulation.engines.runge_kutta.tableau import places
from eigendyn.simulation.engines.runge_kutta.tsit5 import TSIT5

SHAPES = pytest.mark.parametrize("shape", [TSIT5, DOP853], ids=["6", "12"])
TIMES = np.linspace(0, 60, 101)


def growth(tableau):
    """Factor of a step of y' = z y, and the estimate of its error, as polynomials of z."""
    z = Polynomial([0, 1])
    slopes = [z]
    for row in tableau.stages:
        slopes.append(z * (1 + sum(a * k for a, k in zip(row, slopes, strict=True))))
    factor = 1 + sum(b * k for b, k in zip(tableau.weights, slopes, strict=True))
    slopes.append(z * factor)
    return factor, sum(e * k for e, k in zip(tableau.errors[0], slopes, strict=True))


@SHAPES
def test_it_has_order_2(shape):
    factor, estimate = growth(chebyshev_like(shape))
    np.testing.assert_allclose(factor.coef[:3], [1, 1, 0.5], atol=1e-12)
    assert factor.coef[3] != pytest.approx(1 / 6, rel=0.1)
    np.testing.assert_allclose(estimate.coef[:3], 0, atol=1e-12)


@SHAPES
def test_it_is_stable_up_to_two_thirds_of_the_square_of_its_evaluations(shape):
    count = len(shape.stages) + 1
    factor, estimate = growth(chebyshev_like(shape))
    z = -np.linspace(1e-3, 0.63 * count**2, 10_000)
    assert (np.abs(factor(z)) < 1).all()
    assert np.abs(factor(-0.7 * count**2)) > 1
    assert (np.abs(estimate(z[z < -1])) > 1).all()  # it is blind nowhere


@SHAPES
def test_it_has_the_shape_of_the_other_method(shape):
    like = chebyshev_like(shape)
    assert like.slopes == shape.slopes
    for name in ("stages", "errors", "extra", "dense", "bends"):
        assert len(getattr(like, name)) == len(getattr(shape, name))


@SHAPES
def test_no_column_is_missing_in_the_stages_of_both_methods_together(shape):
    """So that short code can go through them in a loop."""
    count = len(shape.stages) + 1
    known = places((shape, chebyshev_like(shape)))
    triangle = [known["stage", row, column] for row in range(count) for column in range(row + 1)]
    assert triangle == list(range(triangle[0], triangle[0] + count * (count + 1) // 2))
    fractions = [known["fraction", 0, column] for column in range(count)]
    assert fractions == list(range(fractions[0], fractions[0] + count))


def test_modes_at_rest_take_few_steps_and_stay_accurate():
    """Equal modes λ return at the rate 1/λ, so that order 5 takes steps of 3.3 λ."""
    start = np.array([0.01, 0.02])

    def rate(_t, y):
        squares, cubes = (y**2).sum(), (y**3).sum()
        return 2 * y**2 * (cubes - y * squares) / (cubes * np.sqrt(cubes * y.sum()))

    options = {"rtol": 1e-6, "atol": 1e-9}
    program = hand_programs.cosine()
    batch = compiled_ensemble(NO_NODES, program, start[None, None], TIMES, {}, **options)
    exact = solve_ivp(rate, (0, 60), start, "LSODA", TIMES, rtol=1e-12, atol=1e-15).y
    assert batch.status[0] == 0
    assert np.max(np.abs(batch.values[0, 0] - exact) / (1e-9 + 1e-6 * exact)) < 1
    explicit = 2 * TIMES[-1] / (3.3 * exact[:, -1].mean())  # steps of both runs
    assert batch.steps[0] < 0.4 * explicit


def test_a_trajectory_has_the_same_bits_beside_any_number_of_others(monkeypatch):
    starts = np.exp(np.random.default_rng(3).uniform(np.log(1e-2), np.log(3), (70, 1, 2)))
    found = []
    for registers in (1, 2, 4):
        monkeypatch.setattr(build, "SIDE_BY_SIDE", ((10, registers),))
        ensemble._kernel.cache_clear()
        found.append(compiled_ensemble(NO_NODES, hand_programs.cosine(), starts, TIMES, {}))
    ensemble._kernel.cache_clear()
    for other in found[1:]:
        np.testing.assert_array_equal(other.values, found[0].values)
        np.testing.assert_array_equal(other.steps, found[0].steps)
