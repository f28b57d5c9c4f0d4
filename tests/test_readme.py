"""Claims about the README: what it shows works as it stands there."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from eigendyn.cli.main import cli
from eigendyn.systems import systems

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands():
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("eigendyn ")]


def test_its_python_runs_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)
    assert names["by_noise"].shape == (6, 1, 4)
    assert names["jacobian"].shape == (1, 4, 1, 4)
    assert (tmp_path / "run.nc").exists()


@pytest.mark.parametrize("line", commands())
def test_its_commands_run(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.save("embeddings.npy", rng.normal(size=(50, 4)))
    np.save("encoder.npy", rng.normal(size=(4, 6)))
    some = list(systems())[::40]  # all of them take minutes: docs/systems.md has them
    monkeypatch.setattr("eigendyn.systems.systems", lambda: some)
    outcome = CliRunner().invoke(cli, shlex.split(line, comments=True)[1:])
    assert outcome.exit_code == 0, outcome.output


def test_ci_runs_its_lines():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    first, second = (block for block in blocks("sh") if "pip install" in block)
    for line in (first, second):
        for part in line.split("&&"):
            step = part.strip().replace(".venv/bin/", "")
            if step != "python3 -m venv .venv":  # CI makes one elsewhere
                assert step and (step.replace("pip install", "pip install --quiet") in ci)


def test_its_first_table_is_what_simulate_prints(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["simulate", "--loss", "cosine"])
    assert done.exit_code == 0
    printed, shown = done.stdout, blocks("text")[0]
    for line in printed.splitlines()[:13]:
        assert line in shown


def test_the_digits_example_prints_what_the_readme_shows(tmp_path, monkeypatch, capsys):
    import runpy

    monkeypatch.setattr("sys.argv", ["digits.py", str(tmp_path)])
    runpy.run_path(str(ROOT / "docs" / "digits.py"), run_name="__main__")
    shown = next(text for text in blocks("text") if "samples" in text)
    assert capsys.readouterr().out.splitlines()[1:] == shown.splitlines()[1:]


@pytest.mark.parametrize(
    "block", [b for b in blocks("console") if b.startswith("$ eigendyn design")]
)
def test_its_console_shows_what_is_printed(block):
    line, *shown = block.splitlines()
    printed = CliRunner().invoke(cli, shlex.split(line)[2:]).stdout.splitlines()
    kept = [[row for row in rows if not row.startswith("deviation")] for rows in (shown, printed)]
    assert kept[0] == kept[1]
