"""Time whole processes, from nothing to an answer, in interleaved pairs.

    python benchmarks/startup.py

`eigendyn simulate` with each loss and each preset, and a first `eigendyn.simulate` in Python,
against `python -c "import jax"`, of which none may take twice the time; and the problem C of
`problems` with 10 modes and one trajectory, as a script, in each of the peers that are here. The
processes take turns, so that what else the machine does meets them all alike; file caches are warm,
and modules compiled to bytecode, as they are from the second start on.
Beside the time on the clock stands that of the processor, which other processes disturb less.
Writes benchmarks/startup.md.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from machine import described
from peers import PEERS

from eigendyn.settings.choices import LOSS_NAMES, PRESETS

HERE = Path(__file__).parent
ROUNDS = 7
SCRIPT = """
import sys
sys.path.insert(0, {here!r})
from peers import PEERS
from problems import TIMES, Problem
solve, *_ = PEERS[{peer!r}].load()
print(solve("C", Problem("C", 10, 1).starts(), TIMES, 1e-6, 1e-9)[0, :, -1])
"""
ONE_SHOT = ("eigendyn", "scipy-lsoda", "scipy-dop853", "heyoka", "diffrax", "numba")
PACKAGES = ("numpy", "scipy", "jax", "diffrax", "numba", "heyoka", "sympy", "matplotlib")


def commands() -> Iterator[tuple[str, list[str]]]:
    """What is timed, the base first."""
    python = sys.executable
    yield 'python -c "import jax"', [python, "-c", "import jax"]
    asked = [("--loss", name) for name in LOSS_NAMES] + [("--preset", name) for name in PRESETS]
    for option, name in asked:
        command = ["simulate", option, name]
        yield f"eigendyn {' '.join(command)}", [python, "-m", "eigendyn", *command]
    for name in LOSS_NAMES:
        script = f"import eigendyn; eigendyn.simulate({name!r})"
        yield f"eigendyn.simulate({name!r})", [python, "-c", script]
    for name in ONE_SHOT:
        if PEERS[name].is_installed:
            script = SCRIPT.format(here=str(HERE), peer=name)
            yield f"C, 10 modes, once: {PEERS[name].label}", [python, "-c", script]


def seconds(command: list[str], folder: str) -> tuple[float, float]:
    """One process, in an empty folder, from start to end: on the clock, and of all processors.

    Raises:
        CalledProcessError: It failed.
    """
    paths = [str(HERE.parent), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    end, after = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    return end - begin, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Time all in turns, print the table and write it."""
    known = dict(commands())
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in known}
    for turn in range(ROUNDS + 1):  # the first fills the caches
        for name, command in known.items():
            with tempfile.TemporaryDirectory() as folder:
                one = seconds(command, folder)
            if turn:
                taken[name].append(one)
            print(f"{turn}/{ROUNDS} {name}: {one[0]:.2f} s", file=sys.stderr, flush=True)
    base = next(iter(taken.values()))
    lines = [
        "# Whole processes, from nothing to an answer",
        "",
        f"{ROUNDS} interleaved rounds: median and least on the clock, and of the processor (user "
        "and system); ratios to the first row in the same round, their medians.",
        "",
        "| process | median, s | fastest, s | processor, s | least, s | ratio | of processor |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, times in taken.items():
        clock, processor = zip(*times, strict=True)
        cells = [f(column) for column in (clock, processor) for f in (statistics.median, min)]
        for column in range(2):
            ratios = (a[column] / b[column] for a, b in zip(times, base, strict=True))
            cells.append(statistics.median(ratios))
        lines.append(f"| {name} | {' | '.join(f'{cell:.2f}' for cell in cells)} |")
    text = "\n".join([*lines, "", described(PACKAGES)]) + "\n"
    print(text)
    (HERE / "startup.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
