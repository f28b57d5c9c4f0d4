"""Run what the README shows, and compare its output with the block that stands there.

A ```console block begins with its command; a ```text block shows what the last command of the
```sh block before it prints. `python -m tests.readme --write`, from the root, writes all blocks
anew.
"""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import xarray

import eigendyn

ROOT = Path(__file__).parent.parent
FILE = ROOT / "README.md"
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
SHOWN = ("console", "text")  # languages of blocks that are output
NOT_COMPARED: dict[str, str] = {}  # first line of a block → why it is not compared
ROUNDING = re.compile(r"\d(\.\d+)?e-(0[7-9]|[1-9]\d)\b")  # numbers that differ among processors


@dataclass(frozen=True)
class Block:
    """A block of output in the README.

    Args:
        command: The line of the shell that prints it.
        text: What stands there, without the command.
        span: Where that begins and ends in the README.
    """

    command: str
    text: str
    span: tuple[int, int]


def shown_blocks(readme: str) -> list[Block]:
    """Find every block of output, with the command that prints it."""
    found: list[Block] = []
    before = ""
    for fenced in FENCED.finditer(readme):
        language, body = fenced.groups()
        start, end = fenced.span(2)
        if language == "sh":
            before = re.sub(r"\s+#.*", "", body.strip().splitlines()[-1])
        if language == "console":
            line, _, body = body.partition("\n")
            start += len(line) + 1
            before = line.removeprefix("$ ")
        if language in SHOWN and body.partition("\n")[0] not in NOT_COMPARED:
            found.append(Block(before.split("&&")[-1].strip(), body, (start, end)))
    return found


def printed(command: str, folder: str | Path) -> str:
    """What a terminal shows of a command that is run in a folder: of a pipe, its end only."""
    python = sys.executable
    with_data(command, folder)
    line = command.replace(".venv/bin/", "")
    line = re.sub(r"^eigendyn\b", f"{python} -m eigendyn", line)
    line = re.sub(r"^python\s+docs/", f"{python} {ROOT}/docs/", line)
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + ("" if "|" in line else done.stderr)


def with_data(command: str, folder: str | Path) -> None:
    """Write the file that an earlier line of the README has made: of digits, or of a run."""
    if "--data" in command:
        eigendyn.save(_digits(), Path(folder) / "digits.nc", force=True)
    if "monitor filling.nc" in command:
        eigendyn.save(_filling(), Path(folder) / "filling.nc", force=True)
    for name, run in _runs().items():
        if f" {name}.nc" in command and " -o " not in command:
            eigendyn.save(run, Path(folder) / f"{name}.nc", force=True)
    if "eigenvalues.csv" in command:
        _write_eigenvalues(Path(folder) / "eigenvalues.csv")


@cache
def _digits() -> xarray.Dataset:
    return eigendyn.data.digits()


@cache
def _filling() -> xarray.Dataset:
    chosen = {"sigma1": 0.3, "sigma2": 0.3, "learning_rate": 0.05, "steps": 300, "saves": 61}
    return eigendyn.simulate("euclidean", [0.03, 0.1, 0.5, 2], **chosen)


@cache
def _runs() -> dict[str, xarray.Dataset]:
    """Short runs for lines that draw them, or go on with them."""
    start, few = [0.05, 0.3, 1.0], {"steps": 60}
    names = {"cosine": "cosine", "euclidean": "euclidean", "run": "euclidean"}
    return {
        name: eigendyn.simulate(loss, start, closure="mean-field", **few)
        for name, loss in names.items()
    }


def _write_eigenvalues(path: Path) -> None:
    """Write a table of times × eigenvalues: a run of the theory, read with errors of 1 %."""
    start = np.geomspace(0.01, 0.6, 5)
    settings = {"alpha": 0.5, "sigma1": 0.5, "weight_decay": 0.03, "steps": 200, "saves": 41}
    run = eigendyn.simulate("euclidean", start, **settings)
    noise = 0.01 * np.random.default_rng(0).normal(size=run["variance"].shape)
    rows = np.column_stack([run["time"], (run["variance"].values * np.exp(noise)).T])
    np.savetxt(path, rows, delimiter=",", header="time,v0,v1,v2,v3,v4", comments="")


def steady(text: str) -> list[str]:
    """Lines of an output, without what rounding makes of them on another processor."""
    return ROUNDING.sub("…", text).splitlines()


def rewritten(readme: str) -> str:
    """The README with every block as it is printed now."""
    for block in reversed(shown_blocks(readme)):
        with tempfile.TemporaryDirectory() as folder:
            now = printed(block.command, folder)
        start, end = block.span
        if steady(now) != steady(block.text):
            readme = readme[:start] + now + readme[end:]
    return readme


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("Run python -m tests.readme --write, which writes the blocks of README.md anew.")
    FILE.write_text(rewritten(FILE.read_text(encoding="utf-8")), encoding="utf-8")
