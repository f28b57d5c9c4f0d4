"""Claims about `eigendyn crosscheck` and `eigendyn audit`."""

import json
import shlex

import numpy as np
import pytest
from click.testing import CliRunner

import eigendyn
from eigendyn.cli.main import cli

SMALL = "--steps 60 --saves 13 --batch 1000 --seeds 4"
QUICK = f"--modes 3 --inputs 4 {SMALL}"


def invoke(line):
    return CliRunner().invoke(cli, shlex.split(line))


def test_it_prints_both_sides_and_saves_what_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = invoke(f"crosscheck --loss cosine {QUICK} -o check.nc --plot check.png")
    assert done.exit_code == 0, done.output
    rows = done.stdout.splitlines()
    assert rows[0].split()[:2] == ["mode", "initial"]
    assert len([row for row in rows if row.split()[:1] in (["0"], ["1"], ["2"])]) == 3
    assert rows[-1].startswith("verdict")
    assert "agrees" in rows[-1]
    power = next(row for row in rows if row.startswith("power"))
    for name in ("alpha", "sigma2", "learning-rate"):
        assert f"{name} off by" in power or name in power.partition("more than 100 %:")[2]
    assert "Saved check.nc and check.png." in done.stderr
    assert set(eigendyn.load("check.nc").children) == {"theory", "descent", "agreement"}
    assert (tmp_path / "check.png").read_bytes().startswith(b"\x89PNG")


def test_json_is_one_object_in_full_precision_and_nothing_is_written_unasked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = invoke(f"crosscheck --loss euclidean --variances 0.2,0.9 --json {SMALL}")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["verdict"] == "agrees"
    assert found["schema_version"] == 1
    np.testing.assert_allclose(found["variances_initial"], [0.9, 0.2], rtol=1e-15)
    theory = eigendyn.simulate("euclidean", [0.9, 0.2], method="steps", steps=60)
    np.testing.assert_allclose(found["variances_theory"], theory.variance[:, -1], rtol=1e-12)
    assert found["settings"]["descent"]["batch"] == 1000
    assert list(tmp_path.iterdir()) == []
    assert set(found["smallest_change"]) == {"alpha", "learning_rate"}  # no noise of this view
    assert 0 < found["smallest_change"]["learning_rate"] < 1


def test_a_wrong_theory_ends_with_3(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = invoke(f"crosscheck --loss cosine --closure mean-field {QUICK}")
    assert done.exit_code == 3
    assert "disagrees" in done.stdout
    assert "not asked, since the sides do not agree" in done.stdout


@pytest.mark.full
def test_a_diverging_network_ends_with_3_and_one_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    start = "--loss euclidean --variances 0.2,0.9"  # as above, so that it is compiled
    done = invoke(f"crosscheck {start} --learning-rate 90 --json {SMALL}")
    assert done.exit_code == 3, done.output
    found = json.loads(done.stdout)
    assert found["verdict"] == "diverged"
    assert "stable up to a learning rate of" in found["message"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--batch 0", "not 0"),
        ("--batch 1", "not 1"),
        ("--seeds 1", "not 1"),
        ("--false-alarm 2", "between 0 and 1"),
        ("--modes 5 --inputs 3", "--inputs must be at least --modes"),
        ("--weights nan.npy", "finite"),
        ("--weights tall.npy", "at least as many inputs"),
        ("--preset publish", "Did you mean 'published'"),
        ("--loss cosin", "Did you mean 'cosine'"),
        ("--variances 1,2 --weights wide.npy", "one start"),
        ("-o check.csv", ".nc"),
        ("--plot check.gif", ".png"),
        ("-o mine.nc", "--force"),
        ("--all --loss cosine", "--loss steers a single one"),
        ("--all --plot check.png", "--plot steers a single one"),
        ("--no-stop-gradient --beta 0.5", "no meaning"),
        ("--steps 0", "≥ 1"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(options, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("nan.npy", np.full((2, 3), np.nan))
    np.save("tall.npy", np.ones((3, 2)))
    np.save("wide.npy", np.ones((2, 3)))
    (tmp_path / "mine.nc").write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = invoke(f"crosscheck {options}")
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.full  # crosschecks/test_audit.py has the same without a command line
@pytest.mark.parametrize("loss", ["euclidean", "cosine"])
def test_audit_passes_what_is_derived(loss):
    done = invoke(f"audit --loss {loss} --no-stop-gradient")
    assert done.exit_code == 0, done.output
    assert "FAILED" not in done.stdout


def test_audit_flags_what_was_published():
    done = invoke(
        "audit --loss cosine --no-stop-gradient --update published-no-stop-gradient --json"
    )
    assert done.exit_code == 3
    found = json.loads(done.stdout)
    assert not found["passed"]
    assert [check["name"] for check in found["checks"] if check["passed"]] == ["scale"]


@pytest.mark.parametrize("options", ["--loss cosin", "--update derive", "--alpha 0", "--seed -1"])
def test_audit_refuses_bad_input_in_one_sentence(options):
    done = invoke(f"audit {options}")
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
