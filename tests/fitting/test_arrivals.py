"""Claims about arrivals: what is drawn of them has the errors that recordings have."""

import numpy as np
import pytest

from eigendyn.fitting.arrivals import arrivals, interval
from eigendyn.fitting.sampled import sampled


def test_a_mode_comes_when_it_passes_half_of_its_last_variance_for_good():
    time = np.linspace(0, 10, 101)
    rises = np.log(1 / (1 + np.exp(-2 * (time - 4))))
    early = np.where(time < 1, 0.0, rises)  # above half at first, but not for good
    found = arrivals(time, np.stack([rises, early, np.zeros(101), rises[::-1]]))
    assert found[:2] == pytest.approx(4, abs=0.01)
    assert np.isnan(found[2:]).all()


def test_an_interval_holds_a_further_arrival_as_often_as_it_says():
    rng = np.random.default_rng(0)
    came = rng.normal(size=(63, 4000))
    low, high = interval(came, (0.025, 0.975)).T
    further = rng.normal(size=4000)
    assert ((low < further) & (further < high)).mean() == pytest.approx(0.95, abs=0.012)
    assert np.isnan(interval(np.full((5, 1), np.nan), (0.025, 0.975))).all()


def test_drawn_recordings_are_eigenvalues_of_samples():
    rng, v, samples = np.random.default_rng(1), np.array([0.02, 0.5, 0.5, 1.0]), 200
    x = np.tile(np.log(v)[None, :, None], (100, 1, 20))
    found = sampled(x, np.full((100, 4), np.sqrt(2 / samples)), True, rng)
    drawn = np.sqrt(v)[:, None] * rng.normal(size=(2000, 4, samples))
    values = np.log(np.linalg.eigvalsh(drawn @ drawn.transpose(0, 2, 1) / samples)) + 1 / samples
    assert found.mean(axis=(0, 2)) == pytest.approx(values.mean(axis=0), abs=0.012)
    assert found.std(axis=(0, 2)) == pytest.approx(values.std(axis=0), rel=0.15)


def test_modes_that_are_told_apart_are_drawn_by_themselves():
    x = np.tile(np.log([0.5, 0.5])[None, :, None], (2000, 1, 1))
    found = sampled(x, np.tile([0.1, 0.2], (2000, 1)), False, np.random.default_rng(2))
    assert found.mean(axis=(0, 2)) == pytest.approx(np.log(0.5), abs=0.02)
    assert found.std(axis=(0, 2)) == pytest.approx([0.1, 0.2], rel=0.06)


@pytest.mark.parametrize("are_eigenvalues", [True, False])
def test_of_a_forecast_without_bound_nothing_is_read(are_eigenvalues):
    x = np.zeros((2, 3, 4))
    x[0, 0] = -2000.0  # a mode that has died is still read
    x[1, 0, 2:] = np.nan, np.inf
    found = sampled(x, np.full((2, 3), 0.1), are_eigenvalues, np.random.default_rng(3))
    assert np.isnan(found[1, :, 2:]).all()
    assert np.isfinite(found).sum() == 24 - 6
