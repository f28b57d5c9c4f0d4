"""Say which modes of trained networks were learned, and what keeps the others from it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.results.labelled import check_training
from eigendyn.results.outcome_words import COMPARABLE
from eigendyn.show.report import SCHEMA_VERSION
from eigendyn.show.report.layout import aligned
from eigendyn.show.report.mean import Mean, plain
from eigendyn.show.report.training import fate

if TYPE_CHECKING:
    import xarray

GROWN = 10.0  # times its first variance, from which a mode has grown
LATE = 0.5  # of the training, after which rates are averaged
CAUSES = {  # what a mode that was not learned is told, and what that means
    "slow": "it still grows, by the theory's growth rate",
    "decay": "it would grow without weight decay, and shrinks with it",
    "loss": "it would shrink without weight decay too: the loss drives it down, as where views "
    "share too little of it",
    "not told": "its growth rate is not told from zero",
}
MOST_ROWS = 20


def verdicts(dataset: xarray.Dataset) -> list[dict[str, Any]]:
    """What became of every mode, and why (modes,).

    A mode is the one of its rank at every time. It was learned if in most seeds it ends with at
    least half of the largest variance and began below half of its own, kept if it was large from
    the start, and grown if it ends smaller, but with ten times what it began with. For the others
    the growth rate d ln v/dt that the theory gives, and what it is without weight decay,
    d ln v/dt + 2 ω L/(1 − momentum), are averaged over the later half of the training, for each
    seed; they are above zero, below, or not told from zero by Student's t over seeds.

    Args:
        dataset: A result of `train`.

    Returns:
        By name: first and last variance, growth rate with and without decay, verdict and cause, one
        of `CAUSES` or empty.
    """
    check_training(dataset)
    ended = dataset.isel(seed=dataset["status"].values == "completed")
    variance, late = ended["variance"].values, _late(dataset["epoch"].values)
    first, last = variance[:, :, 0], variance[:, :, -1]
    is_large = last >= COMPARABLE * last[:, :1]
    said = {  # the first that holds in most seeds
        "learned": is_large & (first < COMPARABLE * last),
        "kept": is_large,
        "grown": (last > 0) & (last >= GROWN * first),
    }
    settings = json.loads(dataset.attrs["settings"])
    decay = 2 * settings["weight_decay"] / (1 - settings["momentum"])  # per learning rate × step
    rate = _averaged(ended["growth_rate"].values[:, :, late])
    driven = _averaged((ended["growth_rate"] + decay * ended["layers"]).values[:, :, late])
    found = []
    for mode in range(variance.shape[1]):
        in_most = [word for word, holds in said.items() if 2 * holds[:, mode].sum() > len(variance)]
        verdict = [*in_most, "not learned"][0] if len(variance) else "not known"
        rates = Mean.of(rate[:, mode]), Mean.of(driven[:, mode])
        found.append(
            {
                "initial_variance": Mean.of(first[:, mode]),
                "final_variance": Mean.of(last[:, mode]),
                "growth_rate": rates[0],
                "growth_rate_without_decay": rates[1],
                "verdict": verdict,
                "cause": _cause(*rates) if verdict == "not learned" else "",
            }
        )
    return found


def _late(epochs: NDArray) -> NDArray:
    return epochs >= LATE * epochs[-1]


def _averaged(rates: NDArray) -> NDArray:
    """Mean over times (seeds, modes) of rates that are numbers; NaN where there are none."""
    known = np.isfinite(rates)
    total = np.where(known, rates, 0).sum(axis=-1)
    return np.where(known.any(axis=-1), total / np.maximum(known.sum(axis=-1), 1), np.nan)


def _cause(rate: Mean, driven: Mean) -> str:
    if rate.sign > 0:
        return "slow"
    if driven.sign < 0:
        return "loss"
    return "decay" if rate.sign < 0 < driven.sign else "not told"


def summary(dataset: xarray.Dataset) -> dict[str, Any]:
    """Summarise the verdicts for scripts, ready for JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "loss": dataset.attrs["loss"],
        "status": fate(dataset),
        "modes": [{name: plain(value) for name, value in m.items()} for m in verdicts(dataset)],
    }


def table(dataset: xarray.Dataset) -> str:
    """Lay out for a terminal what became of the largest modes, and why the others were not learned.

    Args:
        dataset: A result of `train`.
    """
    found = verdicts(dataset)
    rows = [("mode", "initial variance", "final variance", "verdict", "growth rate", "because")]
    for mode, one in enumerate(found[:MOST_ROWS]):
        rows.append(
            (
                str(mode),
                one["initial_variance"].told(),
                one["final_variance"].told(),
                one["verdict"],
                f"{one['growth_rate'].value:+.2g}",
                one["cause"] or "–",
            )
        )
    lines = aligned(rows)
    if len(found) > MOST_ROWS:
        lines.append(f"… and {len(found) - MOST_ROWS} smaller modes")
    counts = Counter(one["verdict"] for one in found)
    causes = Counter(one["cause"] for one in found if one["cause"])
    lines += ["", ", ".join(f"{count} {word}" for word, count in counts.items()) + "."]
    lines += [f"{causes[word]} {word}: {CAUSES[word]}." for word in CAUSES if causes[word]]
    ended = fate(dataset)
    return "\n".join(lines if ended == "completed" else [*lines, f"{ended}; they are left out."])
