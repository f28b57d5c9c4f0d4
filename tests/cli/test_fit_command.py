"""Claims about `eigendyn fit`: it prints, saves and draws, and refuses in one sentence."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import eigendyn
from eigendyn.cli.main import cli
from tests.fitting.planted import planted


def run(*arguments):
    return CliRunner().invoke(cli, ["fit", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of times × eigenvalues."""
    path, log = tmp_path_factory.mktemp("fit") / "log.csv", planted()
    rows = np.column_stack([log["time"].values, log["variance"].values.T])
    np.savetxt(path, rows, delimiter=",", header="time,a,b,c", comments="")
    return path


def test_a_table_is_fitted_printed_saved_and_drawn(table, tmp_path):
    saved, drawn = tmp_path / "fit.nc", tmp_path / "fit.png"
    done = run(table, "--loss", "euclidean", "--alpha", 0.5, "-o", saved, "--plot", drawn)
    assert done.exit_code == 0
    assert "A  time scale of the gradient" in done.stdout
    assert "last value" in done.stdout
    assert drawn.stat().st_size > 10_000
    assert eigendyn.load(saved).attrs["kind"] == "a fit"
    again = CliRunner().invoke(cli, ["plot", str(saved), "-o", str(tmp_path / "again.png")])
    assert "is a fit" in again.stdout


def test_json_says_the_same(table):
    done = run(table, "--loss", "euclidean", "--alpha", 0.5, "--until", "50%", "--json", "-q")
    found = json.loads(done.stdout)
    assert found["status"] == "completed"
    assert found["losses"][0]["numbers"]["time_scale"]["value"] == pytest.approx(0.8, rel=0.1)
    assert set(found["baselines"]) == {"last value", "exponential"}


@pytest.mark.full
def test_time_scales_of_modes_are_listed_with_their_intervals(table):
    asked = ("--loss", "euclidean", "--alpha", 0.5, "--per-mode", "time-scale")
    listed = [line.split() for line in run(table, *asked).stdout.splitlines()]
    at = listed.index(["mode", "A", "95", "%", "interval"])
    assert [float(row[1]) for row in listed[at + 1 : at + 4]] == pytest.approx([0.8] * 3, rel=0.1)


def test_a_search_that_does_not_arrive_ends_with_three_and_the_best_so_far(table, monkeypatch):
    for name in ("ENOUGH", "LITTLE"):
        monkeypatch.setattr(f"eigendyn.fitting.optimum.{name}", -1.0)
    done = run(table, "--loss", "euclidean", "--alpha", 0.5)
    assert done.exit_code == 3
    assert "did not converge; the best so far is euclidean" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--until", "most"], "--until must be a share"),
        (["--until", "0"], "--until"),
        (["--loss", "euclidian"], "Did you mean 'euclidean'"),
        (["--loss", "euclidean", "--alpha", "-1"], "--alpha"),
        (["--per-mode", "alpha"], "is one number for all modes"),
        (["--noises", "none"], "no source of noises 'none'"),
        (["--predictor", "learned", "--loss", "euclidean"], "closed-form predictor"),
    ],
)
def test_refusals_are_one_sentence(table, arguments, words, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["fit", str(table), *arguments])
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.startswith("Error: ")
