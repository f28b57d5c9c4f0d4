"""Claims about `eigendyn design`: it prints the design, and refuses in one sentence."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from independent import cosine_moments

from eigendyn.analysis.design import design_loss
from eigendyn.cli.main import cli


def run(*arguments):
    outcome = CliRunner().invoke(cli, ["design", *arguments], catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.stderr
    return outcome.stdout


def test_it_prints_the_design():
    printed = run("--rate", "1 - lam").splitlines()
    assert printed[0] == "loss       sum((z1 - sg(z1 + z2 - lam*z1))**2)/2"
    assert printed[2] == "wanted     (1/s) ds/dt = 1 - λ_m"
    assert printed[3] == "derived    (1/s) ds/dt = 1 - λ_m"
    assert [line.strip() for line in printed[6:]] == list(design_loss("1 - lam").gives_up)


def test_the_printed_loss_can_be_simulated(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = json.loads(run("--rate", "k*(1 - lam)", "--param", "k=2", "--sigma1=0.5", "--json"))
    arguments = ["simulate", "--loss-expr", report["loss_expr"], "--param", "k=2"]
    start = ["--variances", "0.1,0.5", "--sigma1", "0.5", "--steps", "500", "--json"]
    outcome = CliRunner().invoke(cli, [*arguments, *start], catch_exceptions=False)
    final = json.loads(outcome.stdout)["variances_final"]
    assert final == pytest.approx([1.0, 1.0], rel=1e-6)


@pytest.mark.full
def test_an_average_is_compared_in_numbers():
    printed = run("--loss", "cosine", "--multiplier", "1").splitlines()
    assert printed[2] == "wanted     (1/s) ds/dt = that of cosine, times (1)/λ_m"
    eigenvalues, wanted, derived = (list(map(float, line.split()[1:])) for line in printed[4:7])
    spectrum = np.array(eigenvalues)
    plain = cosine_moments(spectrum, spectrum, 0.0, 0.01)[0] / spectrum
    np.testing.assert_allclose(wanted, plain / spectrum, rtol=1e-5)
    np.testing.assert_allclose(derived, wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("", "needs --rate, or --loss with --multiplier"),
        ("--rate 1-lam --loss cosine", "and not both"),
        ("--loss cosine", "needs --rate, or --loss with --multiplier"),
        ("--rate 1-z1", "uses 'z1'"),
        ("--rate k*lam", "--param k=0.5"),
        ("--rate lam --param k", "NAME=NUMBER"),
        ("--rate 1/(1-lam)", "can be zero"),
        ("--loss cosin --multiplier 1", "cosine"),
    ],
)
def test_a_wrong_request_is_refused_in_one_sentence(options, says):
    outcome = CliRunner().invoke(cli, ["design", *options.split()])
    assert outcome.exit_code == 2
    assert says in outcome.stderr
    assert outcome.stderr.count("\n") == 1
