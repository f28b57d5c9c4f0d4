"""Compare an engine with the reference of a group, and keep the verdict in a file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from contract_engines import NotServed, solve
from contract_problems import Group
from contract_reference import FOUND, Reference
from numpy.typing import NDArray

ALLOWED = 10.0  # error in units of atol + rtol |y|


@dataclass(frozen=True)
class Verdict:
    """How an engine did on a group.

    Args:
        group: Its number.
        settings: Its settings.
        problems: How many it has.
        refusal: Why the engine does not serve it, or nothing.
        judged: Problems that the engine completed and whose reference is known to the end.
        flagged: Problems that the engine did not complete, though there is a reference.
        flagged_both: Problems that neither completed.
        unjudged: Problems that the engine completed, but the reference did not.
        broken: Problems (their rows) that were completed, and err by more than is allowed where
            there is a reference.
        largest: Largest error of what was completed, in units of what is tolerated.
        row: Problem that has it.
    """

    group: int
    settings: str
    problems: int
    refusal: str = ""
    judged: int = 0
    flagged: int = 0
    flagged_both: int = 0
    unjudged: int = 0
    broken: tuple[int, ...] = ()
    largest: float = 0.0
    row: int = 0


def judge(engine: str, group: Group, known: Reference, number: int) -> Verdict:
    """Run one engine on one group, and compare."""
    states = tuple(str(state) for state in group.dynamics().states)
    named = {"group": number, "settings": str(group.settings), "problems": len(known.ends)}
    try:
        values, completed = solve(engine, group, states)
    except NotServed as refusal:
        return Verdict(**named, refusal=str(refusal))
    found = np.where(completed, excess(values, known.values, group), 0.0)
    is_known = known.ends == FOUND
    return Verdict(
        **named,
        judged=int((is_known & completed).sum()),
        flagged=int((is_known & ~completed).sum()),
        flagged_both=int((~is_known & ~completed).sum()),
        unjudged=int((~is_known & completed).sum()),
        broken=tuple(int(row) for row in np.flatnonzero(found > ALLOWED)),
        largest=float(found.max()),
        row=int(found.argmax()),
    )


def excess(values: NDArray, truth: NDArray, group: Group) -> NDArray:
    """Largest error of each problem in units of atol + rtol |y|, where the truth is known.

    Infinite where there is a NaN instead.
    """
    ratio = np.abs(values - truth) / (group.atol + group.rtol * np.abs(truth))
    ratio = np.where(np.isnan(ratio), np.inf, ratio)
    return np.where(np.isnan(truth), 0.0, ratio).max(axis=(1, 2, 3))


def keep(path: Path, verdict: Verdict) -> None:
    """Add a verdict to those of an engine."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(verdict)) + "\n")


def verdicts_of(path: Path) -> list[Verdict]:
    """The verdicts of an engine."""
    lines = path.read_text("utf-8").splitlines()
    return [Verdict(**json.loads(line)) for line in lines]
