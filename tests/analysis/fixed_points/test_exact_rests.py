"""Claims about fixed points in symbols: they are those of the numbers, and all of them."""

import numpy as np
import pytest
import sympy as sp

from eigendyn.analysis.fixed_points.exact_rests import exact_rests, rest_points, rests_in_words
from eigendyn.analysis.fixed_points.fixed_points import find_fixed_points, fixed_points
from eigendyn.analysis.system import dynamical_system
from eigendyn.theory import symbols as sym
from eigendyn.theory.loss_text import parse_loss

FOURTH = parse_loss("sum((lam*z1 - sg(z2))**4)/4", {})


def test_the_euclidean_rests_are_the_roots_of_lam_minus_c_lam_squared():
    system = dynamical_system("euclidean", 1, weight_decay=0.1, sigma1=0.3)
    c, omega = 1 + sym.sigma1**2, sym.weight_decay
    found = {sp.simplify(r[sym.singular_value] ** 2) for r in exact_rests(system.dynamics)}
    expected = {0, *((1 + k * sp.sqrt(1 - 4 * c * omega)) / (2 * c) for k in (1, -1))}
    assert all(any(sp.simplify(f - e) == 0 for e in expected) for f in found)
    assert len(found) == 3


@pytest.mark.parametrize(
    ("loss", "settings"),
    [
        ("euclidean", {"weight_decay": 0.1, "alpha": 0.5}),
        ("euclidean", {"predictor": "learned", "weight_decay": 0.1, "predictor_decay": 0.08}),
        (FOURTH, {}),
        pytest.param("euclidean", {"weight_decay": 0.1, "sigma1": 0.3}, marks=pytest.mark.full),
        pytest.param("euclidean", {"beta": 0.5}, marks=pytest.mark.full),
        pytest.param("iso-euclidean", {"weight_decay": 0.2}, marks=pytest.mark.full),
        pytest.param("euclidean", {"target": "ema", "weight_decay": 0.1}, marks=pytest.mark.full),
        pytest.param(
            "euclidean",
            {"predictor": "running", "weight_decay": 0.1, "alpha": 0.5},
            marks=pytest.mark.full,
        ),
    ],
)
def test_a_search_without_them_finds_the_same(loss, settings, monkeypatch):
    system = dynamical_system(loss, 1, **settings)
    window = np.zeros(len(system.names)), np.full(len(system.names), 1.4)
    exact = rest_points(system)
    inside = exact[((exact >= 0) & (exact <= 1.4)).all(axis=1)]
    monkeypatch.setattr(
        "eigendyn.analysis.fixed_points.fixed_points.rest_points",
        lambda *_, **__: np.empty((0, len(window[0]))),
    )
    found = np.array([point.x for point in fixed_points(system, *window)])
    assert len(found) == len(inside) > 0
    for point in found:
        assert np.abs(inside - point).max(axis=1).min() < 1e-7


def test_two_modes_rest_at_every_pair():
    assert len(rest_points(dynamical_system("euclidean", 2, weight_decay=0.1))) == 9


def test_the_search_uses_them():
    system = dynamical_system("euclidean", 2, weight_decay=0.1)
    assert len(find_fixed_points(system, [0, 0], [1.4, 1.4], starts=2).found) == 9


@pytest.mark.parametrize(
    ("loss", "settings"),
    [("cosine", {}), ("euclidean", {"predictor": "copy"}), ("euclidean", {"momentum": 0.9})],
)
def test_without_symbols_there_are_none(loss, settings):
    system = dynamical_system(loss, 2, **settings)
    assert exact_rests(system.dynamics) == []
    assert rest_points(system).shape == (0, len(system.names))


def test_they_are_told_in_words():
    system = dynamical_system("iso-euclidean", 1, weight_decay=0.2)
    assert rests_in_words(system) == ["v_m = 0", "v_m = 1 - ω"]
