"""Claims about fits: planted numbers come back, and what is not told is not claimed."""

import numpy as np
import pytest

import eigendyn
from eigendyn.errors import InvalidSetting, InvalidSpectrum
from eigendyn.fitting.changes import changed, fitted_settings
from eigendyn.fitting.ranking import BEHIND
from eigendyn.recording.record import as_record, record
from tests.fitting.planted import DECAY, A, C, euclidean_fit, log_variance, planted


def test_planted_numbers_are_recovered_within_two_per_cent():
    times = np.linspace(0, 40, 60)
    x = log_variance(np.geomspace(1e-3, 0.5, 6), times)
    x += 0.01 * np.random.default_rng(0).normal(size=x.shape)
    found = eigendyn.fit(
        record({"variance": np.exp(x)}, times, times, title="planted"), "euclidean", until=1
    )
    value = dict(zip(found["number"].values, found["value"].values[0], strict=True))
    assert found.attrs["status"] == "completed"
    assert [value["time_scale"], value["noise1"], value["alpha"]] == pytest.approx(
        [A, C, 0.5], rel=0.02
    )
    assert value["weight_decay"] == pytest.approx(DECAY, rel=0.15)
    assert value["reading_noise"] == pytest.approx(0.01, rel=0.15)


@pytest.mark.full
@pytest.mark.parametrize(("after", "said"), [(0.8, "one jump between"), (0.5, "neither A nor ω")])
def test_a_record_that_jumps_or_rests_tells_too_little(after, said):
    times = np.arange(24.0)
    variance = np.where(times < 9, [[0.5], [0.3]], [[after], [0.6 * after]])
    made = record({"variance": variance}, times, times, title="made")
    fast = {"alpha": 1.0, "sigma1": 0.1, "weight_decay": 0.0}
    found = eigendyn.fit(made, "iso-euclidean", until=1, **fast)
    assert found.attrs["verdict"].startswith("The record tells too little: ")
    assert said in found.attrs["verdict"]


def test_intervals_hold_the_planted_numbers():
    best = euclidean_fit().sel(loss="euclidean")
    planted_ones = {"time_scale": A, "noise1": C, "weight_decay": DECAY}
    for name, value in planted_ones.items():
        row = best.sel(number=name)
        assert bool(row["is_told"])
        assert row["lower"] < value < row["upper"]


def test_the_right_loss_ranks_first_and_beats_what_knows_no_theory():
    found = euclidean_fit()
    assert found["loss"].values.tolist() == ["euclidean", "iso-euclidean"]
    assert found["forecast_error"].values[0] < 0.03 < found["baseline_error"].values.min()
    assert found.attrs["verdict"] == "euclidean fits best."


def test_a_loss_far_behind_has_a_forecast_but_no_intervals():
    found = euclidean_fit()
    behind = found.sel(loss="iso-euclidean")
    assert behind["log_likelihood"] < found.sel(loss="euclidean")["log_likelihood"] - BEHIND
    assert np.isfinite(behind["forecast_error"])
    assert not np.isfinite(behind["lower"]).any()
    assert np.isfinite(found.sel(loss="euclidean", number="noise1")["lower"])


def test_the_forecast_is_the_trajectory_to_come():
    best = euclidean_fit().sel(loss="euclidean")
    times = np.concatenate([[0], best["ahead"].values])
    true = np.exp(log_variance(np.geomspace(0.01, 0.3, 3), times)[:, 1:])
    assert best["forecast"].values == pytest.approx(true, rel=0.1)
    covered = (best["forecast_lower"].values < true) & (true < best["forecast_upper"].values)
    assert covered.mean() > 0.8


def test_a_mode_comes_when_it_passes_half_of_its_last_variance():
    best = euclidean_fit().sel(loss="euclidean")
    times = np.linspace(0, 12, 4000)
    true = np.exp(log_variance(np.geomspace(0.01, 0.3, 3), times))[0]
    half = times[np.argmax(true > true[-1] / 2)]
    assert best["fate"].values[0] in ("comes", "grows")
    assert float(best["comes"][0]) == pytest.approx(half, rel=0.03)
    assert best["comes_lower"][0] < half < best["comes_upper"][0]


def test_settings_of_a_fit_foretell_what_was_recorded():
    log = planted()
    loss, theory = fitted_settings(euclidean_fit(), log)
    run = eigendyn.simulate(loss, log["variance"].values[:, 0], **theory)
    x = np.log(log["variance"].values)
    seen = [np.interp(run.time.values, log["time"].values, row) for row in x]
    assert np.log(run.variance.values) == pytest.approx(np.array(seen), abs=0.05)
    with pytest.raises(InvalidSetting, match=r"fit must be what eigendyn\.fit"):
        fitted_settings(log, log)


def test_a_fitted_theory_takes_the_place_of_recorded_settings():
    dying = {"weight_decay": 0.3, "sigma1": 0.3, "learning_rate": 0.05}
    run = as_record(eigendyn.simulate("euclidean", [0.3, 0.5, 0.9], steps=200, saves=41, **dying))
    _, theory = fitted_settings(euclidean_fit(), run)
    found = changed(run, "euclidean", theory=theory)
    assert found.lost is not None and not found.lost.any()


def test_an_isotropic_loss_tells_combinations_only():
    log = planted(isotropic=True, last=6.0)
    found = eigendyn.fit(log, "iso-euclidean", until=1, alpha=0.5).isel(loss=0)
    told = dict(zip(found["number"].values, found["is_told"].values, strict=True))
    assert not told["time_scale"]
    assert not told["weight_decay"]
    for name, value in {"A − ω": A - DECAY, "A·c₁": A * C}.items():
        row = found.sel(combination=name)
        assert row["combined_lower"] < value < row["combined_upper"]
        assert row["combined_upper"] - row["combined_lower"] < 0.3 * value


def test_a_given_number_is_held_fast():
    found = eigendyn.fit(planted(), "euclidean", alpha=0.5, weight_decay=0.03).isel(loss=0)
    row = found.sel(number="weight_decay")
    assert not bool(row["is_free"])
    assert float(row["value"]) == 0.03


def test_readings_without_variance_are_left_out_and_counted():
    log = planted()
    log["variance"][0, 3] = 0.0
    log["variance"][1, 5] = -1e-3
    found = eigendyn.fit(log, "euclidean", alpha=0.5)
    assert found.attrs["left_out"] == 2
    assert float(found["value"].sel(number="time_scale")[0]) == pytest.approx(A, rel=0.1)


def test_a_mode_that_rises_above_its_error_only_later_is_not_fitted():
    log = planted()
    log["variance"][0, :14] = 0.0
    found = eigendyn.fit(log, "euclidean", alpha=0.5)
    assert found["mode"].values.tolist() == [1, 2]
    assert np.isfinite(found["forecast_error"].values).all()


def test_a_run_of_simulate_is_fitted_as_it_is():
    run = eigendyn.simulate(
        "euclidean", [0.02, 0.1, 0.3], alpha=0.5, sigma1=0.5, steps=120, saves=24
    )
    found = eigendyn.fit(run, "euclidean", until=1, alpha=0.5).isel(loss=0)
    assert float(found["value"].sel(number="time_scale")) == pytest.approx(1, rel=1e-3)
    assert float(found["value"].sel(number="noise1")) == pytest.approx(1.25, rel=1e-3)


def test_a_forecast_of_what_is_at_rest_is_right_and_what_is_not_followed_is_said():
    more = {"target": "ema", "ema": 0.5, "momentum": 0.1}
    run = eigendyn.simulate("euclidean", [0.05, 0.3], steps=600, saves=31, **more)
    found = eigendyn.fit(run, "euclidean", alpha=1, weight_decay=0, until=0.7)
    assert found.attrs["not_followed"] == "an EMA target and momentum"
    assert float(found["forecast_error"][0]) < 1e-3
    assert not found.attrs["verdict"].startswith("No theory fits: euclidean foretells worse")


def test_what_no_theory_describes_is_said():
    times = np.linspace(0, 12, 80)
    waves = np.exp(0.5 * np.sin(times + np.arange(3)[:, None]))
    log = record({"variance": waves}, times, times, title="waves")
    assert eigendyn.fit(log, "euclidean", alpha=0.5).attrs["verdict"].startswith("No theory fits")


def few(**changes):
    values = {"variance": np.full((2, 30), 0.3), "time": np.arange(30.0)} | changes
    return record({"variance": values["variance"]}, values["time"], values["time"], title="few")


@pytest.mark.parametrize(
    ("log", "settings", "refusal", "words"),
    [
        (few(variance=np.ones((2, 1)), time=np.ones(1)), {}, InvalidSetting, "two recordings"),
        (few(variance=np.ones((2, 3)), time=np.arange(3.0)), {}, InvalidSetting, "more readings"),
        (few(variance=np.ones((1, 30))), {}, InvalidSetting, "two modes"),
        (few(variance=-np.ones((2, 30))), {}, InvalidSpectrum, "above zero"),
        (few(variance=np.full((2, 30), np.inf)), {}, InvalidSpectrum, "finite"),
        (few(), {"until": 0.0}, InvalidSetting, "until"),
        (few(), {"horizon": -1.0}, InvalidSetting, "horizon"),
        (few(), {"loss": []}, InvalidSetting, "needs a loss"),
        (few(), {"predictor": "learned"}, InvalidSetting, "closed-form predictor"),
        (few(), {"closure": "sampled"}, InvalidSetting, "closure"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_a_sentence(log, settings, refusal, words):
    with pytest.raises(refusal, match=words):
        eigendyn.fit(log, **{"loss": "euclidean", **settings})
