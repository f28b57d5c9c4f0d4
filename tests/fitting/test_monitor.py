"""Claims about reading a recorded training."""

import numpy as np
import pytest
from trained import trained

import eigendyn
from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.fitting.changes import changed, fitted_settings
from eigendyn.fitting.result import KIND
from eigendyn.recording.record import as_record

START = [0.3, 0.5, 0.9]


@pytest.fixture(scope="module")
def dying():
    settings = {"weight_decay": 0.3, "sigma1": 0.3, "learning_rate": 0.05}
    return eigendyn.simulate("euclidean", START, steps=200, saves=41, **settings)


def test_a_run_that_recruits_is_healthy_and_its_loss_rises_by_the_modes_that_come():
    run = eigendyn.simulate(
        "euclidean", [1e-2, 0.3, 2], steps=4000, saves=81, sigma1=0.3, sigma2=0.3
    )
    found = eigendyn.monitor(run)
    assert found.check is not None and found.check.healthy
    assert found.implied[-1] > found.implied[found.since]
    assert max(found.contributions, key=lambda mode: found.contributions[mode]) in (0, 1)
    assert sum(found.contributions.values()) == pytest.approx(
        found.implied[-1] - found.implied[found.since]
    )
    assert found.beside == "Both are the same."  # as simulate's own expectation


def test_the_reading_is_a_dataset_that_is_saved_and_read_again(dying, tmp_path):
    found = eigendyn.monitor(dying)
    dataset = found.to_xarray()
    assert dataset.attrs["verdict"] == "collapse"
    assert dataset["verdict"].values[-1] == "collapse"
    assert dataset["implied_loss"].values == pytest.approx(found.implied)
    eigendyn.save(dataset, tmp_path / "read.nc")
    again = eigendyn.monitor(eigendyn.load(tmp_path / "read.nc"))
    assert again.check == found.check


def test_theory_says_that_less_decay_saves_what_decay_kills(dying):
    found = changed(as_record(dying), "euclidean")
    assert found.lost is not None and found.lost.all()
    saving = {c.options for c in found.changes if c.lost is not None and not c.lost.any()}
    assert "--weight-decay 0" in saving


VIEWS = {"signal": (2.0, 1.0, 0.5), "noise1": (0.1, 0.2, 0.1), "noise2": (0.3, 0.1, 0.2)}


@pytest.mark.parametrize("loss", ["euclidean", "iso-cosine"])
@pytest.mark.parametrize(
    "settings", [{"target": "ema", "ema": 0.95, "sigma2": 0.4}, {"target": "ema", **VIEWS}, VIEWS]
)
def test_the_implied_loss_is_that_of_the_run_with_a_target_and_along_data(loss, settings):
    run = eigendyn.simulate(loss, START, steps=60, saves=9, weight_decay=0.01, **settings)
    found = eigendyn.monitor(run)
    assert found.implied == pytest.approx(run["expected_loss"].values, rel=1e-5)


@pytest.mark.full
def test_theory_along_data_takes_their_signal():
    settings = {**VIEWS, "weight_decay": 0.6, "learning_rate": 0.05, "steps": 200}
    run = eigendyn.simulate("euclidean", START, saves=41, **settings)
    found = changed(as_record(run), "euclidean")
    own = eigendyn.diagnose("euclidean", START, **settings)
    np.testing.assert_array_equal(found.lost, own.lost)
    ends = (one["variance"].values[:, [0, -1]] for one in (found.run, run))
    np.testing.assert_allclose(*ends, rtol=1e-6)


def test_a_fit_of_another_run_is_refused(dying):
    other = dying[["variance"]].assign_coords(mode=[0, 1, 7]).assign_attrs(kind=KIND)
    with pytest.raises(InvalidSetting, match="has the mode 7, and the record 3 modes"):
        fitted_settings(other, as_record(dying))


def test_settings_that_nobody_knows_are_not_changed(dying):
    unknown = as_record(dying)
    del unknown.attrs["settings"]
    with pytest.raises(InvalidSetting, match="does not tell the settings"):
        changed(unknown, "euclidean")


def test_networks_of_a_training_are_read_one_by_one():
    one, other = (eigendyn.monitor(trained(), seed=seed) for seed in (0, 1))
    assert one.loss == "cosine"
    assert not np.array_equal(one.implied, other.implied)
    with pytest.raises(InvalidSetting, match="seed must be one of 0, 1, 2"):
        eigendyn.monitor(trained(), seed=7)


def test_a_record_without_predictor_or_loss_has_its_verdict_all_the_same(dying):
    bare = as_record(dying).drop_vars("predictor_eigenvalue")
    found = eigendyn.monitor(bare)
    assert found.check is not None and found.check.verdict == "collapse"
    assert "Give `alpha`" in found.beside
    assert np.isnan(found.implied).all()
    assert eigendyn.monitor(bare, alpha=1.0).implied == pytest.approx(
        eigendyn.monitor(dying).implied
    )
    unnamed = as_record(dying)
    unnamed.attrs.pop("loss"), unnamed.attrs.pop("settings")
    assert "does not say which loss" in eigendyn.monitor(unnamed).beside


@pytest.mark.parametrize(
    ("arguments", "refusal", "words"),
    [
        ({"loss": "euclidian"}, UnknownName, "Did you mean 'euclidean'"),
        ({"alpha": -1.0}, InvalidSetting, "`alpha` must be finite and ≥ 0"),
    ],
)
def test_arguments_without_meaning_are_refused(dying, arguments, refusal, words):
    with pytest.raises(refusal, match=words):
        eigendyn.monitor(dying, **arguments)


def test_a_record_of_one_recording_is_refused(dying):
    with pytest.raises(InvalidSetting, match="from 2 recordings on; this one has 1"):
        eigendyn.monitor(as_record(dying).isel(time=[0]))
    with pytest.raises(InvalidSetting, match="a record, a run of simulate or of train"):
        eigendyn.monitor(5)
