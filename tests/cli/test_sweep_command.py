"""Claims about `eigendyn sweep`: what it prints, where, and how it ends."""

import json

import numpy as np
import pytest
import xarray
from click.testing import CliRunner

import eigendyn
from eigendyn.cli.main import cli
from eigendyn.cli.sweep import PATIENCE
from eigendyn.sweeping.work import Estimate

LINE = "sweep euclidean --weight-decay 0:0.3:4 --sigma1 0,0.5 --variances 1,0.3,0.02 --steps 60"

LEARNED = "--predictor learned --weight-decay 0:1:3 --tie weight-decay,predictor-decay"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def asked(line):
        return CliRunner().invoke(cli, [*line.split(), "--rtol", "1e-6"], prog_name="eigendyn")

    return asked


def test_a_sweep_says_what_it_takes_and_what_it_found_and_goes_on(run):
    done = run(f"{LINE} -o a.zarr")
    assert done.exit_code == 0, done.output
    assert "8 trajectories in one chunk: 512 B at most, about 0 s more" in done.stderr
    assert "Saved a.zarr." in done.stderr
    assert "8 of 8 trajectories, 1 of 1 chunk" in done.stdout
    found = xarray.open_zarr("a.zarr", consolidated=False)
    assert found.final_variance.dims == ("sigma1", "weight_decay", "mode")
    one = eigendyn.simulate(
        "euclidean", [1, 0.3, 0.02], steps=60, sigma1=0.5, weight_decay=0.3, rtol=1e-6
    )
    last = found.final_variance.sel(sigma1=0.5, weight_decay=0.3)
    np.testing.assert_allclose(last, one.variance[:, -1], rtol=1e-4)
    again = run(f"{LINE} -o a.zarr --json")
    told = json.loads(again.stdout)
    assert told["schema_version"] == 1
    assert told["missing"] == []
    assert told["status"] == {"completed": 8}
    assert sum(told["outcome"].values()) == 24
    assert "at most" not in again.stderr  # nothing was left
    other = run(f"{LINE} -o a.zarr --sigma2 0.3")
    assert other.exit_code == 2
    assert "sigma2 is not given there and 0.3 here" in other.stderr


def test_status_says_what_is_missing_with_an_exit_code_of_its_own(run):
    line = f"{LINE} --learning-rate 0.1,0.2 -o a.zarr -q"
    assert run(f"{line} --shard 1/2").exit_code == 0
    found = run("sweep --status a.zarr")
    assert found.exit_code == 3
    assert "1 of 2 chunks" in found.stdout
    assert "chunk 1: sigma1 0–0.5, weight_decay 0–0.3, learning_rate 0.2" in found.stdout
    assert run(f"{line} --shard 2/2").exit_code == 0
    assert run("sweep --status a.zarr").exit_code == 0


def test_what_takes_long_is_asked_for_where_somebody_can_answer(run, monkeypatch):
    long = Estimate(1, 1, PATIENCE + 1, 1)
    monkeypatch.setattr("eigendyn.sweeping.work._estimate", lambda *_: long)
    assert run(f"{LINE} -o a.zarr").exit_code == 0  # nobody could
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)


@pytest.mark.full
def test_lists_ranges_ties_designs_and_models_are_axes(run):
    short = "--steps 20 --variances 1,0.1 --keep final -q"
    for number, (line, sizes) in enumerate(
        {
            "--loss euclidean,iso-euclidean": {"loss": 2},
            "--preset simsiam,byol --closure mean-field": {"preset": 2},
            f"euclidean {LEARNED}": {"weight_decay": 3},
            "euclidean --sigma1 0:1 --weight-decay 1e-3:1:log --design sobol:8": {"sample": 8},
            "--model barlow-twins --param gamma=0.1:1:4": {"gamma": 4},
            "--model barlow-twins,deep-linear": {"loss": 2},
        }.items()
    ):
        done = run(f"sweep {line} {short} -o {number}.zarr")
        assert done.exit_code == 0, done.output
        found = xarray.open_zarr(f"{number}.zarr", consolidated=False)
        assert dict(found.final_variance.sizes) == {**sizes, "mode": 2}
        assert np.isfinite(found.final_variance).all()


def test_a_range_of_variances_is_one_of_starts_with_a_single_mode(run):
    done = run("sweep euclidean --variances 1e-3:1:7log --steps 20 -q -o a.zarr")
    assert done.exit_code == 0, done.output
    found = xarray.open_zarr("a.zarr", consolidated=False)
    assert dict(found.final_variance.sizes) == {"variance": 7, "mode": 1}
    np.testing.assert_allclose(found["variance"], np.geomspace(1e-3, 1, 7))


def test_several_files_are_an_axis_of_starts(run, tmp_path):
    for name, modes in (("a", 2), ("b", 2), ("c", 3)):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(0).normal(size=(9, modes)))
    done = run("sweep euclidean --embeddings a.npy,b.npy --steps 20 -q -o a.zarr")
    assert done.exit_code == 0, done.output
    found = xarray.open_zarr("a.zarr", consolidated=False)
    assert found.start.values.tolist() == ["a.npy", "b.npy"]
    other = run("sweep euclidean --embeddings a.npy,c.npy --steps 20 -q -o b.zarr")
    assert other.exit_code == 2
    assert "as many modes as each other" in other.stderr


def test_without_the_extra_one_sentence_says_so(run, monkeypatch):
    monkeypatch.setattr("eigendyn.settings.installed.find_spec", lambda _: None)
    done = run("sweep euclidean --sigma1 0:1:3")
    assert done.exit_code == 2
    assert 'Try pip install "eigendyn[sweep]"' in done.stderr
