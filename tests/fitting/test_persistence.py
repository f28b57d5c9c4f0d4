"""Claims about errors that persist: they refute a theory only where they are sure and matter."""

from types import SimpleNamespace

import numpy as np
import pytest

from eigendyn.fitting.persistence import Persistence, persistence
from eigendyn.fitting.result import verdict
from eigendyn.fitting.scarce import one_jump

RNG = np.random.default_rng(0)
MOVES = np.cumsum(np.full((40, 3), 0.1), axis=0)
READ = np.ones((40, 3), bool)


def errors(steady, noise, count=40):
    return steady + noise * RNG.normal(size=(count, 3))


def test_white_errors_do_not_persist():
    found = persistence(errors(0, 0.1), np.full((40, 3), 0.01), MOVES, READ)
    assert abs(found.deviations) < 3
    assert not found.refutes


def test_steady_errors_as_large_as_motion_refute():
    found = persistence(errors(0.1, 0.05), np.full((40, 3), 0.0125), MOVES, READ)
    assert found.missed == pytest.approx(0.1, rel=0.2)
    assert found.share == pytest.approx(1, rel=0.2)
    assert found.refutes


def test_steady_errors_far_below_motion_refute_nothing():
    found = persistence(errors(0.004, 0.001), np.full((40, 3), 1e-5), MOVES, READ)
    assert found.correlation > 0.8
    assert found.deviations > 3
    assert not found.refutes


def test_few_recordings_cannot_refute():
    found = persistence(errors(0.05, 0.07, 6), np.full((6, 3), 0.0075), MOVES[:6], READ[:6])
    assert found.deviations < 3


def test_nothing_read_twice_says_nothing():
    found = persistence(
        errors(0.1, 0), np.ones((40, 3)), MOVES, READ & (np.arange(40) == 3)[:, None]
    )
    assert found == (0, 0, 0, 0, 0)


def test_one_jump_among_errors_is_found_and_the_largest_of_noise_is_none():
    noise = errors(0, 0.1)
    assert persistence(noise, np.full((40, 3), 0.01), MOVES, READ).jump == 0
    noise[12] = [0.5, 1.5, -2.0]
    assert persistence(noise, np.full((40, 3), 0.01), MOVES, READ).jump == 40 - 12
    few = np.zeros((3, 2))
    few[1] = 1.0  # one of so few may have most of all
    assert persistence(few, np.ones((3, 2)), MOVES[:3, :2], READ[:3, :2]).jump == 0
    assert persistence(1e-4 * noise, np.full((40, 3), 1e-10), MOVES, READ).jump == 0


def test_the_times_of_a_jump_are_those_of_recordings_that_were_read():
    told = Persistence(0.0, 0.0, 0.0, 0.0, jump=2)
    optimum, one = SimpleNamespace(converged=True), SimpleNamespace(title="euclidean")
    best = SimpleNamespace(optimum=optimum, persistence=told, candidate=one)
    read = np.where(np.isin(np.arange(8), [0, 5, 7]), np.nan, 0.0)
    part = SimpleNamespace(time=np.arange(8.0), log_variance=np.stack([read, read]))
    assert "between the times 3 and 4," in one_jump(best, part)  # pyright: ignore


@pytest.mark.parametrize(("error", "words"), [(0.005, "fits best"), (0.5, "No theory fits")])
def test_the_last_value_of_what_rests_refutes_no_theory_that_is_nearly_right(error, words):
    optimum = SimpleNamespace(converged=True)
    found = SimpleNamespace(optimum=optimum, persistence=Persistence(0.0, 0.0, 0.0, 0.0))
    fit = SimpleNamespace(found=found, error=error, title="euclidean", values=np.ones(9))
    whole = SimpleNamespace(log_variance=np.array([[-3.0, 0.0], [-2.0, 0.0]]), has_error=False)
    assert words in verdict([fit], {"last value": 0.003}, whole)


@pytest.mark.parametrize(("scatter", "said"), [(0.07, "fits best"), (0.01, "foretells worse")])
def test_a_forecast_that_errs_no_more_than_recordings_refutes_nothing(scatter, said):
    optimum = SimpleNamespace(converged=True)
    found = SimpleNamespace(optimum=optimum, persistence=SimpleNamespace(refutes=False))
    rest = SimpleNamespace(time=np.array([1.0, 2.0]))
    best = SimpleNamespace(title="cosine", error=0.062, found=found, values=np.ones(9), rest=rest)
    whole = SimpleNamespace(
        time=np.array([0.0, 1.0, 2.0]),
        log_variance=np.array([[0.0, 0.1, 0.3]]),
        error=np.array([[1.0, scatter, scatter]]),  # of what was fitted it does not count
        has_error=True,
    )
    assert said in verdict([best], {"last value": 0.061}, whole)  # pyright: ignore
