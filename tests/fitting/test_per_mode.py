"""Claims about numbers that every mode has for itself, and about noises that are recorded."""

from functools import cache

import numpy as np
import pytest

import eigendyn
from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.fitting.candidate import candidate
from eigendyn.fitting.changes import fitted_settings
from eigendyn.fitting.numbers import TIME_SCALE, to_coordinates
from eigendyn.fitting.readings import read
from eigendyn.fitting.recorded import sees_noise
from eigendyn.recording.record import record
from eigendyn.show.report.fit import summary, table
from tests.fitting.planted import ALPHA, DECAY, A, planted
from tests.fitting.test_transition import TIMES, tiny

GAINS = np.array([1.3, 0.5, 0.8])
SECONDS = np.array([1.5, 1.1, 1.25])
LAST = 8.0  # few micro-steps: programs of one length
KNOWN = {"alpha": ALPHA, "weight_decay": DECAY, "sigma1": 0.5}


@cache
def fitted(is_per_mode, is_unequal=True):
    """Fit a record of three modes that have time scales of their own, or the same one."""
    log = planted(last=LAST, a=GAINS if is_unequal else A)
    per_mode = ("time_scale",) if is_per_mode else ()
    return eigendyn.fit(log, "euclidean", per_mode=per_mode, **KNOWN)


def ends(found, name="time_scale"):
    row = found.sel(modal=name)
    return row["of_mode_lower"].values, row["of_mode_upper"].values


def test_planted_time_scales_of_modes_come_back_within_their_intervals():
    found = fitted(is_per_mode=True).isel(loss=0)
    low, high = ends(found)
    assert ((low < GAINS) & (high > GAINS)).all()
    assert found["of_mode"].sel(modal="time_scale").values == pytest.approx(GAINS, rel=0.05)
    assert (high / low < 1.3).all()
    spread = found.sel(number="time_scale_spread")
    assert spread["lower"] < np.log(GAINS).std() < spread["upper"]


def test_modes_that_share_a_time_scale_are_given_the_same_one():
    found = fitted(is_per_mode=True, is_unequal=False).isel(loss=0)
    low, high = ends(found)
    assert low.max() < A < high.min()
    assert np.ptp(found["of_mode"].sel(modal="time_scale").values) < 0.02
    assert bool(found["at_bound"].sel(number="time_scale_spread"))


def test_the_forecast_of_modes_with_time_scales_of_their_own_beats_that_with_one():
    own, shared = (fitted(is_per_mode).isel(loss=0) for is_per_mode in (True, False))
    assert float(own["forecast_error"]) < 0.05 < 0.3 * float(shared["forecast_error"])
    assert own["log_likelihood"] > shared["log_likelihood"] + 10
    seen = own["variance"].values[:, int(own.attrs["fitted_recordings"]) :]
    is_inside = (own["forecast_lower"].values < seen) & (seen < own["forecast_upper"].values)
    assert is_inside.mean() > 0.8


def test_settings_of_a_fit_have_the_time_scales_of_its_modes():
    log = planted(last=LAST, a=GAINS)
    _, theory = fitted_settings(fitted(is_per_mode=True), log)
    assert theory["signal"] == pytest.approx(GAINS, rel=0.05)
    assert np.array(theory["noise1"]) / theory["signal"] == pytest.approx([0.25] * 3)


def test_a_report_lists_the_time_scales_of_modes_with_their_intervals():
    found = fitted(is_per_mode=True)
    listed = [line.split() for line in table(found).splitlines()]
    at = listed.index(["mode", "A", "95", "%", "interval"])
    assert [float(row[1]) for row in listed[at + 1 : at + 4]] == pytest.approx(GAINS, rel=0.05)
    (one,) = summary(found)["losses"]
    upper = one["of_modes"]["time_scale"]["upper"]
    assert upper == pytest.approx(ends(found.isel(loss=0))[1], rel=1e-3)


def test_recorded_noises_are_taken_as_they_are():
    log = planted(last=LAST, a=0.8, c=SECONDS)
    variance = log["variance"].values
    noise = variance * (SECONDS - 1)[:, None]
    log = record({"variance": variance, "noise1": noise}, log["time"], log["time"], title="noisy")
    found = eigendyn.fit(log, "euclidean", alpha=ALPHA)
    assert found.attrs["noises"] == "recorded"
    one = found.isel(loss=0)
    assert one["of_mode"].sel(modal="noise1").values == pytest.approx(SECONDS)
    for name, value in {"time_scale": A, "weight_decay": DECAY}.items():
        row = one.sel(number=name)
        assert row["lower"] < value < row["upper"]
    assert float(one["forecast_error"]) < 0.05
    given = eigendyn.fit(log, "euclidean", **KNOWN)
    assert given.attrs["noises"] == "given"
    assert not candidate("euclidean", {}, (), ()).recorded


def of_first_view(alpha=ALPHA, c=1.5):
    """Record a run whose predictor is (c v)^α: c v moves as v does under v^α."""
    log = planted(last=LAST, c=c, start_times=c)
    variance = log["variance"].values / c
    measures = {"variance": variance, "noise1": (c - 1) * variance}
    measures["predictor_eigenvalue"] = (c * variance) ** alpha
    return record(measures, log["time"], log["time"], title="of the first view")


def test_a_predictor_of_the_first_view_is_known_by_its_eigenvalues():
    log = of_first_view()
    assert sees_noise(log)
    plain = log["variance"] ** ALPHA
    assert not sees_noise(log.assign(predictor_eigenvalue=plain))
    learned = plain * np.array([[2.0], [0.3], [1.0]])
    assert not sees_noise(log.assign(predictor_eigenvalue=learned))
    assert not sees_noise(log.drop_vars("predictor_eigenvalue"))
    ones = log["variance"] * 0 + 1  # of which no exponent can be told
    assert not sees_noise(log.assign(variance=ones, predictor_eigenvalue=ones))
    assert not sees_noise(log * np.inf)


@pytest.mark.full
def test_a_fit_takes_the_predictor_that_was_recorded():
    found = eigendyn.fit(of_first_view(), "euclidean", alpha=ALPHA)
    assert found.attrs["correlation"] == "first-view"
    assert "first-view correlation" in table(found)
    for name, value in {"time_scale": A, "weight_decay": DECAY}.items():
        row = found.isel(loss=0).sel(number=name)
        assert row["lower"] < value < row["upper"]
    _, theory = fitted_settings(found, of_first_view())
    assert theory["correlation"] == "first-view"


def test_the_likelihood_is_that_of_a_random_walk_whose_drift_has_a_prior():
    a, near, c, q, r, spread = 0.9, 0.7, 1.2, 0.01, 0.08, 0.3
    seen = read(tiny())
    one = candidate("iso-euclidean", {}, (TIME_SCALE,))
    likelihood = one.likelihood(seen, np.full((1, 2), np.log(near)))
    place = to_coordinates(np.array([a, c, 1.0, 0.05, 1.0, q, r, spread, 0.1]))
    found = likelihood.values(place[None])[0]
    # by hand: y(t) − y(0) is linear in ln A around ln(near), which has the mean ln a
    t = TIMES[1:]
    added = 4 * q * near * (c * c + 1)
    covariance = r**2 * (np.eye(8) + 1) + added * np.minimum(t[:, None], t)
    covariance += (2 * near * spread) ** 2 * np.outer(t, t)
    mean = 2 * (near * (1 + np.log(a / near)) - 0.05) * t
    expected = np.linalg.slogdet(covariance)[1]  # of two modes
    for x in seen.log_variance:
        gap = x[1:] - x[0] - mean
        expected += 0.5 * (gap @ np.linalg.solve(covariance, gap))
    assert found + 0.5 * np.log(2 * added * t[-1]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "refusal", "words"),
    [
        ({"per_mode": ("gain",)}, UnknownName, "no number 'gain'"),
        ({"per_mode": ("alpha",)}, InvalidSetting, "is one number for all modes"),
        ({"per_mode": ("noise1",), "sigma1": 0.1}, InvalidSetting, "'noise1' is given"),
        ({"noises": "none"}, UnknownName, "source of noises"),
    ],
)
def test_numbers_that_cannot_be_per_mode_are_refused(settings, refusal, words):
    with pytest.raises(refusal, match=words):
        eigendyn.fit(planted(), "euclidean", **settings)
