"""Claims about the collapse report: verdicts are those of the dynamics, and changes are real."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import eigendyn
from eigendyn.analysis.collapse import diagnose
from eigendyn.cli.main import cli
from eigendyn.errors import EigendynError

BASIN = (1 - np.sqrt(1 - 4 * 0.1)) / 2  # α = 1, no noise: the unstable v of v(1 − v) = ω
EDGE = [0.9 * BASIN, 1.1 * BASIN, 0.9]


@pytest.fixture(scope="module")
def euclidean():
    return diagnose("euclidean", EDGE, sigma2=0.0, weight_decay=0.1)


def test_a_mode_is_lost_below_the_unstable_fixed_point(euclidean):
    assert euclidean.lost.tolist() == [True, False, False]


def test_the_critical_weight_decay_is_where_the_smallest_mode_turns(euclidean):
    turns = EDGE[0] * (1 - EDGE[0])  # dv/dt = 2v[v(1 − v) − ω] of a mode by itself
    assert euclidean.critical_decay == pytest.approx(turns, rel=0.04)


def test_a_change_does_what_it_says_when_it_is_made(euclidean):
    by_name = {tuple(change.settings.items()): change for change in euclidean.changes}
    saved = by_name[("weight_decay", 0.0),]
    assert not saved.lost.any()
    quick = [c for c in euclidean.changes if "cosine" not in c.settings.get("loss", "")]
    for change in quick:
        assert change.status == "completed"
        settings = {"loss": "euclidean", "sigma2": 0.0, "weight_decay": 0.1, **change.settings}
        run = eigendyn.simulate(settings.pop("loss"), EDGE, **settings)
        ends = run["outcome"].values
        np.testing.assert_array_equal(change.lost, np.isin(ends, ["collapsed", "stationary"]))


def test_changes_that_a_predictor_does_not_allow_are_left_out():
    found = diagnose("euclidean", [0.5, 1.0], predictor="learned", weight_decay=0.05)
    names = [change.settings.get("loss") for change in found.changes]
    assert "cosine" in names
    assert not any(name and name.startswith("iso") for name in names)


def run(*arguments):
    return CliRunner().invoke(cli, ["diagnose", *arguments])


def test_the_report_says_which_modes_are_lost_and_what_saves_them(tmp_path):
    rng = np.random.default_rng(0)
    scales = np.array([1.5, 1.0, 0.05])
    np.save(tmp_path / "z.npy", rng.normal(size=(500, 3)) * scales)
    options = ("--loss", "euclidean", "--weight-decay", "0.05", "--steps", "3000")
    outcome = run(*options, "--embeddings", str(tmp_path / "z.npy"))
    assert outcome.exit_code == 0, outcome.stderr
    assert "1 of 3 modes is lost by time 300, step 3000: mode 2." in outcome.stdout
    assert "--weight-decay 0 " in outcome.stdout
    assert "--loss iso-euclidean   saves mode 2" in outcome.stdout


def test_json_holds_the_same():
    options = ("--loss", "euclidean", "--variances", "0.01,1", "--weight-decay", "0.1", "--json")
    report = json.loads(run(*options).stdout)
    assert report["lost"] == [True, False]
    assert {"options": "--weight-decay 0", "lost": [False, False], "status": "completed"} in report[
        "changes"
    ]


def test_wrong_settings_are_refused():
    with pytest.raises(EigendynError):
        diagnose("euclidean", [1.0], weight_decay=-1)
    outcome = run("--loss", "euclidean", "--variances", "0,0")
    assert outcome.exit_code == 2
    assert outcome.stderr.count("\n") == 1
