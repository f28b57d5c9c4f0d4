"""Time ensembles of eigendyn and of its peers, side by side, at equal measured error.

    pip install numba heyoka        # optional: peers that are not here are left out
    python benchmarks/ensembles.py [--quick] [--problems C] [--peers numba,diffrax]

prints the tables, and writes them with the plots and the raw numbers to benchmarks/ensembles.*.
Every cell runs in a process of its own (`cell`); times at the target error are interpolated, log
time in log error, between the tolerances around it. ≈ marks times that were measured on fewer
trajectories and scaled.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ensemble_plots import draw
from ensemble_tables import tables
from machine import described
from peers import PEERS
from problems import Problem
from reference import reference

HERE = Path(__file__).parent
TARGETS = (1e-6, 1e-9)
PACKAGES = ("numpy", "scipy", "jax", "diffrax", "numba", "heyoka", "torch", "torchode", "llvmlite")
SIZES = ((10, 1), (10, 1000), (10, 100_000), (2, 100_000), (1000, 1), (100_000, 1), (10**6, 1))
SCALING = ((10, 10), (10, 100), (10, 10_000), (100, 1), (10_000, 1))
QUICK = ((10, 1), (10, 100), (10, 1000), (1000, 1))


def problems(quick: bool) -> Iterator[Problem]:
    """All sizes of all problems, the table's first."""
    for name in "EC":
        for size in QUICK if quick else SIZES:
            yield Problem(name, *size)
    yield Problem("X", 10, 20 if quick else 1000)
    if not quick:
        for size in SCALING:
            yield Problem("C", *size)


def measure(peer: str, problem: Problem, limit: float, known: Path) -> dict:
    """One cell, in its own process; what went wrong is its "failure"."""
    path = known / f"{problem.name}-{problem.modes}-{problem.trajectories}.npy"
    if not path.exists():
        np.save(path, reference(problem))
    every = (problem.modes, problem.trajectories) == (10, 1000) and problem.name in "EC"
    asked = {
        "peer": peer,
        "problem": [problem.name, problem.modes, problem.trajectories],
        "targets": TARGETS[:1] if problem.name == "X" else TARGETS,
        "limit": limit,
        "every": every,
        "reference": str(path),
    }
    found = {"peer": peer, "problem": asked["problem"]}
    command = [sys.executable, str(HERE / "cell.py"), json.dumps(asked)]
    environment = os.environ | PEERS[peer].environment
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=8 * limit + 60
        )
    except subprocess.TimeoutExpired:
        return found | {"failure": "took too long"}
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return found | {"failure": lines[-1][:200] if lines else f"signal {-done.returncode}"}
    return found | json.loads(done.stdout.splitlines()[-1])


def cells(names: list[str], asked: list[Problem], limit: float) -> Iterator[dict]:
    """Measure everything that can be, with progress on standard error."""
    with tempfile.TemporaryDirectory() as folder:
        for problem in asked:
            for name in names:
                peer = PEERS[name]
                if problem.name not in peer.load()[1] or problem.modes > peer.most_modes:
                    continue
                cell = measure(name, problem, limit, Path(folder))
                outcome = cell.get("failure") or f"{cell['rungs'][-1]['seconds']:.3g} s"
                print(f"{problem} {name}: {outcome}", file=sys.stderr, flush=True)
                yield cell


def main() -> None:
    """Measure, print, write and draw."""
    parser = argparse.ArgumentParser(description="Ensembles side by side, at equal error.")
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--peers", default=",".join(PEERS), help="which of them, by name")
    parser.add_argument("--problems", default="ECX", help="which of them, by letter")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for a cell")
    chosen = parser.parse_args()
    unknown = sorted(set(chosen.peers.split(",")) - set(PEERS))
    if unknown:
        parser.error(f"There is no peer {', '.join(unknown)}. Known: {', '.join(PEERS)}.")
    names = [name for name in chosen.peers.split(",") if PEERS[name].is_installed]
    name = "ensembles-quick" if chosen.quick else "ensembles"
    found, text = [], ""
    asked = [p for p in problems(chosen.quick) if p.name in chosen.problems]
    for cell in cells(names, asked, chosen.limit):
        found.append(cell)
        text = tables(found, TARGETS) + f"\n{described(PACKAGES)}\n"
        (HERE / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        (HERE / f"{name}.md").write_text(text, "utf-8")
    print(text)
    draw(found, HERE / name)


if __name__ == "__main__":
    main()
