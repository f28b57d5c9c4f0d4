"""Write the page of the accuracy contract from a folder of references and verdicts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from contract_engines import FEWER_STEPS, LOCKSTEP
from contract_judge import ALLOWED, Verdict, excess, verdicts_of
from contract_problems import KINDS, MOST_MODES, groups
from contract_reference import REASONS
from contract_store import kept
from machine import described

PACKAGES = ("numpy", "scipy", "sympy", "jax", "diffrax", "llvmlite")
SHOWN = 5  # worst problems of an engine, and reasons why it refuses


def report(folder: Path, problems: int) -> str:
    """The table, the state of the reference, and the worst problems."""
    engines = {
        path.stem.partition("-")[2]: verdicts_of(path) for path in folder.glob("verdicts-*.jsonl")
    }
    kinds = ", ".join(f"{share:.0%} {kind}" for kind, share in KINDS.items())
    columns = "judged, flagged, largest error, above, no reference, both give up, not served"
    names = columns.replace("above", f"above {ALLOWED:g}").split(", ")
    lines = [
        "# The accuracy contract",
        "",
        f"{problems:,} random problems: all losses and variants, up to {MOST_MODES} modes, "
        "variances over six decades, random saved times, rtol from 1e-9 to 1e-4; "
        f"groups of one structure, of which {kinds} (see contract_problems.py). "
        "Error is |y − y_ref| in units of atol + rtol·|y_ref|, the largest over states, modes and "
        "saved times. The table says how many of the problems each engine was given. "
        f"Exact ratios, {' and '.join(LOCKSTEP)} give up after {FEWER_STEPS:,} steps of a run.",
        "",
        f"| engine | problems | {' | '.join(names)} |",
        "|" + "---|" * (len(names) + 2),
    ]
    lines += [_row(engine, verdicts) for engine, verdicts in sorted(engines.items())]
    lines += [
        "",
        "Flagged: a reference exists, and the engine says that it did not complete. No reference: "
        "the engine completed, the reference did not; it is judged as far as that goes. Not "
        "served: the engine refuses the dynamics.",
        "",
        *_references(folder, problems),
    ]
    for engine, verdicts in sorted(engines.items()):
        worst = sorted(verdicts, key=lambda one: one.largest, reverse=True)[:SHOWN]
        lines += ["", f"Worst of {engine}:", ""]
        lines += [
            f"- {v.largest:.3g}, group {v.group}, problem {v.row}: {v.settings}" for v in worst
        ]
        reasons = Counter(v.refusal for v in verdicts if v.refusal).most_common(SHOWN)
        lines += [f"- not served, {count} groups: {why}" for why, count in reasons]
    return "\n".join([*lines, "", described(PACKAGES)]) + "\n"


def _row(engine: str, verdicts: list[Verdict]) -> str:
    served = [verdict for verdict in verdicts if not verdict.refusal]
    sums = {
        name: sum(getattr(verdict, name) for verdict in served)
        for name in ("problems", "judged", "flagged", "unjudged", "flagged_both")
    }
    cells = [
        f"{sums['problems']:,}",
        f"{sums['judged']:,}",
        sums["flagged"],
        f"{max((verdict.largest for verdict in served), default=0):.3g}",
        sum(len(verdict.broken) for verdict in served),
        sums["unjudged"],
        sums["flagged_both"],
        f"{sum(verdict.problems for verdict in verdicts) - sums['problems']:,}",
    ]
    return f"| {engine} | " + " | ".join(str(cell) for cell in cells) + " |"


def _references(folder: Path, problems: int) -> list[str]:
    """How many references there are, and how well they agree with another method."""
    ends, doubts, checks = Counter(), [], []
    for number, group in groups(problems):
        found = kept(folder, group, number)
        if found is None:
            continue
        ends.update(int(end) for end in found.ends)
        doubts.append(np.where(found.ends == 0, found.doubt, 0).max())
        if found.again is not None:
            row, again = found.again
            checks.append(excess(again[None], found.values[row][None], group)[0])
    why = ", ".join(f"{text} ({ends[end]:,})" for end, text in REASONS.items())
    return [
        f"Of {sum(ends.values()):,} problems {ends[0]:,} have a reference at all times. The others "
        f"do not: {why}. Each is solved at two tolerances, which differ by at most "
        f"{max(doubts):.1e} in these units; computed a third time, by LSODA, {len(checks)} "
        f"problems differ by at most {max(checks, default=0):.1e}."
    ]
