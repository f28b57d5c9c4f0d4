"""Claims about losses written on the command line."""

import json

import pytest
from click.testing import CliRunner

from eigendyn.cli.main import cli

COSINE = "-sum(lam*z1*sg(z2)) / (norm(lam*z1)*norm(sg(z2)))"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(cli, arguments)


def test_a_written_loss_is_simulated_like_the_named_one(folder):
    told = [
        json.loads(
            invoke("simulate", *loss, "--variances", "0.3,1", "--steps", "50", "--json").stdout
        )
        for loss in (("--loss-expr", COSINE), ("--loss", "cosine"))
    ]
    assert told[0]["variances_final"] == told[1]["variances_final"]
    assert told[0]["loss"] == COSINE
    assert (folder / "eigendyn-written.nc").exists()


def test_a_loss_is_read_from_a_file_of_any_editor(folder):
    path = folder / "loss.txt"
    path.write_bytes(f"{COSINE.replace('/', '/ ')}\r\n".encode("utf-8-sig"))
    outcomes = [invoke("derive", *loss) for loss in (("--loss-file", path), ("cosine",))]
    assert outcomes[0].exit_code == 0, outcomes[0].stderr
    assert outcomes[0].stdout.splitlines()[2:] == outcomes[1].stdout.splitlines()[2:]
    path.write_bytes(bytes(range(256)))
    assert "readable text file" in invoke("derive", "--loss-file", path).stderr


def test_parameters_stay_symbols_in_a_derivation():
    outcome = invoke(
        "derive", "--loss-expr", "sum((lam*z1 - a*sg(z2))**2)/b", "--param", "a=3", "--param", "b=2"
    )
    assert outcome.exit_code == 0, outcome.stderr
    assert "a*SG(z2_k)" in outcome.stdout


def test_a_parameter_is_found_however_its_letter_is_typed():
    text = "Σ_k[(λ_k*z1_k - ϵ*SG(z2_k))^2]/2"
    told = [
        json.loads(
            invoke(
                *("simulate", "--loss-expr", text, "--param", f"{letter}=0.8", "--json"),
                *("--variances", "0.3,1", "--steps", "5", "-o", f"{place}.nc"),
            ).stdout
        )
        for place, letter in enumerate(("ϵ", "ε"))
    ]
    assert told[0]["variances_final"] == told[1]["variances_final"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "--loss", "cosine", "--loss-expr", COSINE], "either named or written"),
        (["derive", "cosine", "--loss-expr", COSINE], "either named or written"),
        (["derive"], "LOSS is missing"),
        (["derive", "--loss-expr", COSINE, "--no-stop-gradient"], "brings its"),
        (["simulate", "--param", "a=1"], "belongs to --loss-expr"),
        (["simulate", "--loss-expr", "sum(a*z1*sg(z2))", "--param", "a"], "NAME=NUMBER"),
        (["simulate", "--loss-expr", "sum(a*z1*sg(z2))"], "--param a=0.5"),
        (["simulate", "--loss-expr", "__import__('os')"], "alphabet"),
        (["simulate", "--loss-expr", "sum(z1)"], "changes when a mode changes sign"),
        (["simulate", "--loss-expr", COSINE, "--no-stop-gradient"], "loss of your own"),
        (["derive", "--loss-expr", COSINE, "--param", "g=1"], "does not depend on 'g'"),
        (
            ["derive", "--loss-expr", "sum(g*z1*z2)", "--param", "g=1", "--param", "g=2"],
            "given twice",
        ),
        (["derive", "--loss-file", "/dev/zero"], "at most 10000 bytes"),
        (["derive", "--loss-file", "."], "readable text file"),
        (["derive", "--loss-file", "missing.txt"], "readable text file"),
    ],
)
def test_what_is_no_written_loss_is_refused_in_a_sentence(folder, arguments, words):
    outcome = invoke(*arguments)
    assert outcome.exit_code == 2
    assert words in outcome.stderr
    assert list(folder.iterdir()) == []
