"""Compute the references of the accuracy contract, those that a folder does not hold yet.

python benchmarks/contract_references.py FOLDER [--problems 10000]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import monotonic

import numpy as np
from contract_problems import groups
from contract_reference import REASONS
from contract_store import stored


def main() -> None:
    """Compute, keep, and say how far it is."""
    parser = argparse.ArgumentParser(description="References of the accuracy contract.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--problems", type=int, default=10_000)
    chosen = parser.parse_args()
    total, missing, begin = 0, dict.fromkeys(REASONS, 0), monotonic()
    drawn = list(groups(chosen.problems))
    for number, group in sorted(drawn, key=lambda each: each[1].has_nodes):  # the slow ones last
        found = stored(chosen.folder, group, number)
        total += len(found.ends)
        for why in missing:
            missing[why] += int(np.sum(found.ends == why))
        counts = ", ".join(f"{REASONS[why]}: {count}" for why, count in missing.items())
        spent = f"{monotonic() - begin:.0f} s, group {number}: {total} problems, without: {counts}"
        print(spent, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
