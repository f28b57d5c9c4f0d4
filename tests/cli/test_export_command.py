"""Claims about `eigendyn export`: a thin wrapper, which writes a file or refuses."""

import pytest
from click.testing import CliRunner

from eigendyn.cli.main import cli
from eigendyn.theory.export import export_loss
from eigendyn.theory.loss_text import parse_loss
from eigendyn.theory.losses import named_loss


def run(*arguments):
    return CliRunner().invoke(cli, ["export", *map(str, arguments)])


def test_it_prints_the_source():
    assert run("iso-cosine").stdout == export_loss(named_loss("iso-cosine"), "torch")
    bare = run("cosine", "--no-stop-gradient", "--backend", "numpy").stdout
    assert bare == export_loss(named_loss("cosine", stop_gradient=False), "numpy")
    text = "sum((lam*z1 - gamma*sg(z2))**2)"
    written = run("--loss-expr", text, "--param", "gamma=0.5", "--backend", "jax").stdout
    assert written == export_loss(parse_loss(text, {"gamma": 0.5}), "jax")


def test_it_saves_a_file_once(tmp_path):
    path = tmp_path / "loss.py"
    outcome = run("euclidean", "-o", path)
    assert outcome.exit_code == 0
    assert outcome.stderr == f"Saved {path}.\n"
    assert path.read_text(encoding="utf-8") == export_loss(named_loss("euclidean"), "torch")
    again = run("cosine", "-o", path)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert run("cosine", "-o", path, "--force").exit_code == 0
    assert "def cosine_loss" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("", "LOSS is missing"),
        ("cosine --backend tensorflow", "torch"),
        ("cosin", "cosine"),
        ("cosine --loss-expr sum(z1*sg(z2))", "Leave out one of the two"),
        ("--loss-expr sum(z1*sg(z2)) --beta 1", "Leave out --beta"),
        ("cosine -o loss.txt", ".py"),
        ("cosine -o nowhere/loss.py", "nowhere"),
    ],
)
def test_a_wrong_request_is_refused_in_one_sentence(options, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = run(*options.split())
    assert outcome.exit_code == 2
    assert says in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
