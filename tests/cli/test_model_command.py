"""Claims about --model: commands take a model in the place of a loss, or refuse in words."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import eigendyn
from eigendyn.cli.main import cli
from eigendyn.theory.models import named_model


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(line):
    """Run a command that must succeed."""
    outcome = CliRunner().invoke(cli, line.split(), catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def test_simulate_prints_saves_and_draws(tmp_path):
    told = run("simulate --model barlow-twins --param gamma=0.5 --variances 1e-4,0.1,3 --steps 200")
    assert "model    barlow-twins, gamma = 0.5" in told
    assert "E[loss]" not in told and "z/‖z‖" not in told and "conserved" not in told
    assert "effective rank" in told
    saved = eigendyn.load(tmp_path / "eigendyn-barlow-twins.nc")
    expected = eigendyn.simulate(named_model("barlow-twins", gamma=0.5), [1e-4, 0.1, 3], steps=200)
    np.testing.assert_array_equal(saved.variance, expected.variance)
    assert (tmp_path / "eigendyn-barlow-twins.png").stat().st_size > 1000


def test_json_says_model_and_not_loss():
    told = json.loads(run("simulate --model deep-linear --json -q"))
    assert told["model"] == "deep-linear"
    assert not {"loss", "expected_loss", "normalised_deviation"} & set(told)
    assert told["settings"]["parameters"] == {"c": 1.0, "tau": 1.0}


def test_data_give_every_mode_of_barlow_twins_its_gamma(tmp_path):
    rng = np.random.default_rng(0)
    data = eigendyn.data.from_inputs(rng.normal(size=(50, 3)) * [2, 1, 0.5], augment="noise:0.1")
    eigendyn.save(data, tmp_path / "data.nc")
    told = run("simulate --model barlow-twins --data data.nc --scale 0.1 --steps 200 -q -o run.nc")
    assert "model    barlow-twins, signal" in told and "gamma" not in told
    start = eigendyn.data.start(data, scale=0.1)
    expected = eigendyn.simulate("barlow-twins", **start, steps=200)
    np.testing.assert_array_equal(eigendyn.load(tmp_path / "run.nc").variance, expected.variance)
    line = "simulate --model barlow-twins --param gamma=1 --data data.nc"
    outcome = CliRunner().invoke(cli, line.split())
    assert outcome.exit_code == 2
    assert "from data or --signal, is its gamma" in outcome.stderr


def test_derive_prints_the_dynamics_and_their_source():
    lines = run("derive --model deep-linear").splitlines()
    assert lines[:4] == [
        "dynamics",
        "    ds_m/dt = s_m*(c - s_m^2)/tau",
        "dynamics of the variance",
        "    dv_m/dt = 2*c*v_m/tau - 2*v_m^2/tau",
    ]
    assert "Saxe" in lines[-1]
    told = json.loads(run("derive --model barlow-twins --json"))
    assert told["model"] == "barlow-twins" and "2303.15438" in told["source"]


@pytest.mark.full
def test_phase_lists_the_fixed_points(tmp_path):
    told = json.loads(run("phase --model deep-linear --param c=1.5 --json -q"))
    assert (told["model"], told["plane"]) == ("deep-linear", "deep-linear")
    found = {tuple(np.round(point["at"], 9)): point["stability"] for point in told["fixed_points"]}
    assert found[1.5, 1.5] == "stable" and len(found) == 4
    assert (tmp_path / "eigendyn-phase-deep-linear.png").exists()


@pytest.mark.full
def test_bifurcation_follows_a_parameter_of_the_model():
    told = json.loads(
        run("bifurcation --model barlow-twins --parameter gamma --range 0.6,2 --json -q")
    )
    assert told["model"] == "barlow-twins"
    alive = max(told["branches"], key=lambda one: max(x[0] for x in one["at"]))
    values = np.array(alive["parameter"]) * np.array(alive["at"])[:, 0] ** 2
    np.testing.assert_allclose(values, 1, rtol=1e-9)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("simulate --model barlow-twins --loss cosine", "Leave out --loss, or --model"),
        ("simulate --model barlow-twins --preset byol", "Leave out --preset, or --model"),
        ("derive cosine --model deep-linear", "Leave out --loss, or --model"),
        ("simulate --loss barlow-twins", "try --model barlow-twins"),
        ("simulate --model barlow-twin", "Did you mean 'barlow-twins'"),
        ("simulate --model barlow-twins --param gama=1", "Did you mean 'gamma'"),
        ("simulate --model barlow-twins --param gamma=0", "must be finite and > 0"),
        ("simulate --param gamma=1", "belongs to --loss-expr or --model"),
        ("simulate --model deep-linear --sigma1 0.3", "--sigma1 belongs to a Siamese network"),
        ("phase --model deep-linear --weight-decay 0.1", "--weight-decay belongs to a Siamese"),
        ("derive --model deep-linear --alpha 2", "--alpha belongs to a Siamese network"),
        ("derive --model deep-linear --predictor learned", "--predictor belongs to a Siamese"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(line, words, tmp_path):
    outcome = CliRunner().invoke(cli, line.split())
    assert outcome.exit_code == 2
    assert words in outcome.stderr and len(outcome.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
