"""Run the default engine on every system with weight decay, and compare it with references.

    python benchmarks/decay.py ROWS.csv [--kind polynomial|averaged] [--most RUNS] [--seconds S]
    python benchmarks/decay.py ROWS.csv --alone
    python benchmarks/decay.py ROWS.csv --report

Every system of `crosschecks.systems` × weight decay × the published start and three random ones, to
time 1,000. Each run must complete, and |s − s_ref| ≤ 10 (1e-12 + 1e-10 |s_ref|) at every compared
time: a mode that has sunk counts absolutely. Rows are appended as they come up, so that a run
which was cut off goes on. Runs are spread: each beginning of the order has all systems with other
decays and starts. A reference takes ten times as long as a run; `--alone` leaves them out, and says
whether every run completes.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import numpy as np
from contract_problems import Group
from decay_reference import NoReference, averaged, by_logarithms, by_time_change, degree, explicit
from decay_steps import by_steps
from machine import described
from numpy.typing import NDArray

from eigendyn.crosschecks.systems import systems
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.spectrum import published_variances
from eigendyn.simulation.equations import Equations, equations
from eigendyn.simulation.initial import saved_steps, starting_states
from eigendyn.simulation.run import run

DECAYS = (0.0, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.3)
END, SAVES = 1000.0, 1001
COMPARED = (0, 1, 2, 5, 10, 20, 40, 75, 125, 200, 350, 600, 1000)  # of the saved times
FORK = get_context("fork")
RTOL, ATOL, ALLOWED = 1e-10, 1e-12, 10.0
RANDOM_MODES, DECADES = 4, 3
FIELDS = (
    *("system", "decay", "start", "modes", "status", "method", "seconds"),
    *("reference", "doubt", "error", "until", "at", "state", "message"),
)
VISITED = 6
PATIENCE = 120  # seconds on the clock that a run may take, and ten times that with its reference


def starts() -> dict[str, NDArray]:
    """Spectra by name."""
    rng = np.random.default_rng(15)
    drawn = {
        f"random {i}": np.sort(10 ** rng.uniform(0.5 - DECADES, 0.5, RANDOM_MODES))[::-1]
        for i in (1, 2, 3)
    }
    return {"published": published_variances(), **drawn}


def prepared(settings: Mapping[str, Any], decay: float) -> Equations:
    """Equations of a system that decays."""
    rest = {**settings, "weight_decay": decay, "saves": SAVES}
    rest.pop("scale", None)  # of the networks that a system is cross-checked with
    loss = rest.pop("loss")
    rest["steps"] = round(END / rest.get("learning_rate", Settings.learning_rate))
    return equations(loss, rest)


def compared(system: Equations) -> NDArray:
    """Times at which runs are compared (times,), steps that are saved."""
    return system.chosen.learning_rate * saved_steps(system.chosen)[list(COMPARED)]


def cases(kind: str | None) -> Iterator[tuple[str, Mapping[str, Any], float, str]]:
    """All runs, so that each beginning is spread over systems, decays and starts."""
    known = [(name, given) for name, given in systems() if kind in (None, kind_of(given))]
    pairs = [(decay, start) for start in starts() for decay in DECAYS]
    for turn in range(len(pairs)):
        for i, (name, given) in enumerate(known):
            yield (name, given, *pairs[(11 * turn + 5 * i + 3) % len(pairs)])


def kind_of(given: Mapping[str, Any]) -> str:
    """Whether averages are taken over nodes."""
    return "averaged" if prepared(given, 0.1).program.node_names else "polynomial"


@lru_cache(maxsize=4)
def _compiled(name: str, start: str) -> Any:
    given = {**dict(systems())[name]}
    given.pop("scale", None)
    given.pop("weight_decay", None)
    spectrum = starts()[start]
    system = prepared(given, 0.1)
    given["steps"] = system.chosen.steps
    count = len(DECAYS)
    group = Group(
        {"closure": "exact", **given},
        {"weight_decay": np.array(DECAYS)},
        np.tile(spectrum, (count, 1)),
        compared(system),
        RTOL,
        ATOL,
    )
    return explicit(group)


@lru_cache(maxsize=4)
def _time_changed(name: str, start: str) -> list[NDArray] | None:
    given = dict(systems())[name]
    system = prepared(given, 0.0)
    begin = starting_states(system.program, starts()[start], system.chosen)
    equal = np.broadcast_to(np.sqrt((begin**2).mean(axis=1, keepdims=True)), begin.shape)
    between = [begin ** (1 - w) * equal**w for w in np.linspace(0, 1, VISITED)]
    one = averaged(system, np.stack(between))
    p = degree(one, begin)
    if p is None:
        return None
    return by_time_change(one, p, begin, compared(system), DECAYS)


def reference(
    name: str, start: str, decay: float, system: Equations, passed: NDArray
) -> tuple[str, NDArray, float]:
    """Route, states (states, modes, times) at the compared times, and how much two runs differ."""
    points = np.moveaxis(passed, -1, 0)
    points = points[np.abs(points[:, 0]).max(axis=1) > 1e-13]
    picked = np.unique(np.geomspace(1, len(points), VISITED).round().astype(int)) - 1
    if system.chosen.takes_steps:
        still = prepared({**dict(systems())[name], "momentum": 0.0}, decay)
        return "steps", *by_steps(system, still, starts()[start], compared(system), points[picked])
    if not system.program.node_names:
        values, doubt = _compiled(name, start)(DECAYS.index(decay))
        return "explicit", values, doubt
    if system.program.closure == "sampled":
        message = "sampled averages: the samples are the run's own"
        raise NoReference(message)
    if len(system.program.states) == 1:
        changed = _time_changed(name, start)
        if changed is not None:
            return "time change", changed[DECAYS.index(decay)], 0.0
    begin = starting_states(system.program, starts()[start], system.chosen)
    times = compared(system)
    one = averaged(system, points[picked])
    return "logarithms", by_logarithms(one, begin, times, not system.scale_free), 0.0


def row_of(
    name: str, given: Mapping[str, Any], decay: float, start: str, alone: bool
) -> dict[str, Any]:
    """One run, and how far it is from the reference."""
    system, spectrum = prepared(given, decay), starts()[start]
    row: dict[str, Any] = {"system": name, "decay": decay, "start": start, "modes": len(spectrum)}
    began = process_time()
    try:
        _, found, _, method = run(system, spectrum)
    except Exception as error:
        spent = round(process_time() - began, 2)
        return row | {
            "status": type(error).__name__,
            "seconds": spent,
            "message": str(error)[:200],
        }
    row |= {"status": found.status, "method": method}
    row["seconds"] = round(process_time() - began, 2)
    row |= {"message": found.message[:160]}
    if alone:
        return row
    try:
        row["reference"], values, row["doubt"] = reference(name, start, decay, system, found.values)
    except NoReference as error:
        return row | {"reference": f"none: {error}"}
    times = compared(system)
    kept = (times <= found.times[-1] * (1 + 1e-9)) & np.isfinite(values[0, 0])
    row["until"] = f"{times[kept][-1]:g}"
    at = np.searchsorted(found.times, times[kept] * (1 - 1e-9))
    away = np.abs(found.values[..., at] - values[..., kept])
    away /= ATOL + RTOL * np.abs(values[..., kept])
    if np.isnan(away).any():
        return row | {"error": "nan"}
    state, _, time = np.unravel_index(np.argmax(away), away.shape)
    where = {"at": f"{times[kept][time]:g}", "state": system.program.states[state]}
    return row | {"error": f"{away.max():.3g}", "doubt": f"{row['doubt']:.2g}", **where}


def in_time(name: str, given: Mapping[str, Any], decay: float, start: str, alone: bool) -> dict:
    """The row of one run, made in a process of its own, which is ended when it takes too long."""
    ours, theirs = FORK.Pipe(duplex=False)
    work = FORK.Process(target=_send, args=(theirs, name, given, decay, start, alone))
    work.start()
    theirs.close()
    patience = PATIENCE * (1 if alone else 10)
    try:
        if ours.poll(patience):
            return ours.recv()
        status = f"not over in {patience} s"
    except EOFError:
        status = "ended without a result"
    finally:
        work.kill()
        work.join()
    modes = len(starts()[start])
    return {"system": name, "decay": decay, "start": start, "modes": modes, "status": status}


def _send(where: Connection, *arguments: Any) -> None:
    where.send(row_of(*arguments))


def main() -> None:
    """Measure, or write down what was measured."""
    parser = argparse.ArgumentParser(description="The default engine on systems with decay.")
    parser.add_argument("rows", type=Path)
    parser.add_argument("--kind", choices=("polynomial", "averaged"))
    parser.add_argument("--most", type=int, default=10**6)
    parser.add_argument("--seconds", type=float, default=1e9, help="after which no run begins")
    parser.add_argument("--only", help="systems whose name fits this pattern")
    parser.add_argument("--alone", action="store_true", help="make no references")
    parser.add_argument("--report", action="store_true", help="write decay.md")
    chosen = parser.parse_args()
    if chosen.report:
        text = report(read(chosen.rows))
        Path(__file__).with_suffix(".md").write_text(text, "utf-8")
        return
    known = {
        (row["system"], float(row["decay"]), row["start"])
        for row in read(chosen.rows)
        if chosen.alone or row["reference"] or row["status"] != "completed"
    }
    began, done = monotonic(), 0
    with chosen.rows.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not file.tell():
            writer.writeheader()
        for name, given, decay, start in cases(chosen.kind):
            if (name, decay, start) in known or not re.search(chosen.only or "", name):
                continue
            if done >= chosen.most or monotonic() - began > chosen.seconds:
                break
            writer.writerow(in_time(name, given, decay, start, chosen.alone))
            file.flush()
            done += 1


def read(path: Path) -> list[dict[str, str]]:
    """Rows measured so far; of two of the same run the later, which has a reference."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        return list({(row["system"], row["decay"], row["start"]): row for row in rows}.values())


def is_wrong(row: Mapping[str, str]) -> bool:
    """Whether a run did not complete, or errs by more than is allowed."""
    return row["status"] != "completed" or (row["error"] and not float(row["error"]) <= ALLOWED)


def report(rows: list[dict[str, str]]) -> str:
    """The result as a page."""
    compared = [float(row["error"]) for row in rows if row["error"]]
    wrong = [row for row in rows if is_wrong(row)]
    seconds = sorted(float(row["seconds"] or 0) for row in rows)
    half, longest = seconds[len(seconds) // 2], seconds[-1]
    lines = [
        "# The default with weight decay",
        "",
        f"{described(('numpy', 'scipy', 'llvmlite'))} The machine was shared.",
        "",
        f"{len(rows)} runs of the {sum(1 for _ in cases(None))} of the matrix were made, "
        f"{len(compared)} compared with a reference, the largest error {max(compared):.2g} "
        f"tolerances; {len(wrong)} failed or err by more than {ALLOWED:g}. "
        f"Half took less than {half:.2g} s of processor, the longest {longest:.2g} s. "
        "References by logarithms end where the largest mode is 1e-3; with momentum they are heavy "
        "ball, as long as two runs of it agree.",
    ]
    names = ("system", "decay", "start", "status", "method", "seconds", "error")
    if wrong:
        lines += ["", f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    lines += ["| " + " | ".join(row[name] for name in names) + " |" for row in wrong]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
