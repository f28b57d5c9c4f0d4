"""Judge forty labelled runs, half of them healthy, as they would be judged while they train.

    python benchmarks/verdicts.py [--seed 13] [--kept FOLDER] [--write]

trains the runs of verdicts_runs.py, or finds those that an earlier call has kept, judges every
record as it grows, prints the tables, and writes benchmarks/verdicts.md if asked to. A collapse is
announced before half of its loss where the first verdict that is not healthy, even if it is taken
back, falls on a recording with more than half of the variance that goes in the end.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray
from machine import described
from numpy.typing import NDArray
from verdicts_runs import COLLAPSING, HEALTHY, LOGGED, RUNS, SAMPLES, Run, recorded

from eigendyn.recording.sampling import LEAST
from eigendyn.recording.seen import seen
from eigendyn.recording.verdict import FEWEST, Check, judge
from eigendyn.results.files import load, save

EVERY = 2  # recordings between two at which a record is judged …
EARLY = 20  # … which it is at every one before
SEED = 13  # of the page
LOOKED_AT = (
    ", of which “conv: cosine, no stop-gradient” was looked at before the share of the mean became "
    "a sign"
)
TUNED = (1, 2, 3)  # seeds on which thresholds were chosen, of these runs and of others like them


def main() -> None:
    """Train what is missing, judge it, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--kept", type=Path, default=None)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    rows, of_batches = [], []
    for number, run in enumerate(RUNS):
        same, *others = _records(run, number, chosen)
        rows.append(judged(run, same, same))
        of_batches += [judged(run, other, same) for other in others]
    text = "\n".join(lines(rows, of_batches, chosen.seed)) + "\n"
    print(text)
    if chosen.write:
        (Path(__file__).parent / "verdicts.md").write_text(text, encoding="utf-8")


def _records(run: Run, number: int, chosen: argparse.Namespace) -> list[xarray.Dataset]:
    if chosen.kept is None:
        return recorded(run, chosen.seed)
    chosen.kept.mkdir(parents=True, exist_ok=True)
    names = ("same",) if run.start else ("same", "batches")
    paths = [chosen.kept / f"{number:02d}-{name}.nc" for name in names]
    if not paths[-1].exists():
        for record, path in zip(recorded(run, chosen.seed), paths, strict=True):
            save(record, path, force=True)
    return [load(path) for path in paths]


def judged(run: Run, record: xarray.Dataset, truth: xarray.Dataset) -> dict[str, object]:
    """What becomes of a run, what was said of it at the end, and when first that it is not well.

    What is lost when is told by the record of the same network on the same pairs all the time,
    whose scatter is small.
    """
    last = record.sizes["time"]
    looks = sorted({*range(FEWEST, min(EARLY, last)), *range(last, EARLY, -EVERY)})
    told: list[Check | None] = [judge(record.isel(time=slice(0, count))) for count in looks]
    alarms = [
        count - 1
        for count, check in zip(looks, told, strict=True)
        if check is not None and check.healthy is False
    ]
    left = _left(truth)
    half = int(np.flatnonzero(left >= (left.max() + left[-1]) / 2)[-1])
    first = alarms[0] if alarms else None
    end = told[-1]
    verdict = "none" if end is None else end.verdict
    steps, true_steps = record["step"].values, truth["step"].values
    then = float("nan") if first is None else np.interp(steps[first], true_steps, left)
    return {
        "run": run,
        "verdict": verdict,
        "is_right": end is not None and end.healthy is (run.label == HEALTHY),
        "alarms": len(alarms),
        "looks": len(looks),
        "first": first,
        "half": int(np.searchsorted(steps, true_steps[half], side="right")) - 1,
        "left": float(then / max(left.max(), LEAST)),
        "is_early": first is not None and steps[first] <= true_steps[half],
    }


def _left(record: xarray.Dataset) -> NDArray:
    """Of what a collapse takes, how much there is (times,).

    It is the variance of all modes; where the loss does not see the scale, the rank less one.
    """
    found = seen(record)
    what = found.rank - 1 if found.scale_free else found.total
    return np.interp(record["time"].values, found.times, what)


def lines(rows: list[dict], of_batches: list[dict], seed: int) -> Iterator[str]:
    """All lines of the page."""
    healthy = sum(row["run"].label == HEALTHY for row in rows)
    yield "# Verdicts on labelled runs"
    yield ""
    yield (
        f"{len(rows)} runs, {healthy} of them healthy, each judged by the record so far at every "
        "second recording. Labels follow from the settings ([verdicts_runs.py](verdicts_runs.py)). "
        f"Thresholds were chosen on seeds {', '.join(map(str, TUNED))}; this is seed {seed}"
        f"{LOOKED_AT if seed == SEED else ''}. "
        "Linear networks: 10 modes, batches of 256, recorded 201 times. Conv nets and mlps: "
        "scikit-learn's digits, 16 dimensions, batches of 128, 40 epochs of 11 steps, with a "
        f"`SpectrumLog` every {LOGGED} steps. Both are recorded on the same {SAMPLES:,} pairs of "
        "views all the time."
    )
    yield ""
    yield from _table(rows)
    yield ""
    yield (
        "Alarms: recordings at which it was said not to be healthy, of all that were judged. "
        "First at, half gone at: numbers of recordings from zero. Left then: of the variance, or "
        "of the rank less one under a loss that does not see the scale, over its largest."
    )
    yield ""
    yield (
        f"A verdict needs {FEWEST} recordings: what loses half in fewer is announced late. A fall "
        "is told from one to a fixed point by best estimate of where it would end, so that a "
        "healthy network that loses most of its variance at first, as some on images do, is "
        "doubted while it does."
    )
    yield ""
    yield "## The same networks, logged from their batches"
    yield ""
    yield (
        f"Here the log sees the views of the batches as they are trained on, {LOGGED} batches, 256 "
        "pairs, to a recording, always fresh ones, which scatter by a tenth and more from one to "
        "the next. Where half is gone is told by the record on the same pairs. By how much "
        "the whole variance falls is known after n recordings to about 0.1 √(12/n³) each: a fall "
        "by half is seen beyond doubt where it takes ten recordings or more, and whether it slows "
        "down is hardly told before that."
    )
    yield ""
    yield from _table(of_batches)
    yield ""
    yield described(("numpy", "jax", "equinox", "xarray"))


def _table(rows: list[dict]) -> Iterator[str]:
    wrong = [row for row in rows if not row["is_right"]]
    healthy = [row for row in rows if row["run"].label == HEALTHY]
    collapses = [row for row in rows if row["run"].label == COLLAPSING]
    early = [row for row in collapses if row["is_early"]]
    passing = [row for row in healthy if row["alarms"]]
    yield f"- Wrong at the end: {len(wrong)} of {len(rows)}."
    yield (
        f"- Collapses announced before half of what goes in the end had gone: {len(early)} of "
        f"{len(collapses)}."
    )
    yield (
        f"- Healthy runs of which something else was said on the way: {len(passing)} of "
        f"{len(healthy)}."
    )
    yield ""
    yield "| run | label | verdict at the end | alarms | first at | half gone at | left then |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        run = row["run"]
        is_collapse = run.label == COLLAPSING
        cells = (
            run.name,
            run.label,
            f"{row['verdict']}{'' if row['is_right'] else ' (wrong)'}",
            f"{row['alarms']} of {row['looks']}",
            "–" if row["first"] is None else f"{row['first']}",
            f"{row['half']}" if is_collapse else "–",
            f"{100 * row['left']:.0f} %" if is_collapse and row["first"] is not None else "–",
        )
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
