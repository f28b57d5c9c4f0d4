"""Train networks on the digits by every method, and test the paper's claims on them.

    python benchmarks/training.py [--parts figures/parts] [--effort full]

trains five networks for each row, or finds those that the figures of deep networks or an earlier
call have trained (`eigendyn figures 3 4 7 8 --networks deep` keeps them in the same folder), prints
the tables, and writes benchmarks/training.md. An interrupted call goes on where it was. Claims are
tested by paired differences over seeds, which share first weights, batches and augmentations.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray
from machine import described
from scipy import stats

from eigendyn.crosschecks.on_data import recruitment_times
from eigendyn.settings.choices import LOSS_NAMES
from eigendyn.settings.presets import METHODS
from eigendyn.show.paper.deep.runs import COMMON, RUNS, TARGETS, deep_run
from eigendyn.show.paper.work import Work
from eigendyn.show.report.mean import Mean
from eigendyn.show.report.training import epochs_to_gain, recruited, shares

SHARES = (0.1, 0.3, 1.0)
PLAIN = {"euclidean": "iso-euclidean", "cosine": "iso-cosine"}
FEW = 6  # leading modes whose order of recruitment is looked at

ROWS = {
    **{f"{loss}-{target}": RUNS[f"{loss}-{target}"] for loss in LOSS_NAMES for target in TARGETS},
    **{f"preset-{name}": {**COMMON, **chosen} for name, chosen in METHODS.items()},
}


def main() -> None:
    """Train what is missing, print the tables, and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", type=Path, default=Path("figures/parts"))
    parser.add_argument("--effort", default="full", choices=("quick", "full"))
    chosen = parser.parse_args()
    chosen.parts.mkdir(parents=True, exist_ok=True)
    work = Work(effort=chosen.effort, progress=True, parts=chosen.parts)
    runs = {name: deep_run(name, wanted, work) for name, wanted in ROWS.items()}
    text = "\n".join(lines(runs)) + "\n"
    print(text)
    if chosen.effort == "full":
        (Path(__file__).parent / "training.md").write_text(text, encoding="utf-8")


def lines(runs: dict[str, xarray.Dataset]) -> Iterator[str]:
    """All lines of the page."""
    first = next(iter(runs.values()))
    attrs, epochs = first.attrs, first["epoch"].values
    untrained = Mean.of(first["linear_accuracy"].values[:, 0])
    yield "# Networks trained on digits"
    yield ""
    yield (
        f"{first.sizes['seed']} {attrs['network']} networks for each row, {attrs['images']:,} "
        f"images ({attrs['augment']}), {epochs[-1]:g} epochs; accuracy in % on "
        f"{attrs['test_images']} test images, mean ± standard error over seeds. Linear readouts of "
        f"raw pixels: {100 * attrs['raw_linear_accuracy']:.1f}; of the untrained encoder: "
        f"{untrained.told(0.01)}. One test image is {100 / attrs['test_images']:.2f} %. Epochs to "
        "90 % are those of the way from the untrained to the final accuracy. A mode is recruited "
        "that grew from below half of its own end to half of the largest or more, in shares of the "
        "largest. The predictor is C^½ of a running correlation (momentum 0.3) in the first eight "
        "rows, and the method's own in the others. Explained: share "
        f"of the change of ln v after epoch {attrs['forecast_epoch']} that the theory foretold."
    )
    yield ""
    yield (
        "| method | linear at "
        + " | ".join(f"{share:.0%}" for share in SHARES)
        + " | k-NN at 100% | epochs to 90 % | modes recruited | rank at 10% | rank | explained |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name, run in runs.items():
        yield f"| {name} | {' | '.join(row(run))} |"
    yield ""
    yield "## The paper's claims"
    yield ""
    yield (
        "Differences over the same seeds, with the two-sided p of Student's paired t test, of one "
        "row by itself: of so many, one in twenty falls below 0.05 by chance. Seeds differ in "
        "weights, batches and augmentations, not in the test images, of which an accuracy of 97 % "
        "has a standard error of 0.9 %. No difference told from chance is no proof that there is "
        "none."
    )
    yield ""
    yield "| claim | measured by | difference | p |"
    yield "|---|---|---|---|"
    yield from claims(runs)
    yield ""
    packages = ("jax", "jaxlib", "equinox", "optax", "scikit-learn", "numpy")
    yield described(packages)


def at(run: xarray.Dataset, name: str, share: float) -> np.ndarray:
    """What was measured of every seed at a share of the training."""
    epochs = run["epoch"].values
    return run[name].values[..., int(np.argmin(np.abs(epochs - share * epochs[-1])))]


def row(run: xarray.Dataset) -> Iterator[str]:
    """Cells of one method."""
    for share in SHARES:
        yield Mean.of(at(run, "linear_accuracy", share)).told(0.01)
    yield Mean.of(at(run, "knn_accuracy", 1.0)).told(0.01)
    yield Mean.of(epochs_to_gain(run["linear_accuracy"].values, run["epoch"].values)).told()
    yield Mean.of(recruited(run)).told()
    for share in (SHARES[0], SHARES[-1]):
        yield Mean.of(at(run, "rankme", share)).told()
    yield Mean.of(run["forecast_explained"].values).told()


def claims(runs: dict[str, xarray.Dataset]) -> Iterator[str]:
    """Rows of what the paper says, as differences with their test."""
    for plain, isotropic in PLAIN.items():
        for target in TARGETS:
            one, other = runs[f"{plain}-{target}"], runs[f"{isotropic}-{target}"]
            who = f"{isotropic} over {plain}, target {target}"
            for name, what, unit in (
                ("linear_accuracy", "linear accuracy at 10%, %", 0.01),
                ("rankme", "effective rank at 10%", 1.0),
            ):
                yield tested(
                    "isotropic losses learn earlier",
                    f"{who}: {what}",
                    at(other, name, 0.1) - at(one, name, 0.1),
                    unit,
                )
    for plain, isotropic in PLAIN.items():
        for target in TARGETS:
            one, other = runs[f"{plain}-{target}"], runs[f"{isotropic}-{target}"]
            yield tested(
                "plain losses recruit modes one after another",
                f"{plain} over {isotropic}, target {target}: spread of recruitment of modes 2 to "
                f"{FEW}, in ln(epochs)",
                spread(one) - spread(other),
            )
    for plain, isotropic in PLAIN.items():
        gained = [
            at(runs[f"{loss}-ema"], "linear_accuracy", 1.0)
            - at(runs[f"{loss}-shared"], "linear_accuracy", 1.0)
            for loss in (plain, isotropic)
        ]
        yield tested(
            "an EMA target helps plain losses more",
            f"what it adds under {plain}, less what it adds under {isotropic}: linear accuracy at "
            "the end, %",
            gained[0] - gained[1],
            0.01,
        )
    for loss in LOSS_NAMES:
        one, other = runs[f"{loss}-ema"], runs[f"{loss}-shared"]
        claim = (
            "isotropic losses need no EMA target" if "iso" in loss else "plain losses do need it"
        )
        yield tested(
            claim,
            f"{loss}, EMA over shared: linear accuracy at the end, %",
            at(one, "linear_accuracy", 1.0) - at(other, "linear_accuracy", 1.0),
            0.01,
        )


def spread(run: xarray.Dataset) -> np.ndarray:
    """Standard deviation of ln(epoch) at which leading modes are recruited (seeds,).

    Variances are counted in shares of the largest; NaN where fewer than three of them are
    recruited.
    """
    times = recruitment_times(shares(run), run["epoch"].values)[:, 1:FEW]
    known = np.isfinite(times)
    few = [
        np.log(one[told]).std() if told.sum() > 2 else np.nan
        for one, told in zip(times, known, strict=True)
    ]
    return np.array(few)


def tested(claim: str, measured: str, differences: np.ndarray, unit: float = 1.0) -> str:
    """A row with a paired difference."""
    known = differences[np.isfinite(differences)]
    seeds = "" if len(known) == len(differences) else f" ({len(known)} seeds)"
    p = stats.ttest_1samp(known, 0.0).pvalue if len(known) > 1 and np.ptp(known) else np.nan
    told = f"{p:.2g}" if np.isfinite(p) else "–"
    return f"| {claim} | {measured} | {Mean.of(known).told(unit)}{seeds} | {told} |"


if __name__ == "__main__":
    main()
