"""Claims about the README and the pages of the site: what they show works as it stands there."""

import re
import shlex

import pytest
from click.testing import CliRunner
from exported import import_torch
from readme import FENCED, PAGES, README, ROOT, SHOWN, blocks_of, lines_of, run, steady

from eigendyn.cli.main import cli
from eigendyn.crosschecks.systems import systems
from eigendyn.recording import read_record

TEXTS = {path: path.read_text(encoding="utf-8") for path in PAGES}
BLOCKS = [block for text in TEXTS.values() for block in blocks_of(text)]
COMMANDS = list(dict.fromkeys(line for text in TEXTS.values() for line in lines_of(text)))
CELL = "{code-cell} ipython3"  # is run as the site is built
LANGUAGES = {"sh", "sh .noeval", "python", *SHOWN, CELL, "{toctree}"}  # a block has one of them
DEAR = re.compile(  # takes seconds, or its like is run here or by tests of its room
    r"^python |eigendyn (phase|explore|bifurcation|crosscheck|audit|diagnose|design --loss|train)"
    r"|--data digits|data digits --augment|plot sweep|-o (cosine|euclidean|run|sweep|iso_cosine)\."
    r"|--device|--shard|--scheduler"
)
INSTEAD = {  # less work, or what each machine has
    "crosscheck --loss": "crosscheck --steps 40 --batch 200 --loss",
    "crosscheck --all": "crosscheck --all --steps 40",
    "phase --loss cosine": "phase --closure mean-field --loss cosine",
    "0:0.3:200 --sigma1 0:1:100": "0:0.3:3 --sigma1 0:1:2",
    "0:0.3:61": "0:0.3:3",
    "--sigma1 0:1:41": "--sigma1 0:1:2",
    "--shard $SLURM_ARRAY_TASK_ID/16 -o /shared/": "--shard 1/2 -o ",
    "--scheduler tcp://head:8786 -o /shared/": "-o ",
    "train --loss": "train --epochs 1 --network linear --loss",
    "--device cuda": "--device cpu",
}


def blocks(path, language):
    return [body for found, body in FENCED.findall(TEXTS[path]) if found == language]


def full_if_dear(commands):
    marks = {command: [pytest.mark.full] if DEAR.search(command) else [] for command in commands}
    return [pytest.param(command, id=command, marks=mark) for command, mark in marks.items()]


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks(README, "python"):
        exec(compile(block, "README.md", "exec"), {})
    assert {path.name for path in tmp_path.iterdir()} == {"run.nc", "run.pdf"}


@pytest.mark.full  # an optimiser of PyTorch takes seconds to load
def test_the_loop_of_pytorch_is_logged(tmp_path, monkeypatch):
    import_torch()
    monkeypatch.chdir(tmp_path)
    (block,) = blocks(ROOT / "docs" / "how-to" / "watch_a_training.md", "python")
    exec(compile(block, "watch_a_training.md", "exec"), {})
    steps = read_record("simsiam.nc")["step"].values
    assert steps[[0, -1]].tolist() == [3, 100]
    assert len(steps) > 2  # the first ones are closer together


def test_commands_that_are_not_run_each_time_have_their_options():
    for command in filter(DEAR.search, COMMANDS):
        program, name, *options = shlex.split(command)
        if program == "eigendyn":
            outcome = CliRunner().invoke(cli, [name, "-h", *options])  # before files are read
            assert outcome.exit_code == 0, outcome.output


@pytest.mark.parametrize("command", full_if_dear(COMMANDS))
def test_commands_run_and_print_what_stands_there(command, tmp_path, monkeypatch):
    some = list(systems())[::40]  # all of them take minutes: docs/systems.md has them
    monkeypatch.setattr("eigendyn.crosschecks.systems.systems", lambda: some)
    shown = [block for block in BLOCKS if block.command == command]
    if not shown:
        for part, other in INSTEAD.items():
            command = command.replace(part, other)
    printed = run(command, tmp_path)
    assert shown or printed.code == 0, printed.shown()
    for block in shown:
        assert steady(printed.shown(block.cut)) == steady(block.text)


def test_ci_runs_the_lines_of_the_readme():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    first, second, *_ = (block for block in blocks(README, "sh") if "pip install" in block)
    for line in (first, second):
        for part in line.split("&&"):
            step = part.strip().replace(".venv/bin/", "")
            if step != "python3 -m venv .venv":  # CI makes one elsewhere
                assert step
                assert step.replace("pip install", "pip install --quiet --no-compile") in ci


def test_every_block_is_run_or_compared_here_or_as_the_site_is_built():
    for path, text in TEXTS.items():
        languages = {language for language, _ in FENCED.findall(text)}
        assert languages <= LANGUAGES, path
        if path.parent.name in ("docs", "how-to"):
            assert all("import torch" in block for block in blocks(path, "python")), path
    commands = {block.command for block in BLOCKS}
    assert commands <= set(COMMANDS)


def test_a_number_that_differs_is_seen_and_rounding_is_not():
    assert steady("drift 6.5e-15, error 2e-09") == steady("drift 1.1e-16, error 3.1e-09")
    assert steady("variance 0.809573") != steady("variance 0.809574")
    assert steady("decay 1.5e-06") != steady("decay 1.6e-06")
