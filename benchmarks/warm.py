"""Time warm calls: what a second call in one process takes, with another start.

    pip install numba               # optional
    python benchmarks/warm.py

A simulation of four modes under exact cosine; an ensemble call of one trajectory of ten modes
under mean-field cosine, and its engine alone; a thousand trajectories of it, by the engine, as a
call that labels them, and by Dormand–Prince by hand in numba (`peers/numba_kernel`), at equal
tolerances and at equal measured error. What is compared takes turns, in one process; times are of
the processor, since other processes disturb the clock. Writes benchmarks/warm.md.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from machine import described
from numpy.typing import NDArray
from peers import PEERS
from peers.eigendyn_engine import SETTINGS as OF_PROBLEMS
from problems import FLOOR, TIMES, Problem, error
from reference import reference

import eigendyn
from eigendyn.program.averaging import NO_NODES
from eigendyn.simulation.engines.lanes.ensemble import compiled_ensemble
from eigendyn.simulation.equations import equations
from eigendyn.simulation.initial import field_parameters

ROUNDS, CALLS, PAUSE = 11, 300, 0.05  # s
TOLERANCES, ASKED = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8), 1e-6
MODES = (10, 4)
LOSS, SETTINGS = "cosine", {k: v for k, v in OF_PROBLEMS["C"].items() if k != "loss"}
VARIANCES = (0.05, 0.3, 1.0, 2.0)
PACKAGES = ("numpy", "xarray", "llvmlite", "numba")


def timed(
    verbs: Mapping[str, Callable], rounds: int, pause: float = 0.0
) -> dict[str, tuple[float, float]]:
    """Smallest and median time of the processor of each [ms]; they take turns.

    In a pause [s] between two of them threads come to rest: some wait by counting.
    """
    found = {name: [] for name in verbs}
    for turn in range(rounds + 1):
        for name, verb in verbs.items():
            time.sleep(pause)
            begin = time.process_time()
            verb()
            if turn:
                found[name].append(1e3 * (time.process_time() - begin))
    return {name: (min(each), statistics.median(each)) for name, each in found.items()}


def engine(starts: NDArray, times: NDArray, rtol: float, atol: float) -> Callable[[], NDArray]:
    """The compiled engine on problem C, without checks before it and labels after it."""
    system = equations(LOSS, SETTINGS)
    numbers = field_parameters(system.program, system.chosen, system.numbers)
    states = np.sqrt(starts)[:, None]
    given = (NO_NODES, system.program, states, times, numbers)
    return lambda: compiled_ensemble(*given, rtol=rtol, atol=atol).values


def short_calls() -> list[str]:
    """Rows of the first table."""
    rng = np.random.default_rng(0)
    one = Problem("C", 10, 1).starts()

    def simulate() -> None:
        eigendyn.simulate("cosine", np.array(VARIANCES) * rng.uniform(0.7, 1.4, 4))

    calls = {"simulate, exact cosine, 4 modes": simulate}
    found = timed(calls, ROUNDS)
    calls = {
        "ensemble, mean-field cosine, 10 modes, 1 trajectory": lambda: eigendyn.ensemble(
            LOSS, one * rng.uniform(0.7, 1.4, one.shape), times=TIMES, **SETTINGS
        ),
        "its engine alone": engine(one, TIMES, 1e-6, 1e-9),
    }
    found |= timed(calls, CALLS)
    return [f"| {name} | {low:.3g} | {usual:.3g} |" for name, (low, usual) in found.items()]


def thousands(modes: int) -> list[str]:
    """Rows of the second table: a thousand trajectories of so many modes."""
    problem = Problem("C", modes, 1000)
    starts, known = problem.starts(), reference(problem)
    solvers = {"engine": (lambda _name, *given: engine(*given)(), 2)}
    for name in ("eigendyn", "numba"):
        if PEERS[name].is_installed:
            solve, _, power = PEERS[name].load()
            solvers[name] = solve, power
    times, errors = defaultdict(list), defaultdict(list)
    for rtol in TOLERANCES:
        verbs = {}
        for name, (solve, power) in solvers.items():
            verbs[name] = partial(solve, "C", starts, TIMES, rtol, FLOOR * rtol)
            found = np.squeeze(verbs[name]())[: len(known)]
            errors[name].append(error(found**power, known))
        for name, (low, _) in timed(verbs, ROUNDS, PAUSE).items():
            times[name].append(low)
    asked = TOLERANCES.index(ASKED)
    rows = []
    for name in solvers:
        seen, taken = (np.log(each[name][::-1]) for each in (errors, times))
        equal = np.exp(np.interp(np.log(ASKED), seen, taken))
        own = f"{times[name][asked]:.3g} | {errors[name][asked]:.1e} | {equal:.3g}"
        rows.append(f"| {modes} | {LABELS[name]} | {own} |")
    return rows


LABELS = {
    "engine": "eigendyn, the engine alone",
    "eigendyn": "eigendyn, labelled",
    "numba": "numba, Dormand–Prince by hand",
}


def main() -> None:
    """Measure, print and write."""
    lines = [
        "# Warm calls",
        "",
        "Processor time in ms, all threads together, the smallest and the median of calls that",
        "take turns in one process; each simulation and each short call has a start of its own.",
        "",
        "| call | smallest | median |",
        "|---|---|---|",
        *short_calls(),
        "",
        "A thousand trajectories of mean-field cosine, 101 saved times, smallest times. Error is",
        "that of ensembles.md: 1e-6 is what rtol = 1e-6 asks for. eigendyn follows a trajectory",
        "until two runs agree, so that its error keeps to the tolerance; numba follows it once.",
        "The last column is interpolated, log time in log error, between tolerances.",
        "",
        "| modes | | at rtol = 1e-6 | its error | at error 1e-6 |",
        "|---|---|---|---|---|",
        *(row for modes in MODES for row in thousands(modes)),
        "",
        described(PACKAGES),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
