"""Time one peer on one size of one problem, in a process of its own.

    python benchmarks/cell.py '{"peer": "numba", "problem": ["C", 10, 1000], "targets": [1e-6],
                                "limit": 60, "every": false, "reference": "/tmp/c.npy"}'

prints one object. First a ladder of tolerances on the watched trajectories says which reach the
target errors; then the two rungs around each target (or every rung) are timed at full size: one
warm-up, then at least three runs, the median. A peer that would take longer than the limit is timed
on fewer trajectories, the first ones: so many that twice as many would not fit.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from peers import PEERS
from problems import FLOOR, TIMES, Problem, error

LADDER = [10.0**-n for n in range(2, 14)]
REPEATS, ENOUGH = 3, 0.3  # runs, and seconds after which they are enough
FEWEST = 5  # trajectories on which a slow peer climbs the ladder
GROWTH = 2  # of the trajectories that are timed, as long as those are expected to fit the limit


def main() -> None:
    """Measure what was asked for."""
    asked = json.loads(sys.argv[1])
    problem = Problem(*asked["problem"])
    peer = PEERS[asked["peer"]]
    solve, _, power = peer.load()
    reference = np.load(asked["reference"])
    base = _peak()

    def run(starts: np.ndarray, rtol: float) -> tuple[float, float]:
        begin = time.perf_counter()
        values = solve(problem.name, starts, TIMES, rtol, FLOOR * rtol)
        taken = time.perf_counter() - begin
        count = min(len(starts), len(reference))
        found = values[:count, problem.watched[1]] ** power
        return taken, error(found, reference[:count])

    few = problem.starts()[: len(reference)]
    run(few, LADDER[0])  # compiles
    share = asked["limit"] / (5 * len(LADDER) * run(few, LADDER[0])[0])
    few = few[: max(FEWEST, int(share * len(few)))]
    ladder: list[tuple[float, float, float]] = []
    begin = time.perf_counter()
    for rtol in LADDER:
        ladder.append((rtol, *run(few, rtol)))
        if ladder[-1][2] <= min(asked["targets"]) or time.perf_counter() - begin > asked["limit"]:
            break
    errors = [found for *_, found in ladder]
    wanted = list(range(len(ladder))) if asked["every"] else _around(errors, asked["targets"])
    starts = few
    runs = (REPEATS + 1) * len(wanted)
    seconds = run(few, ladder[wanted[-1]][0])[0]
    while len(starts) < problem.trajectories and GROWTH * seconds * runs <= asked["limit"]:
        starts = problem.starts()[: GROWTH * len(starts)]
        seconds = run(starts, ladder[wanted[-1]][0])[0]
    count = min(len(starts), max(1, int(asked["limit"] / (seconds * runs) * len(starts))))
    starts = starts[:count]
    rungs = []
    for rung in wanted:
        rtol = ladder[rung][0]
        run(starts, rtol)
        runs = []
        while len(runs) < REPEATS or (sum(t for t, _ in runs) < ENOUGH and len(runs) < 50):
            runs.append(run(starts, rtol))
        seconds = statistics.median(t for t, _ in runs) * problem.trajectories / count
        rungs.append({"rtol": rtol, "error": max(runs[0][1], 1e-16), "seconds": seconds})
    print(json.dumps({"rungs": rungs, "ran": count, "memory": _peak() - base}))


def _around(errors: list[float], targets: list[float]) -> list[int]:
    """Rungs on both sides of each target; the last ones where it is not reached."""
    wanted: set[int] = set()
    for target in targets:
        met = next((i for i, found in enumerate(errors) if found <= target), len(errors) - 1)
        wanted |= {max(0, met - 1), met}
    return sorted(wanted)


def _peak() -> float:
    """Largest resident memory so far [MB]."""
    status = Path("/proc/self/status")
    if status.exists():  # unlike getrusage, it does not remember what started this process
        lines = status.read_text("utf-8").splitlines()
        return next(float(x.split()[1]) / 1e3 for x in lines if x.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
