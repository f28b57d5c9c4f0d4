"""Claims about `eigendyn bifurcation`: a picture, a table of special points, or one sentence."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from structures import first_of

import eigendyn
from eigendyn.analysis.bifurcations import branches, continuation
from eigendyn.cli.main import cli

FIRST_BYTES = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def run(*arguments):
    return CliRunner().invoke(cli, ["bifurcation", *map(str, arguments)])


@pytest.mark.parametrize("suffix", first_of(*FIRST_BYTES))  # formats: show/plot/test_agreement.py
def test_it_draws_and_lists_special_points(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    outcome = run("--loss", "euclidean", "--sigma1", 0.5, "-o", path)
    assert outcome.exit_code == 0, outcome.stderr
    assert path.read_bytes().startswith(FIRST_BYTES[suffix])
    heading, row = outcome.stdout.splitlines()[:2]
    names = ["special point", "weight_decay", "bracket", "singular_value_0", "eigenvalues"]
    assert [name for name in names if name in heading] == names
    row = row.split()
    assert row[:3] == ["saddle-node", "0.2", "singular_value_0"]
    assert outcome.stderr == f"Saved {path}.\n"


def test_two_parameters_give_the_curve_of_saddle_nodes(tmp_path):
    options = ("--loss", "euclidean", "--second-parameter", "sigma1", "--second-range", "0,1")
    outcome = run(*options, "--json", "-q", "-o", tmp_path / "a.png")
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stderr == ""
    assert run(*options, "-q", "--plot", tmp_path / "b.png").exit_code == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    report = json.loads(outcome.stdout)
    assert report["schema_version"] == 1
    assert report["picture"] == str(tmp_path / "a.png")
    (fold,) = report["special_points"]
    assert (fold["kind"], fold["refined"], fold["period"]) == ("saddle-node", True, None)
    np.testing.assert_allclose(fold["parameter"], 0.25, atol=1e-10)
    low, high = sorted(end[1] for end in fold["bracket"])
    assert low < 0.5**0.5 < high
    (curve,) = report["fold_curves"]
    expected = 1 / (4 * (1 + np.square(curve["second"])))
    np.testing.assert_allclose(curve["first"], expected, atol=1e-10)
    assert {one["stability"][5] for one in report["branches"]} <= {"stable", "unstable"}


@pytest.mark.full  # analysis/test_continuation.py follows the same
def test_parameters_can_change_together(tmp_path):
    learned = ("--loss", "euclidean", "--predictor", "learned")
    driven = ("--parameter", "weight-decay,predictor-decay")
    outcome = run(*learned, *driven, "-o", tmp_path / "a.png")
    assert outcome.exit_code == 0, outcome.stderr
    assert "weight_decay = predictor_decay" in outcome.stdout
    assert outcome.stdout.splitlines()[1].split()[:2] == ["saddle-node", "0.25"]


@pytest.mark.full  # analysis/test_models.py follows a branch along a parameter of one's own
def test_a_loss_of_one_s_own_has_parameters_of_its_own(tmp_path):
    written = ("--loss-expr", "sum((lam*z1 - gamma*sg(z2))**2)/2", "--param", "gamma=0.8")
    options = ("--weight-decay", 0.1, "--parameter", "gamma", "--range", "0.3,1")
    outcome = run(*written, *options, "--json", "-q", "-o", tmp_path / "a.png")
    assert outcome.exit_code == 0, outcome.stderr
    (fold,) = json.loads(outcome.stdout)["special_points"]
    np.testing.assert_allclose(fold["parameter"], 0.4**0.5, atol=1e-9)  # γλ − λ² = ω, γ² = 4ω


def test_a_partial_branch_has_an_exit_code_and_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(continuation, "MOST", 5)
    outcome = run("--loss", "iso-euclidean", "-o", tmp_path / "a.png")
    assert outcome.exit_code == 3
    assert branches.LONG in outcome.stdout
    assert (tmp_path / "a.png").exists()


def test_nothing_is_overwritten_unless_forced(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("kept")
    assert run("--loss", "euclidean", "-o", path).exit_code == 2
    assert path.read_text() == "kept"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--parameter sigma7", "Known: sigma1, weight_decay"),
        ("--parameter epsilon", "Known: sigma1, weight_decay"),
        ("--range 0.4,0.1", "lower one first"),
        ("--range 0.4", "two finite numbers"),
        ("--range a,b", "--range must be numbers separated by commas"),
        ("--range -2,-1", "must hold values that are ≥ 0"),
        ("--second-range 0,1", "belongs to --second-parameter"),
        ("--second-parameter weight-decay", "must differ"),
        ("--loss cosine", "Try --modes 2"),
        ("--modes 0", "modes"),
        ("-o a.gif", ".png"),
        ("--weight-decay -1", "weight-decay"),
        ("--loss-expr sum(z1", "loss"),
    ],
)
def test_a_wrong_request_is_refused_in_one_sentence(options, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = () if "--loss" in options else ("--loss", "euclidean")
    outcome = run(*first, *options.split())
    assert outcome.exit_code == 2
    assert says in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.full  # show/test_saved.py reads back what such a file holds
def test_branches_and_special_points_are_saved_as_labelled_data(tmp_path):
    path = tmp_path / "a.nc"
    options = ("--loss", "euclidean", "--second-parameter", "sigma1", "--json", "-q")
    outcome = run(*options, "-o", path)
    assert outcome.exit_code == 0, outcome.stderr
    report, data = json.loads(outcome.stdout), eigendyn.load(path)
    for number, branch in enumerate(report["branches"], 1):
        on = data["branch"].values == number
        np.testing.assert_array_equal(data["parameter"].values[on], branch["parameter"])
        np.testing.assert_array_equal(data["x"].values[on], branch["at"])
        assert data["stability"].values[on].tolist() == branch["stability"]
        assert data["ends"].values[number - 1] == branch["ended"][1]
    assert data["kind"].values.tolist() == ["saddle-node"]
    np.testing.assert_allclose(data["special_parameter"].values, 0.25)
    (curve,) = report["fold_curves"]
    np.testing.assert_array_equal(data["fold_second"].values, curve["second"])
    assert data["fold_second"].attrs["long_name"] == "sigma1"
    assert data.attrs["loss"] == "euclidean"


def test_a_table_says_what_was_sought_not_that_there_is_nothing(tmp_path):
    short = ("--loss", "euclidean", "--range", "0,0.1", "--slices", 3, "-o", tmp_path / "a.png")
    outcome = run(*short)
    assert outcome.exit_code == 0, outcome.stderr
    first = outcome.stdout.splitlines()[0]
    assert first.startswith("No special point was found")
    assert "3 values of weight_decay" in first
    assert run("--slices", 0).exit_code == 2
