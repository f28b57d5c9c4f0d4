"""Claims about the README: what it shows works as it stands there."""

import re
import shlex

import numpy as np
import pytest
from click.testing import CliRunner
from exported import import_torch
from readme import FENCED, FILE, NOT_COMPARED, ROOT, SHOWN, printed, shown_blocks, steady, with_data

from eigendyn.cli.main import cli
from eigendyn.crosschecks.systems import systems
from eigendyn.recording import read_record

README = FILE.read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


LONG = re.compile(
    r"eigendyn (phase|bifurcation|crosscheck|audit|diagnose|design --loss)"
    r"|--data digits|docs/digits"
)
SHORTER = {"crosscheck --loss": ["--steps", "150"]}  # a tenth of what it trains, and says the same


def commands():
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("eigendyn ")]


def commands_without_output():
    """Those whose output does not stand there; the others are run where it is compared."""
    shown = {block.command.partition(" | ")[0] for block in shown_blocks(README)}
    return [line for line in commands() if line.partition("#")[0].strip() not in shown]


def full_if_long(values, line=str):
    """Commands whose like tests/cli runs, and that take seconds, are run by the full tests only."""
    marks = [pytest.mark.full if LONG.search(line(value)) else () for value in values]
    return [
        pytest.param(value, id=line(value), marks=mark)
        for value, mark in zip(values, marks, strict=True)
    ]


def test_its_python_runs_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks("python"):
        if "import torch" not in block:
            exec(compile(block, "README.md", "exec"), names)
    assert names["by_noise"].shape == (6, 1, 4)
    assert names["jacobian"].shape == (1, 4, 1, 4)
    assert (tmp_path / "run.nc").exists()


@pytest.mark.full  # an optimiser of PyTorch takes seconds to load
def test_its_loop_of_pytorch_is_logged(tmp_path, monkeypatch):
    import_torch()
    monkeypatch.chdir(tmp_path)
    (block,) = (block for block in blocks("python") if "import torch" in block)
    exec(compile(block, "README.md", "exec"), {})
    steps = read_record("simsiam.nc")["step"].values
    assert steps[[0, -1]].tolist() == [3, 100]
    assert len(steps) > 2  # the first ones are closer together


@pytest.mark.parametrize("line", commands())
def test_its_commands_have_their_options(line):
    _, command, *options = shlex.split(line, comments=True)
    outcome = CliRunner().invoke(cli, [command, "-h", *options])  # before files are looked for
    assert outcome.exit_code == 0, outcome.output


@pytest.mark.parametrize("line", full_if_long(commands_without_output()))
def test_its_commands_run(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.save("embeddings.npy", rng.normal(size=(50, 4)))
    with_data(line, tmp_path)
    np.save("encoder.npy", rng.normal(size=(4, 6)))
    some = list(systems())[::40]  # all of them take minutes: docs/systems.md has them
    monkeypatch.setattr("eigendyn.crosschecks.systems.systems", lambda: some)
    fewer = [option for part, told in SHORTER.items() if part in line for option in told]
    outcome = CliRunner().invoke(cli, shlex.split(line, comments=True)[1:] + fewer)
    assert outcome.exit_code == 0, outcome.output


def test_ci_runs_its_lines():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    first, second = (block for block in blocks("sh") if "pip install" in block)
    for line in (first, second):
        for part in line.split("&&"):
            step = part.strip().replace(".venv/bin/", "")
            if step != "python3 -m venv .venv":  # CI makes one elsewhere
                assert step
                assert step.replace("pip install", "pip install --quiet --no-compile") in ci


@pytest.mark.parametrize("block", full_if_long(shown_blocks(README), lambda b: b.command))
def test_its_output_is_what_is_printed(block, tmp_path, monkeypatch):
    if block.command.startswith("eigendyn ") and "|" not in block.command:  # needs no process
        monkeypatch.chdir(tmp_path)
        with_data(block.command, tmp_path)
        command = shlex.split(block.command)[1:]
        outcome = CliRunner(env={"COLUMNS": "100"}).invoke(cli, command, prog_name="eigendyn")
        shown = outcome.stdout + outcome.stderr
    else:
        shown = printed(block.command, tmp_path)
    assert steady(shown) == steady(block.text)


def test_every_block_of_output_is_compared_or_named_with_a_reason():
    languages = [language for language, _ in FENCED.findall(README)]
    assert set(languages) == {"sh", "python", *SHOWN}  # a block without a language is none
    shown = sum(language in SHOWN for language in languages)
    assert len(shown_blocks(README)) + len(NOT_COMPARED) == shown
    assert all(reason for reason in NOT_COMPARED.values())
    assert all("eigendyn" in b.command or "docs/" in b.command for b in shown_blocks(README))


def test_a_number_that_differs_is_seen_and_rounding_is_not():
    assert steady("drift 6.5e-15, error 2e-09") == steady("drift 1.1e-16, error 3.1e-09")
    assert steady("variance 0.809573") != steady("variance 0.809574")
    assert steady("decay 1.5e-06") != steady("decay 1.6e-06")
