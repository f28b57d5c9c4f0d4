"""Measure the accuracy contract: 10,000 random problems, every engine, a reference of its own.

    python benchmarks/contract.py [--problems 10000] [--engines flow,compiled] [--only GROUP]

The contract: at every saved time |y − y_ref| < 10 (atol + rtol |y_ref|), or the problem is flagged.
Prints the table and the worst groups, by the number that `--only` repeats; a whole run writes
benchmarks/contract.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from contract_engines import NotServed, solve
from contract_problems import MOST_MODES, Group, draw, groups
from contract_reference import checked, reference
from machine import described

ALLOWED = 10.0
CHECK_EVERY = 25  # groups
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
    parser.add_argument("--engines", default="flow,compiled,shifted")
    parser.add_argument("--size", type=int, default=20, help="problems in a group")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="one group, by number")
    chosen = parser.parse_args()
    engines = chosen.engines.split(",")
    if chosen.only is None:
        drawn = groups(chosen.problems, chosen.size, chosen.seed)
        numbered = enumerate(drawn)
    else:
        numbered = iter([(chosen.only, draw(chosen.seed, chosen.only, chosen.size))])
    tallies = {engine: Tally() for engine in engines}
    total = unknown = checks = 0
    disagreement = 0.0
    for number, group in numbered:
        truth, rates = reference(group)
        known = np.isfinite(truth).all(axis=(1, 2, 3))
        total += len(known)
        unknown += int((~known).sum())
        if number % CHECK_EVERY == 0 and known[0]:
            again = checked(group, rates, truth[0, ..., 0])
            disagreement = max(disagreement, excess(again[None], truth[:1], group)[0])
            checks += 1
        for engine, tally in tallies.items():
            judge(tally, engine, group, truth, number)
        largest = ", ".join(f"{e} {t.largest:.2g}" for e, t in tallies.items())
        print(f"{total} problems, largest: {largest}", file=sys.stderr, flush=True)
    text = report(tallies, total, unknown, checks, disagreement)
    print(text)
    if chosen.only is None:
        Path(__file__).with_suffix(".md").write_text(text, "utf-8")


def report(
    tallies: dict[str, Tally], total: int, unknown: int, checks: int, disagreement: float
) -> str:
    """The table, the state of the reference, and the worst groups."""
    lines = [
        "# The accuracy contract",
        "",
        f"{total:,} random problems: all losses and variants, up to {MOST_MODES} modes, variances "
        "over six decades, random saved times, rtol from 1e-9 to 1e-4. Error is |y − y_ref| in "
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
        f"The reference has no value for {unknown} problems. Computed again by LSODA, {checks} "
        f"problems differ from it by {disagreement:.1e} in these units.",
    ]
    for engine, one in tallies.items():
        lines += ["", f"Worst of {engine}:", ""]
        lines += [f"- {e:.3g}, group {n}, problem {row}: {s}" for e, n, row, s in one.worst]
        lines += [f"- not served, {n} groups: {why}" for why, n in one.reasons.most_common(5)]
    return "\n".join([*lines, "", described(PACKAGES)]) + "\n"


if __name__ == "__main__":
    main()
