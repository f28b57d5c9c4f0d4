"""Claims about `eigendyn plot`."""

import json

import pytest
import xarray
from click.testing import CliRunner

import eigendyn
from eigendyn.cli.flags import as_options
from eigendyn.cli.main import cli
from eigendyn.results.files import save


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run in a folder of its own, with a run in another."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    eigendyn.save(eigendyn.simulate("euclidean", [0.1, 1.0], steps=20), "runs/one.nc")
    return tmp_path


def invoke(arguments):
    return CliRunner().invoke(cli, f"plot {arguments}")


def test_a_picture_stands_beside_its_file_and_none_is_overwritten(folder):
    for name in ("one", "one-2"):
        outcome = invoke("runs/one.nc")
        assert outcome.exit_code == 0, outcome.stderr
        assert f"Saved runs/{name}.png" in outcome.stderr
        assert (folder / f"runs/{name}.png").exists()
    assert "runs/one.nc is a run of simulate." in outcome.stdout


def test_a_picture_is_replaced_only_by_force(folder):
    (folder / "mine.svg").write_text("mine")
    refused = invoke("runs/one.nc -o mine.svg")
    assert refused.exit_code == 2
    assert "exists and is not overwritten" in str(refused.exception) + refused.stderr
    assert (folder / "mine.svg").read_text() == "mine"
    assert invoke("runs/one.nc -o mine.svg --force").exit_code == 0
    assert (folder / "mine.svg").read_text().startswith("<?xml")


def test_a_script_is_told_what_was_drawn():
    told = json.loads(invoke("runs/one.nc --json").stdout)
    assert told == {"kind": "a run of simulate", "files": {"picture": "runs/one.png"}}


def test_a_plain_table_is_drawn_as_a_spectrum(folder):
    (folder / "mine.csv").write_text("time,a,b\n0,0.1,0.2\n1,0.2,0.2\n2,0.5,0.2\n")
    outcome = invoke("mine.csv")
    assert "mine.csv is a recorded spectrum." in outcome.stdout
    assert (folder / "mine.png").exists()


def test_several_files_are_drawn_in_one_picture_named_by_their_losses(folder, monkeypatch):
    eigendyn.save(eigendyn.simulate("iso-euclidean", [0.1, 1.0], steps=20), "runs/two.nc")
    drawn = []
    monkeypatch.setattr("eigendyn.show.plot.runs.save_figure", lambda *one: drawn.append(one[0]))
    outcome = invoke("runs/one.nc runs/two.nc --mode 0 --quantity variance")
    assert outcome.exit_code == 0, outcome.stderr
    (ax,) = drawn[0].axes
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["euclidean", "iso-euclidean"]
    assert len(ax.lines) == 2
    assert "runs/two.nc is a run of simulate." in outcome.stdout


def test_runs_that_differ_in_nothing_are_named_by_their_files(folder, monkeypatch):
    eigendyn.save(eigendyn.simulate("euclidean", [0.2, 1.0], steps=20), "runs/two.nc")
    drawn = []
    monkeypatch.setattr("eigendyn.show.plot.runs.save_figure", lambda *one: drawn.append(one[0]))
    assert invoke("runs/one.nc runs/two.nc").exit_code == 0
    assert [t.get_text() for t in drawn[0].axes[0].get_legend().get_texts()] == ["one", "two"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--x tim", "Did you mean 'time'"),
        ("--mode 7", "--mode must be one of 0 … 1"),
        ("--mode 0.5", "the number of a mode"),
        ("--slice mode", "--slice must be NAME=VALUE, not 'mode'"),
        ("--slice mode=0 --slice mode=1", "--slice is given twice for mode"),
        ("--y outcome", "Try --color outcome"),
    ],
)
def test_names_that_a_file_does_not_have_are_refused(folder, options, words):
    outcome = invoke(f"runs/one.nc {options}")
    assert outcome.exit_code != 0
    assert words in as_options(str(outcome.exception)) + outcome.stderr
    assert not list(folder.glob("runs/*.png"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("runs/none.nc", "does not exist"),
        ("runs", "is a folder"),
        ("text.nc", "could not be read"),
        ("other.nc", "a run of simulate, an ensemble"),
        ("runs/one.nc -o one.gif", "must end in .png, .pdf, .svg"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence_and_nothing_is_written(folder, name, words):
    (folder / "text.nc").write_text("text")
    save(xarray.Dataset({"x": ("place", [1.0])}), "other.nc")
    before = sorted(folder.rglob("*"))
    outcome = invoke(name)
    assert outcome.exit_code == 2
    assert words in str(outcome.exception) + outcome.stderr
    assert sorted(folder.rglob("*")) == before
