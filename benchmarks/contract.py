"""Measure the accuracy contract: 10,000 random problems, every engine, a reference of its own.

    python benchmarks/contract.py [--problems 10000] [--engines compiled,shifted,flow:1000]
                                  [--references FOLDER] [--only GROUP]

The contract: at every saved time |y − y_ref| < 10 (atol + rtol |y_ref|), or the problem is flagged.
Prints the table and the worst groups, by the number that `--only` repeats; a whole run writes
benchmarks/contract.md. flow:1000 gives an engine every so manieth group only, about 1,000 problems.
References are kept in the folder, and computed for groups that are not there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from contract_engines import NotServed, solve
from contract_problems import EXTREME, MOST_MODES, Group, draw
from contract_store import references
from machine import described

ALLOWED = 10.0
PACKAGES = ("numpy", "scipy", "sympy", "jax", "diffrax", "llvmlite")


@dataclass
class Tally:
    """What one engine has done so far."""

    problems: int = 0
    flagged: int = 0
    broken: int = 0
    not_served: int = 0
    largest: float = 0.0
    worst: list[tuple[float, int, int, str]] = field(default_factory=list)
    reasons: Counter = field(default_factory=Counter)


def excess(values: np.ndarray, truth: np.ndarray, group: Group) -> np.ndarray:
    """Largest error of each problem in units of atol + rtol |y|; inf where there is a NaN."""
    ratio = np.abs(values - truth) / (group.atol + group.rtol * np.abs(truth))
    return np.where(np.isnan(ratio), np.inf, ratio).max(axis=(1, 2, 3))


def judge(tally: Tally, engine: str, group: Group, truth: np.ndarray, number: int) -> None:
    """Run one engine on one group, and count."""
    states = tuple(str(state) for state in group.dynamics().states)
    known = np.isfinite(truth).all(axis=(1, 2, 3))
    try:
        values, completed = solve(engine, group, states)
    except NotServed as refusal:
        tally.not_served += len(known)
        tally.reasons[str(refusal)] += 1
        return
    found = excess(values, truth, group)
    judged = known & completed
    tally.problems += int(known.sum())
    tally.flagged += int((known & ~completed).sum())
    tally.broken += int((found[judged] > ALLOWED).sum())
    if judged.any():
        row = int(np.argmax(np.where(judged, found, -1)))
        tally.largest = max(tally.largest, float(found[row]))
        tally.worst.append((float(found[row]), number, row, str(group.settings)))
        tally.worst = sorted(tally.worst, reverse=True)[:5]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description="The accuracy contract on random problems.")
    parser.add_argument("--problems", type=int, default=10_000)
    parser.add_argument("--engines", default="compiled,shifted,flow:1000,kernel:200")
    parser.add_argument("--size", type=int, default=20, help="problems in a group")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--references", type=Path, help="folder that keeps them")
    parser.add_argument("--only", type=int, help="one group, by number")
    chosen = parser.parse_args()
    numbers = [chosen.only]
    if chosen.only is None:
        numbers = _numbers(chosen.problems, chosen.size, chosen.seed)
    every = dict(_every(engine, chosen.problems) for engine in chosen.engines.split(","))
    tallies = {engine: Tally() for engine in every}
    total = unknown = checks = 0
    disagreement = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.references or Path(scratch)
        for number, known in references(folder, chosen.seed, chosen.size, numbers):
            group, truth = known.group, known.truth
            total += len(truth)
            unknown += int((~np.isfinite(truth).all(axis=(1, 2, 3))).sum())
            if np.isfinite(known.again).all():
                found = excess(known.again[None], truth[:1], group)[0]
                disagreement, checks = max(disagreement, found), checks + 1
            for engine, tally in tallies.items():
                if number % every[engine] == 0 or chosen.only is not None:
                    judge(tally, engine, group, truth, number)
            largest = ", ".join(f"{e} {t.largest:.2g}" for e, t in tallies.items())
            print(f"{total} problems, largest: {largest}", file=sys.stderr, flush=True)
    text = report(tallies, total, unknown, checks, disagreement)
    print(text)
    if chosen.only is None:
        Path(__file__).with_suffix(".md").write_text(text, "utf-8")


def _numbers(problems: int, size: int, seed: int) -> list[int]:
    """Numbers of the groups that hold so many problems in all."""
    numbers, drawn = [], 0
    while drawn < problems:
        drawn += len(draw(seed, len(numbers), size).variances)
        numbers.append(len(numbers))
    return numbers


def _every(told: str, problems: int) -> tuple[str, int]:
    """An engine's name, and of how many groups it gets one."""
    engine, _, share = told.partition(":")
    return engine, max(1, problems // int(share)) if share else 1


def report(
    tallies: dict[str, Tally], total: int, unknown: int, checks: int, disagreement: float
) -> str:
    """The table, the state of the reference, and the worst groups."""
    lines = [
        "# The accuracy contract",
        "",
        f"{total:,} random problems: all losses and variants, up to {MOST_MODES} modes, variances "
        "over six decades, random saved times, rtol from 1e-9 to 1e-4; "
        f"{EXTREME:.0%} of the groups are extreme (see contract_problems). Error is |y − y_ref| in "
        "units of atol + rtol·|y_ref|, the largest over states, modes and saved times.",
        "",
        f"| engine | problems | flagged | largest error | above {ALLOWED:g} | not served |",
        "|---|---|---|---|---|---|",
    ]
    for engine, one in tallies.items():
        counts = f"{one.problems:,} | {one.flagged} | {one.largest:.3g} | {one.broken}"
        lines.append(f"| {engine} | {counts} | {one.not_served} |")
    lines += [
        "",
        f"The reference has no value for {unknown} problems, too stiff for two runs that agree. "
        f"Computed again by LSODA, {checks} "
        f"problems differ from it by {disagreement:.1e} in these units.",
    ]
    for engine, one in tallies.items():
        lines += ["", f"Worst of {engine}:", ""]
        lines += [f"- {e:.3g}, group {n}, problem {row}: {s}" for e, n, row, s in one.worst]
        lines += [f"- not served, {n} groups: {why}" for why, n in one.reasons.most_common(5)]
    return "\n".join([*lines, "", described(PACKAGES)]) + "\n"


if __name__ == "__main__":
    main()
