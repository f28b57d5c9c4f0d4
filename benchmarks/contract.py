"""Measure the accuracy contract: 10,000 random problems, every engine, a reference of its own.

    python benchmarks/contract_references.py FOLDER
    python benchmarks/contract.py FOLDER [--engines compiled,shifted,flow:2000] [--only GROUP]

The contract: at every saved time |y − y_ref| < 10 (atol + rtol |y_ref|), or the problem is flagged.
References and verdicts are kept in the folder: a run that was cut off goes on, and to judge an
engine anew, remove its verdicts-ENGINE.jsonl. flow:2000 gives an engine evenly spread groups with
about so many problems. All verdicts in the folder are in the table of benchmarks/contract.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import monotonic

from contract_judge import judge, keep, verdicts_of
from contract_problems import SEED, SIZE, Group, draw, groups
from contract_report import report
from contract_store import stored


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description="The accuracy contract on random problems.")
    parser.add_argument("folder", type=Path, help="keeps references and verdicts")
    parser.add_argument("--problems", type=int, default=10_000)
    parser.add_argument("--engines", default="compiled,shifted,flow:2000,kernel:300")
    parser.add_argument("--only", type=int, help="one group, by number")
    chosen = parser.parse_args()
    told = [name for name in chosen.engines.split(",") if name]
    if chosen.only is not None:
        group = draw(SEED, chosen.only, SIZE)
        for engine in told:
            name = engine.partition(":")[0]
            print(judge(name, group, stored(chosen.folder, group, chosen.only), chosen.only))
        return
    for engine in told:
        _run(chosen.folder, engine, chosen.problems)
    text = report(chosen.folder, chosen.problems)
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, "utf-8")


def _run(folder: Path, told: str, problems: int) -> None:
    """Judge one engine on the groups that it has not been judged on yet."""
    engine, _, share = told.partition(":")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"verdicts-{engine}.jsonl"
    verdicts = verdicts_of(path) if path.exists() else []
    known = {verdict.group for verdict in verdicts}
    begin, done = monotonic(), 0
    for number, group in sorted(groups(problems), key=_spread):
        if done >= int(share or problems):
            break
        done += len(group.variances)
        if number in known:
            continue
        verdict = judge(engine, group, stored(folder, group, number), number)
        keep(path, verdict)
        verdicts.append(verdict)
        largest = max(each.largest for each in verdicts)
        broken = sum(len(each.broken) for each in verdicts)
        at = f"{engine}, {monotonic() - begin:.0f} s, group {number}: {done} problems"
        why = f"largest {largest:.3g}, broken so far {broken} {verdict.refusal[:60]}"
        print(f"{at}, {why}", file=sys.stderr, flush=True)


def _spread(numbered: tuple[int, Group]) -> int:
    """Place in an order of which every beginning is spread evenly: the number's bits reversed."""
    return int(f"{numbered[0]:016b}"[::-1], 2)


if __name__ == "__main__":
    main()
