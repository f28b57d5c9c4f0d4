"""Claims about `eigendyn explore`: what it writes, prints and refuses."""

import shlex

import pytest
from click.testing import CliRunner

from eigendyn.cli.main import cli


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(arguments):
    return CliRunner().invoke(cli, shlex.split(arguments), catch_exceptions=False)


def test_the_page_is_written_and_its_path_and_size_are_told(folder):
    outcome = run("explore --loss euclidean -o page.html")
    assert outcome.exit_code == 0
    assert outcome.stdout == "page.html\n"
    size = (folder / "page.html").stat().st_size
    assert f"Saved page.html, {size / 1000:.0f} kB" in outcome.stderr
    assert (folder / "page.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_nothing_is_overwritten_unless_asked(folder):
    (folder / "page.html").write_text("mine")
    refused = run("explore --loss euclidean -o page.html")
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert (folder / "page.html").read_text() == "mine"
    assert run("explore --loss euclidean -o page.html --force -q").exit_code == 0


def test_without_a_name_a_fresh_one_is_taken(folder):
    for _ in range(2):
        run("explore --loss euclidean -q")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["eigendyn-euclidean-2.html", "eigendyn-euclidean.html"]


def test_presets_and_written_losses_are_taken(folder):
    assert run("explore --preset isoloss -o iso.html").exit_code == 0
    assert "The iso-cosine loss" in (folder / "iso.html").read_text("utf-8")
    text = "sum((lam*z1 - g*sg(z2))**2)"
    assert run(f"explore --loss-expr '{text}' --param g=0.8 -o own.html").exit_code == 0
    assert '"symbol": "g"' in (folder / "own.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ("--preset byol", "two states"),
        ("-o page.png", ".html"),
        ("--closure sampled --samples 10000", "4096"),
        ("--target ema --ema-schedule cosine --loss euclidean", "change in time"),
    ],
)
def test_a_refusal_is_one_sentence_and_leaves_nothing(folder, arguments, word):
    outcome = run(f"explore {arguments}")
    assert outcome.exit_code == 2
    assert word in outcome.stderr
    assert list(folder.iterdir()) == []
