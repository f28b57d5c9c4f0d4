"""Claims about `eigendyn phase`: a picture, a table of fixed points, or one sentence."""

import json

import pytest
from click.testing import CliRunner
from structures import first_of

from eigendyn.cli.main import cli
from eigendyn.show import portrait
from eigendyn.show.plot import phase

FIRST_BYTES = {".gif": b"GIF8", ".png": b"\x89PNG", ".svg": b"<?xml"}


def run(*arguments):
    return CliRunner().invoke(cli, ["phase", *map(str, arguments)])


@pytest.mark.parametrize("suffix", first_of(*FIRST_BYTES))  # others: show/plot/test_agreement.py
def test_it_draws_and_lists_fixed_points(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(phase, "FRAMES", 3)
    path = tmp_path / f"phase{suffix}"
    outcome = run("--loss", "euclidean", "--target", "ema", "--weight-decay", 0.1, "-o", path)
    assert outcome.exit_code == 0, outcome.stderr
    assert path.read_bytes().startswith(FIRST_BYTES[suffix])
    table, symbols = outcome.stdout.split("\n\n")
    rows = table.splitlines()
    assert "ω" in symbols
    assert rows[0].split() == [
        "v",
        "ξ²",
        "stability",
        "eigenvalues",
        "time",
        "scales",
        "zero",
        "modes",
    ]
    assert [row.split()[2] for row in rows[1:]] == ["stable", "saddle", "stable"]
    assert outcome.stderr == f"Saved {path}.\n"


@pytest.mark.full
def test_plot_names_the_picture_as_everywhere_and_what_named_it_before_still_does(
    tmp_path, monkeypatch
):
    draw, drawn = portrait.draw_portrait, []

    def draw_once(path, *given, **options):
        """Draw the first picture; the others would differ in their names only."""
        drawn[:] = drawn or [draw(path, *given, **options)]
        motion, rests, _ = drawn[0]
        return motion, rests, path.touch

    monkeypatch.setattr(portrait, "draw_portrait", draw_once)
    (tmp_path / "run.toml").write_text(f"output = '{tmp_path / 'c.svg'}'\nloss = 'euclidean'\n")
    for options in (("--plot", "a.svg"), ("-o", "b.svg"), ("--config", "run.toml")):
        outcome = run("--loss", "euclidean", "-q", options[0], tmp_path / options[1])
        assert outcome.exit_code == 0, outcome.stderr
    assert {path.name for path in tmp_path.glob("*.svg")} == {"a.svg", "b.svg", "c.svg"}


def test_json_holds_the_fixed_points(tmp_path):
    options = ("--loss", "euclidean", "--weight-decay", 0.3, "--json", "-q")
    report = json.loads(run(*options, "-o", tmp_path / "a.png").stdout)
    (point,) = report["fixed_points"]  # beyond the fold all collapse
    assert point["at"] == [0, 0]
    assert point["stability"] == "stable"
    assert point["eigenvalues"] == [[-0.3, 0], [-0.3, 0]]


@pytest.mark.full  # trains networks; crosscheck's tests lay them over a theory as well
def test_networks_are_drawn_over_the_theory(tmp_path):
    options = ("--loss", "euclidean", "--start", "0.3,1", "--descent", 1, "--steps", 100)
    outcome = run(*options, "--basins", "-o", tmp_path / "a.svg")
    assert outcome.exit_code == 0, outcome.stderr
    assert (tmp_path / "a.svg").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--start 5,0.1", "a point of the plane"),
        ("--start 0.1", "a point of the plane"),
        ("--predictor learned --target ema --loss euclidean", "--slice target=0.5"),
        ("--predictor learned --loss euclidean --descent 1", "two modes"),
        ("--descent -1", "descent"),
        ("--modes 3", "variance1, variance2, variance3"),
        ("--modes 3 --slice variance4=1", "variance3"),
        ("--modes 3 --slice variance3=-1", "≥ 0"),
        ("--modes 3 --slice variance3", "NAME=NUMBER"),
        ("--slice variance2=1", "--modes 2"),
        ("--momentum 0.9", "--slice velocity=0"),
        ("--window 0,1", "--window 2,2"),
        ("--window 1", "--window 2,2"),
        ("--window 1,x", "--window must be numbers"),
        ("-o phase.txt", ".gif"),
        ("--weight-decay -1", "weight-decay"),
        ("--target ema", "does not see its scale"),
    ],
)
def test_a_wrong_request_is_refused_in_one_sentence(options, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = run(*options.split())
    assert outcome.exit_code == 2
    assert says in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
