"""Run what the README and the pages of the site show, and compare it with what stands there.

A ```console block begins with its command; a ```text block shows what the last command of the
```sh block before it prints. `python -m tests.readme --write`, from the root, writes all blocks
of all pages anew.
"""

import re
import shlex
import subprocess
import sys
import tempfile
from contextlib import chdir
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray
from click.testing import CliRunner

import eigendyn
from eigendyn.cli.main import cli

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = (
    README,
    *(ROOT / "docs" / f"{name}.md" for name in ("index", "start", "conventions")),
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
    *sorted((ROOT / "notebooks").glob("*.md")),
)
FENCED = re.compile(r"^```([^\n`]*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
SHOWN = ("console", "text")  # languages of blocks that are output
ROUNDING = re.compile(r"\d(\.\d+)?e-(0[7-9]|[1-9]\d)\b")  # numbers that differ among processors


@dataclass(frozen=True)
class Block:
    """A block of output on a page.

    Args:
        command: The line of the shell that prints it, without a pipe.
        cut: What a pipe leaves of it, as `head -7`; empty where there is none.
        text: What stands there, without the command.
        span: Where that begins and ends on the page.
    """

    command: str
    cut: str
    text: str
    span: tuple[int, int]


class Printed(NamedTuple):
    """What a command has printed, and its exit code."""

    out: str
    err: str
    code: int

    def shown(self, cut: str = "") -> str:
        """What a terminal shows of it: of a pipe, its end only."""
        if not cut:
            return self.out + self.err
        end, count = re.fullmatch(r"(head|tail) -(\d+)", cut).groups()
        lines = self.out.splitlines(keepends=True)
        return "".join(lines[: int(count)] if end == "head" else lines[-int(count) :])


def lines_of(page: str) -> list[str]:
    """Every command of a page that is run: those of eigendyn and Python, not how to install."""
    shells = [body for language, body in FENCED.findall(page) if language.startswith("sh")]
    lines = [_bare(line) for body in shells for line in re.sub(r"\\\n\s*", "", body).splitlines()]
    lines += [block.command for block in blocks_of(page)]
    return [line for line in lines if re.match(r"(eigendyn|python) ", line)]


def blocks_of(page: str) -> list[Block]:
    """Find every block of output, with the command that prints it."""
    found: list[Block] = []
    before = ""
    for fenced in FENCED.finditer(page):
        language, body = fenced.groups()
        start, end = fenced.span(2)
        if language.startswith("sh"):
            before = body.strip().splitlines()[-1]
        if language == "console":
            line, _, body = body.partition("\n")
            start += len(line) + 1
            before = line.removeprefix("$ ")
        if language in SHOWN:
            command, _, cut = before.partition(" | ")
            found.append(Block(_bare(command), cut, body, (start, end)))
    return found


def _bare(line: str) -> str:
    """A line of the shell, without its comment, and of several commands in it the last."""
    return re.sub(r"\s+#.*", "", line).split("&&")[-1].strip().replace(".venv/bin/", "")


def run(command: str, folder: str | Path) -> Printed:
    """Run a command in a folder, with the files there that another command would have made."""
    with chdir(folder):
        for name, make in FILES.items():
            if re.search(rf"[ ']{name}\b", command) and f"-o {name}" not in command:
                make(name)
        if command.startswith("eigendyn "):  # which needs no process
            runner = CliRunner(env={"COLUMNS": "100"})
            done = runner.invoke(cli, shlex.split(command)[1:], prog_name="eigendyn")
            return Printed(done.stdout, done.stderr, done.exit_code)
        _, *rest = shlex.split(command.replace("docs/", f"{ROOT}/docs/"))
        process = subprocess.run(
            [sys.executable, *rest], capture_output=True, text=True, check=False
        )
        return Printed(process.stdout, process.stderr, process.returncode)


@cache
def _digits() -> xarray.Dataset:
    return eigendyn.data.digits()


@cache
def _filling() -> xarray.Dataset:
    chosen = {"sigma1": 0.3, "sigma2": 0.3, "learning_rate": 0.05, "steps": 300, "saves": 61}
    return eigendyn.simulate("euclidean", [0.03, 0.1, 0.5, 2], **chosen)


@cache
def _short(loss: str) -> xarray.Dataset:
    return eigendyn.simulate(loss, [0.05, 0.3, 1.0], closure="mean-field", steps=60)


def _sweep(path: str) -> None:
    start, losses = np.geomspace(1, 0.02, 10), ["euclidean", "iso-euclidean"]
    eigendyn.sweep(losses, start, weight_decay=[0, 0.1], sigma1=[0, 0.5], steps=60, store=path)


def _eigenvalues(path: str) -> None:
    """Write a table of times × eigenvalues: a run of the theory, read with errors of 1 %."""
    start = np.geomspace(0.01, 0.6, 5)
    settings = {"alpha": 0.5, "sigma1": 0.5, "weight_decay": 0.03, "steps": 200, "saves": 41}
    run = eigendyn.simulate("euclidean", start, **settings)
    noise = 0.01 * np.random.default_rng(0).normal(size=run["variance"].shape)
    rows = np.column_stack([run["time"], (run["variance"].values * np.exp(noise)).T])
    np.savetxt(path, rows, delimiter=",", header="time,v0,v1,v2,v3,v4", comments="")


def _wine() -> np.ndarray:
    from sklearn.datasets import load_wine  # takes a second to import

    table = load_wine().data
    return (table - table.mean(axis=0)) / table.std(axis=0)


FILES = {  # what commands read → how it is made
    "digits.nc": lambda path: eigendyn.save(_digits(), path),
    "filling.nc": lambda path: eigendyn.save(_filling(), path),
    "cosine.nc": lambda path: eigendyn.save(_short("cosine"), path),
    "euclidean.nc": lambda path: eigendyn.save(_short("euclidean"), path),
    "run.nc": lambda path: eigendyn.save(_short("euclidean"), path),
    "run.csv": lambda path: eigendyn.save(_short("cosine"), path),
    "sweep.zarr": _sweep,
    "eigenvalues.csv": _eigenvalues,
    "embeddings.npy": lambda path: np.save(path, np.random.default_rng(0).normal(size=(50, 4))),
    "encoder.npy": lambda path: np.save(path, np.random.default_rng(0).normal(size=(4, 6))),
    "wine.csv": lambda path: np.savetxt(path, _wine(), delimiter=","),
    "wine.nc": lambda path: eigendyn.save(eigendyn.data.from_inputs(_wine(), "noise:0.5"), path),
}


def steady(text: str) -> list[str]:
    """Lines of an output, without what rounding makes of them on another processor."""
    return ROUNDING.sub("…", text).splitlines()


def rewritten(page: str) -> str:
    """A page with every block as it is printed now."""
    for block in reversed(blocks_of(page)):
        now = _printed(block.command).shown(block.cut)
        start, end = block.span
        if steady(now) != steady(block.text):
            page = page[:start] + now + page[end:]
    return page


@cache
def _printed(command: str) -> Printed:
    with tempfile.TemporaryDirectory() as folder:
        return run(command, folder)


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("Run python -m tests.readme --write, which writes the blocks of all pages anew.")
    for path in PAGES:
        path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")
