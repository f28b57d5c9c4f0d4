"""Claims about `--from` and `--config` with a saved run."""

import json

import pytest
from click.testing import CliRunner

import eigendyn
from eigendyn.cli.main import cli

PARTS = "--loss euclidean --method steps --variances 0.05,0.4"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run in a folder of its own, without pictures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("eigendyn.show.plot.spectrum.save_picture", lambda *_: None)
    return tmp_path


def simulate(arguments, code=0):
    outcome = CliRunner().invoke(cli, f"simulate {arguments} --plot p.png -q")
    assert outcome.exit_code == code, outcome.stderr
    return outcome


def test_a_run_goes_on_from_its_file_to_the_same_numbers():
    simulate(f"{PARTS} --steps 20 -o first.nc")
    simulate(f"{PARTS} --steps 40 -o whole.nc")
    simulate("--from first.nc --steps 40 -o more.nc")
    more, whole = eigendyn.load("more.nc"), eigendyn.load("whole.nc")
    assert more["step"].values[[0, -1]].tolist() == [20, 40]
    assert more["variance"].equals(whole["variance"].isel(time=slice(20, None)))
    refused = CliRunner().invoke(cli, "simulate --config more.nc -o again.nc")
    assert "goes on from another run, at step 20" in refused.stderr


@pytest.mark.parametrize(
    "parts",
    [
        PARTS,
        "--loss euclidean --no-stop-gradient --signal 1,2 --variances 0.1,0.2",
        "--loss-expr sum((lam*z1-gamma*sg(z2))**2)/2 --param gamma=0.8 --variances 0.05,0.4",
        "--model deep-linear --param c=1.5 --variances 0.05,0.4",
        "--preset simsiam --variances 0.05,0.4",
    ],
)
def test_a_saved_run_gives_back_itself(parts):
    simulate(f"{parts} --steps 20 -o first.nc")
    simulate("--config first.nc -o again.nc")
    first, again = eigendyn.load("first.nc"), eigendyn.load("again.nc")
    assert again.equals(first)


def test_options_override_what_a_saved_run_says():
    simulate(f"{PARTS} --steps 20 -o first.nc")
    simulate("--config first.nc --weight-decay 0.1 --variances 1,2,3 -o again.nc")
    again = eigendyn.load("again.nc")
    settings = json.loads(again.attrs["settings"])
    assert (settings["weight_decay"], settings["method"], settings["steps"]) == (0.1, "steps", 20)
    assert again.sizes["mode"] == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--from first.nc", "--steps counts from the beginning"),
        ("--from first.nc --steps 40 --variances 1,2", "Leave out --variances"),
        ("--from first.nc --steps 40 --preset byol", "Leave out --preset"),
        ("--from first.nc --steps 40 --learning-rate 1", "--learning-rate 0.1"),
        ("--from none.nc --steps 40", "does not exist"),
        ("--config none.nc", "does not exist"),
    ],
)
def test_what_does_not_go_on_is_refused_and_nothing_is_written(folder, options, words):
    simulate(f"{PARTS} --steps 20 -o first.nc")
    before = sorted(folder.iterdir())
    outcome = CliRunner().invoke(cli, f"simulate {options} -o more.nc")
    assert words in outcome.stderr
    assert sorted(folder.iterdir()) == before
