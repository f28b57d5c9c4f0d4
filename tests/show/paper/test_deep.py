"""Claims about the figures of deep networks, with a training whose numbers are known."""

import re
from importlib import import_module

import numpy as np
import pytest
from matplotlib.figure import Figure
from trained import trained

from eigendyn.settings.training import Training
from eigendyn.show.paper import FIGURES, OF_DEEP
from eigendyn.show.paper.deep import runs
from eigendyn.show.paper.deep.runs import COMMON, RUNS, SIZES, deep_runs, sources
from eigendyn.show.paper.work import Work
from eigendyn.show.plot.style import style

DEEP = [name for name in FIGURES if name.startswith(OF_DEEP)]


@pytest.fixture
def training(monkeypatch):
    """Stands for `eigendyn.train`, and remembers what was asked."""
    asked = []

    def train(loss, images, **given):
        asked.append({"loss": loss, **given})
        if given["checkpoint"] is not None:
            given["checkpoint"].write_text("unfinished")
        speed = 2.0 if loss.startswith("iso") else 1.0
        return trained(loss, seeds=given["seeds"], speed=speed)

    monkeypatch.setattr("eigendyn.training.run.train", train)
    return asked


@pytest.mark.parametrize("name", RUNS)
def test_every_run_has_settings_of_a_training(name):
    given = {**RUNS[name], **SIZES["full"]}
    assert (given.pop("images"), given.pop("seeds")) == ("digits", 5)
    chosen = Training(**given)
    assert chosen.loss == RUNS[name]["loss"]


@pytest.mark.parametrize("name", DEEP)
def test_every_page_draws_and_speaks_of_at_least_five_seeds_in_bands(training, name):
    page = import_module(f"eigendyn.show.paper.{FIGURES[name][0]}")
    numbers = page.numbers(Work(name, effort="full"))
    assert {one["seeds"] for one in training} == {5}
    with style():
        figure = page.draw(numbers)
    assert isinstance(figure, Figure)
    assert all(ax.collections for ax in figure.axes)
    words = page.caption(numbers)
    assert "5 conv networks for each setting" in words
    assert "not a reproduction" in words
    assert words.endswith(".")


@pytest.mark.parametrize("name", ["deep-3", "deep-8"])
def test_spectra_are_drawn_without_a_forecast_too_and_nothing_is_said_of_one(training, name):
    page = import_module(f"eigendyn.show.paper.{FIGURES[name][0]}")
    numbers = page.numbers(Work(name, effort="quick"))
    assert page.draw(numbers).axes[0].get_legend() is not None
    assert "Dashed: the theory's forecast from epoch 2 on" in page.caption(numbers)
    without = {path: run.drop_vars("forecast") for path, run in numbers.items()}
    assert page.draw(without).axes[0].get_legend() is None
    assert "forecast" not in page.caption(without)


def test_figure_three_names_what_a_claim_of_learning_is_beside(training):
    page = import_module("eigendyn.show.paper.deep.spectra")
    words = page.caption(page.numbers(Work(effort="full")))
    assert "raw pixels (96.7%)" in words
    assert re.search(r"iso-cosine 9\d\.?\d* ± [\d.]+ % \(above both\)", words)


def test_figure_seven_compares_targets_seed_by_seed(training):
    page = import_module("eigendyn.show.paper.deep.ema_target")
    numbers = page.numbers(Work(effort="quick"))
    gained = numbers["cosine-ema/training"]["linear_accuracy"]
    gained[:, -1] = gained[:, -1] + 0.01
    words = page.caption(numbers)
    assert "paired difference 1 ± 0;" in words
    assert words.count("not told from chance") == 3  # the other losses, whose difference is zero


def test_a_run_is_trained_once_and_its_checkpoint_goes_when_it_is_done(training, tmp_path):
    work = Work(effort="quick", parts=tmp_path)
    for _ in range(2):
        found = deep_runs(["cosine-ema"], ["variance"], work)
    assert len(training) == 1
    assert training[0]["checkpoint"] == tmp_path / f"deep-cosine-ema-{sources()}.npz"
    assert [path.name for path in tmp_path.iterdir()] == ["deep-cosine-ema.nc"]
    assert {"variance", "status"} <= set(found["cosine-ema/training"].data_vars)
    assert "loss" not in found["cosine-ema/training"]
    assert np.isfinite(found["cosine-ema/training"]["variance"].values).all()


def test_a_run_of_another_size_is_trained_anew(training, tmp_path):
    for effort in ("quick", "full"):
        deep_runs(["cosine-ema"], ["variance"], Work(effort=effort, parts=tmp_path))
    assert [one["seeds"] for one in training] == [2, 5]


def test_a_run_of_other_code_is_trained_anew(training, tmp_path, monkeypatch):
    for code in ("one", "one", "other"):
        monkeypatch.setattr(runs, "sources", lambda code=code: code)
        deep_runs(["cosine-ema"], ["variance"], Work(effort="quick", parts=tmp_path))
    assert [one["checkpoint"].stem for one in training] == [
        "deep-cosine-ema-one",
        "deep-cosine-ema-other",
    ]


def test_runs_with_and_without_ema_differ_in_the_target_alone():
    for name in RUNS:
        if name.endswith("-ema"):
            shared = RUNS[name.removesuffix("ema") + "shared"]
            assert {key for key in RUNS[name] if key not in shared} == {"target", "ema"}
            assert all(RUNS[name][key] == value for key, value in (shared | COMMON).items())


def test_an_interrupted_run_leaves_its_checkpoint_to_go_on_from(monkeypatch, tmp_path):
    seen = []

    def train(checkpoint, seeds, **_):
        seen.append(checkpoint.exists())
        checkpoint.write_text("half of it")
        if len(seen) == 1:
            raise KeyboardInterrupt
        return trained(seeds=seeds)

    monkeypatch.setattr("eigendyn.training.run.train", train)
    work = Work(effort="quick", parts=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        deep_runs(["cosine-ema"], ["variance"], work)
    deep_runs(["cosine-ema"], ["variance"], work)
    assert seen == [False, True]
