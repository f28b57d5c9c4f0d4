"""Claims about `eigendyn monitor`."""

import json

import pytest
from click.testing import CliRunner

import eigendyn
from eigendyn.cli import monitor as of_command
from eigendyn.cli.main import cli
from eigendyn.recording.record import as_record


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run in a folder of its own, with two runs in it."""
    monkeypatch.chdir(tmp_path)
    chosen = {"saves": 41, "sigma1": 0.3, "sigma2": 0.3, "learning_rate": 0.05}
    good = eigendyn.simulate("euclidean", [0.05, 0.3, 2], steps=200, **chosen)
    eigendyn.save(as_record(good), "good.nc")
    bad = eigendyn.simulate("euclidean", [0.4, 0.6], steps=200, weight_decay=0.4, **chosen)
    eigendyn.save(bad, "bad.nc")
    return tmp_path


def invoke(arguments):
    return CliRunner().invoke(cli, f"monitor {arguments}")


def test_a_healthy_run_is_told_with_both_losses_and_what_moves_them():
    outcome = invoke("good.nc")
    assert outcome.exit_code == 0, outcome.stderr
    assert "recruitment. Modes are recruited" in outcome.stdout
    assert "implied loss" in outcome.stdout and "measured loss" in outcome.stdout
    assert "What every mode adds:" in outcome.stdout


def test_a_collapse_is_told_by_its_exit_code_and_with_the_setting_that_would_change_it():
    outcome = invoke("bad.nc")
    assert outcome.exit_code == 3, outcome.stderr
    assert "collapse. The representation collapses" in outcome.stdout
    assert "--weight-decay 0" in outcome.stdout


def test_scripts_are_told_the_same():
    told = json.loads(invoke("good.nc --json").stdout)
    assert told["schema_version"] == 1
    assert (told["verdict"], told["healthy"], told["recordings"]) == ("recruitment", True, 41)
    assert told["implied_loss"] == pytest.approx(told["measured_loss"], abs=1e-9)
    parts = {name: value for name, value in told["contributions"].items() if name != "since_step"}
    assert set(parts) == {"0", "1", "2"}


def test_record_and_picture_are_saved(folder):
    outcome = invoke("good.nc -o read.nc --plot good.png")
    assert outcome.exit_code == 0, outcome.stderr
    assert (folder / "good.png").exists()
    assert "implied_loss" in eigendyn.load("read.nc")
    assert invoke("read.nc").stdout == invoke("good.nc").stdout


def test_a_file_that_grows_is_followed_line_by_line_until_it_is_interrupted(monkeypatch):
    whole = eigendyn.load("good.nc")
    counts = iter([12, 12, 41])

    def grow(_seconds):
        count = next(counts, None)
        if count is None:
            raise KeyboardInterrupt
        eigendyn.save(whole.isel(time=slice(0, count)), "grows.nc", force=True)

    eigendyn.save(whole.isel(time=slice(0, 4)), "grows.nc")
    monkeypatch.setattr(of_command.time, "sleep", grow)
    outcome = invoke("grows.nc --follow --json")
    assert outcome.exit_code == 130, outcome.stderr
    lines = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert [line["step"] for line in lines] == [15.0, 55.0, 200.0]
    assert lines[0]["verdict"] is None and lines[-1]["verdict"] == "recruitment"


def test_a_file_that_is_being_written_is_waited_for(monkeypatch, folder):
    whole = eigendyn.load("good.nc")
    eigendyn.save(whole.isel(time=slice(0, 4)), "grows.nc")
    turns = iter(["broken", "still", "still", "whole"])

    def write(_seconds):
        turn = next(turns, None)
        if turn is None:
            raise KeyboardInterrupt
        if turn == "broken":
            (folder / "grows.nc").write_bytes(b"half a file")
        elif turn == "whole":
            eigendyn.save(whole, "grows.nc", force=True)

    monkeypatch.setattr(of_command.time, "sleep", write)
    outcome = invoke("grows.nc --follow")
    assert outcome.exit_code == 130
    assert [line.split()[1] for line in outcome.stdout.splitlines()] == ["15", "200"]
    assert "recruitment: " in outcome.stdout
    assert outcome.stderr.count("grows.nc must be a result saved as .nc") == 1  # as it stays broken
    assert "waits until the file changes" in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("none.nc", "does not exist"),
        ("good.nc --loss euclidian", "Did you mean 'euclidean'"),
        ("good.nc --alpha -1", "--alpha must be finite and ≥ 0"),
        ("good.nc --follow --plot x.png", "--follow prints lines"),
        ("none.nc --follow", "does not exist"),
        ("good.nc --follow --fit good.nc", "no room for --fit"),
        ("good.nc --fit good.nc", "must be what eigendyn.fit(record, loss) gives"),
        ("one.nc", "from 2 recordings on"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(arguments, words):
    eigendyn.save(eigendyn.load("good.nc").isel(time=[0]), "one.nc")
    outcome = invoke(arguments)
    assert outcome.exit_code == 2
    assert words in outcome.stderr
    assert "Traceback" not in outcome.stderr
