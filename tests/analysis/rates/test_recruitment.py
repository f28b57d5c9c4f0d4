"""Claims about recruitment times along an orbit."""

import numpy as np
import pytest
from structures import first_of

import eigendyn
from eigendyn.analysis.rates.recruitment import orbit, recruitment_curve
from eigendyn.errors import InvalidSpectrum
from eigendyn.results.arrivals import recruitment_times

STARTS = np.array([1e-6, 1e-3, 0.1, 0.5])
NOISELESS = {"sigma1": 0.0, "sigma2": 0.0}


def test_euclidean_recruitment_is_the_closed_form():
    """With u = 1/λ − 1 and x = u + ln u, t = (x₀ − x₁)/2."""

    def x(v):
        u = 1 / v - 1
        return u + np.log(u)

    found = recruitment_curve("euclidean", STARTS, 4, **NOISELESS)
    np.testing.assert_allclose(found, (x(STARTS) - x(0.95)) / 2, rtol=1e-7)


def test_isotropic_euclidean_recruitment_is_logistic():
    def x(v):
        return np.log(v / (1 - v))

    found = recruitment_curve("iso-euclidean", STARTS, 4, **NOISELESS)
    np.testing.assert_allclose(found, (x(0.95) - x(STARTS)) / 2, rtol=1e-7)


@pytest.mark.parametrize("loss", first_of("cosine", "iso-cosine"))
def test_recruitment_along_the_orbit_is_that_of_the_integrated_dynamics(loss):
    (expected,) = recruitment_curve(loss, [0.1], 6, **NOISELESS)
    (start,) = orbit(loss, [0.1], 6, **NOISELESS)
    run = eigendyn.simulate(
        loss, start, steps=int(60 * expected), saves=1001, method="compiled", **NOISELESS
    )
    # the run's own time is of shares of the total variance, which an isotropic loss does not keep
    found = recruitment_times(run.time.values, run.variance.values)[0]
    assert found == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize(("loss", "power"), [("cosine", 1), ("iso-cosine", 2)])
def test_the_other_modes_of_an_orbit_keep_what_the_loss_conserves(loss, power):
    spectra = orbit(loss, [1e-3, 0.2, 1.0], 5, end=1.3)
    np.testing.assert_allclose((spectra**power).sum(axis=1), 5 * 1.3**power, rtol=1e-12)


@pytest.mark.parametrize("initial", [[0.0], [0.96], [[0.1]], [np.nan]])
def test_starts_that_are_not_below_the_end_are_refused(initial):
    with pytest.raises(InvalidSpectrum, match="Initial variances"):
        recruitment_curve("euclidean", initial, 3, **NOISELESS)


def test_a_mode_that_stops_growing_is_said_to():
    with pytest.raises(InvalidSpectrum, match="must grow all the way"):
        recruitment_curve("euclidean", [0.05], 3, weight_decay=0.1, **NOISELESS)
