"""Claims about passage times: closed forms, integration, and the law of the ghost."""

import mpmath
import numpy as np
import pytest

from eigendyn.analysis.rates import passage_time as passage
from eigendyn.analysis.rates.passage_time import passage_time
from eigendyn.analysis.system import dynamical_system
from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.simulation.simulate import simulate


@pytest.fixture(scope="module")
def ghost():
    return dynamical_system("euclidean", 1, stop_gradient=False)


def by_hand(v, a):
    """∫ dλ/(2λ((1−λ)² + a²)) by partial fractions."""
    logarithms = np.log(v) - np.log((1 - v) ** 2 + a**2) / 2
    return (logarithms + np.arctan((v - 1) / a) / a) / (2 * (1 + a**2))


@pytest.mark.parametrize("sigma2", [1.0, 0.1, 0.01, 1e-3])
def test_the_time_through_the_ghost_is_its_closed_form(ghost, sigma2):
    found = passage_time(ghost, 2.0, 0.01, sigma2=sigma2)
    expected = by_hand(2.0, sigma2) - by_hand(0.01, sigma2)
    np.testing.assert_allclose(found.time, expected, rtol=1e-9)
    assert abs(found.time - expected) <= max(found.error, 1e-9 * expected)
    np.testing.assert_allclose(found.slowest, 1, atol=1e-6)


def test_the_ghost_takes_pi_over_two_sigma_as_the_noise_vanishes(ghost):
    noises = np.array([0.1, 0.01, 1e-3])
    times = np.array([passage_time(ghost, 1.5, 0.5, sigma2=s).time for s in noises])
    off = np.abs(times / (np.pi / (2 * noises)) - 1)
    assert (off < 2 * noises).all()  # what is left out is O(σ2)


def in_digits(v, a):
    """`by_hand` to 40 digits, since beside a narrow ghost floats lose them."""
    with mpmath.workdps(40):
        v, a = mpmath.mpf(v), mpmath.mpf(a)
        logarithms = mpmath.log(v) - mpmath.log((1 - v) ** 2 + a**2) / 2
        return (logarithms + mpmath.atan((v - 1) / a) / a) / (2 * (1 + a**2))


@pytest.mark.parametrize("sigma2", [1e-3, 1e-6, 1e-8, 1e-12])
@pytest.mark.parametrize("between", [(2.0, 0.01), (1.5, 0.5), (1 + 1e-6, 0.9)])
def test_the_time_through_a_ghost_is_right_however_narrow_it_is(ghost, between, sigma2):
    found = passage_time(ghost, *between, sigma2=sigma2)
    expected = float(in_digits(between[0], sigma2) - in_digits(between[1], sigma2))
    np.testing.assert_allclose(found.time, expected, rtol=1e-12)
    assert found.error >= abs(found.time - expected)


@pytest.mark.parametrize("sigma2", [0.1, 1e-3, 1e-6, 1e-8])
@pytest.mark.parametrize("between", [(1.5, 0.5), (1 + 1e-6, 0.9)])
def test_round_off_of_rates_belongs_to_the_error(ghost, between, sigma2, monkeypatch):
    monkeypatch.setattr(passage, "_in_powers", lambda *_: [])  # as for any other dynamics
    found = passage_time(ghost, *between, sigma2=sigma2)
    expected = float(in_digits(between[0], sigma2) - in_digits(between[1], sigma2))
    assert found.time > 0
    assert found.error >= abs(found.time - expected)
    assert found.error < 1e-3 * expected or sigma2 < 1e-5


def test_a_fixed_point_at_the_end_is_never_reached(ghost):
    for noise in (0.0, 1e-12):
        assert np.isfinite(passage_time(ghost, 2.0, 0.5, sigma2=noise).time) == (noise > 0)
    assert passage_time(ghost, 2.0, 1.0, sigma2=0.0) == passage.Passage(np.inf, 0.0, 1.0)


@pytest.mark.parametrize(
    ("loss", "settings", "first", "last"),
    [
        ("euclidean", {"stop_gradient": False, "sigma2": 0.2}, 1.8, 0.2),
        ("euclidean", {"weight_decay": 0.26, "sigma1": 0.1}, 0.9, 0.1),
        ("iso-euclidean", {"weight_decay": 0.3}, 0.01, 0.6),
    ],
)
def test_training_takes_the_passage_time(loss, settings, first, last):
    time = passage_time(dynamical_system(loss, 1, **settings), first, last).time
    run = simulate(loss, [first], learning_rate=time / 100, steps=100, saves=2, **settings)
    np.testing.assert_allclose(run["variance"].values[0, -1], last, rtol=1e-7)


def test_a_mode_that_never_gets_there_takes_forever():
    system = dynamical_system("euclidean", 1, weight_decay=0.2)
    assert passage_time(system, 0.9, 0.1).time == np.inf  # comes to rest in between
    assert passage_time(system, 0.1, 0.9).time == np.inf  # moves the other way
    assert np.isfinite(passage_time(system, 0.2, 0.01).time)
    assert passage_time(system, 0.5, 0.5).time == 0


def test_wrong_requests_are_refused(ghost):
    with pytest.raises(InvalidSetting, match="one coordinate"):
        passage_time(dynamical_system("euclidean", 2), 1.0, 0.5)
    with pytest.raises(InvalidSetting, match="> 0"):
        passage_time(ghost, 1.0, 0.0)
    with pytest.raises(UnknownName, match="Known"):
        passage_time(ghost, 1.0, 0.5, omega=1.0)
