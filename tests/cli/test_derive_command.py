"""Claims about `eigendyn derive` and `eigendyn losses`: thin wrappers around the engine."""

import json

import pytest
from click.testing import CliRunner

from eigendyn.cli.main import cli
from eigendyn.settings.choices import LOSS_NAMES
from eigendyn.theory.formula import derivation
from eigendyn.theory.losses import named_loss


def run(arguments):
    """Run a command that must succeed."""
    outcome = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.stderr
    return outcome.stdout


@pytest.mark.parametrize(
    ("options", "loss", "more"),
    [
        ("", {}, {}),
        ("--no-predictor", {"predictor": False}, {}),
        ("--no-stop-gradient", {"stop_gradient": False}, {}),
        ("--beta 0.5", {"beta": 0.5}, {}),
        ("--alpha 2 --closure mean-field", {}, {"alpha": 2.0, "closure": "mean-field"}),
    ],
)
def test_it_prints_the_derivation(options, loss, more):
    equations = derivation(named_loss("euclidean", **loss), **more)
    lines = run(f"derive euclidean {options}").splitlines()
    assert lines[1::2] == [f"    {equation.text}" for equation in equations]
    latex = run(f"derive euclidean {options} --latex").splitlines()
    assert latex[1::2] == [equation.latex for equation in equations]
    assert all(line.startswith("% ") for line in latex[::2])


def test_json_holds_text_and_latex_of_every_line():
    told = json.loads(run("derive cosine --json"))
    assert told["schema_version"] == 1
    assert told["loss"] == "cosine"
    assert {"name", "text", "latex"} == set(told["equations"][0])


def test_losses_lists_every_loss():
    told = json.loads(run("losses --json"))
    assert [loss["name"] for loss in told["losses"]] == list(LOSS_NAMES)
    text = run("losses")
    for loss in told["losses"]:
        assert loss["text"] in text
    assert "conserves sum of variances" in text
