"""Say in a table, or for a script, what networks have learned of images, and what they have not."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.results.labelled import check_training
from eigendyn.settings.training import OF_VIEWS
from eigendyn.settings.wording import told
from eigendyn.show.report import SCHEMA_VERSION
from eigendyn.show.report.layout import aligned, listed, number
from eigendyn.show.report.mean import CHANCE, Mean, plain

if TYPE_CHECKING:
    import xarray

READOUTS = {"linear": "linear", "knn": "k-NN"}
SHARES = (0.1, 0.3, 1.0)  # of the training, at which readouts are told
GAIN = 0.9  # of the way from the untrained to the final accuracy
ENDS = {"rankme": "effective rank", "mean_share": "constant part", "alignment": "alignment"}


def summary(dataset: xarray.Dataset) -> dict[str, Any]:
    """Summarise a training for scripts, ready for JSON.

    Args:
        dataset: A result of `train`.

    Returns:
        Means over seeds with their standard errors. By readout, its accuracy on test images at
        10 %, 30 % and 100 % of the training, beside that of raw pixels and of the untrained
        encoder; the epochs to 90 % of its gain; whether it is above both. Then the number of
        recruited modes; effective rank, constant part and alignment at start and end; forecast,
        warnings and statuses. Numbers that are not finite are None.
    """
    check_training(dataset)
    attrs = dataset.attrs
    return {
        "schema_version": SCHEMA_VERSION,
        **{key: attrs[key] for key in ("loss", "network", "data")},
        "seeds": dataset.sizes["seed"],
        "epochs": number(dataset["epoch"].values[-1]),
        "readout": {name: _readout(dataset, name) for name in readouts(dataset)},
        "modes": dataset.sizes["mode"],
        "recruited_modes": Mean.of(recruited(dataset)).plain,
        **{name: _ends(dataset, name) for name in ENDS},
        "forecast": {key: plain(value) for key, value in _forecast(dataset).items()},
        "warning_epoch": [number(epoch) for epoch in _warned(dataset)],
        "status": dataset["status"].values.tolist(),
        "stopped_epoch": [number(epoch) for epoch in dataset["stopped_epoch"].values],
        "message": attrs.get("message", ""),
        "settings": json.loads(attrs["settings"]),
    }


def table(dataset: xarray.Dataset) -> str:
    """Lay out for a terminal what was learned, how soon, and beside what it has to stand.

    Args:
        dataset: A result of `train`.

    Returns:
        One row for each readout: its accuracy [%] of the untrained encoder, at 10 %, 30 % and 100 %
        of the training, and of raw pixels; the epochs to 90 % of its gain. Then whether that is
        learning, the spectrum, the forecast, warnings and status.
    """
    check_training(dataset)
    names = readouts(dataset)
    facts = listed(_facts(dataset))
    if not names:
        return "\n".join(facts)
    epochs = [dataset["epoch"].values[_place(dataset, share)] for share in SHARES]
    at = [
        f"{share:.0%} (epoch {epoch:g})" if epoch else f"{share:.0%} (–)"
        for share, epoch in zip(SHARES, epochs, strict=True)
    ]
    rows: list[tuple[str, ...]] = [
        ("readout [%]", "untrained", *at, "raw pixels", f"epochs to {GAIN:.0%} of gain")
    ]
    for name in names:
        accuracy = dataset[f"{name}_accuracy"].values
        means = [Mean.of(accuracy[:, 0]), *(_at(dataset, name, share) for share in SHARES)]
        rows.append(
            (
                READOUTS[name],
                *(mean.told(0.01) for mean in means),
                f"{100 * dataset.attrs[f'raw_{name}_accuracy']:.1f}",
                Mean.of(epochs_to_gain(accuracy, dataset["epoch"].values)).told(),
            )
        )
    return "\n".join([*aligned(rows, left=1), "", *facts])


def readouts(dataset: xarray.Dataset) -> list[str]:
    """Names of the readouts that were taken; without labels there are none."""
    return [name for name in READOUTS if f"{name}_accuracy" in dataset]


def epochs_to_gain(accuracy: NDArray, epochs: NDArray) -> NDArray:
    """When 90 % of the way from the untrained to the final accuracy was first gone.

    Args:
        accuracy: Over (seeds, times), the untrained encoder's first.
        epochs: At these times (times,).

    Returns:
        Epochs (seeds,), on a straight line between saved ones; NaN of a seed that gained nothing.
    """
    found = np.full(len(accuracy), np.nan)
    for seed, line in enumerate(accuracy):
        goal = line[0] + GAIN * (line[-1] - line[0])
        if not line[-1] > line[0]:  # nor if it is not known
            continue
        after = int(np.argmax(line >= goal))
        share = (goal - line[after - 1]) / (line[after] - line[after - 1])
        found[seed] = epochs[after - 1] + share * (epochs[after] - epochs[after - 1])
    return found


def recruited(dataset: xarray.Dataset) -> NDArray:
    """Number of recruited modes (seeds,), in the sense of a cross-check on data.

    Such a mode ends with at least half of the largest variance, and began below half of its own
    end; both are counted in shares of the largest at that time, since losses without a scale shrink
    all of them together: beside the largest mode. NaN of a seed that did not complete.
    """
    from eigendyn.crosschecks.on_data import recruitment_times

    times = recruitment_times(shares(dataset), dataset["time"].values)
    count = np.isfinite(times).sum(axis=1).astype(float)
    return np.where(dataset["status"].values == "completed", count, np.nan)


def shares(dataset: xarray.Dataset) -> NDArray:
    """Variances over the largest at the same time (seeds, modes, times)."""
    variance = dataset["variance"].values
    return variance / variance[:, :1]


def shortfall(dataset: xarray.Dataset, name: str) -> list[str]:
    """Say beside which readouts the final one is not above; nothing if it is above both.

    To be above is to exceed in the mean over seeds, if there are several beyond chance
    (`Mean.sign`). The untrained encoder is compared seed by seed.
    """
    accuracy = dataset[f"{name}_accuracy"].values
    others = {
        "raw pixels": np.full(len(accuracy), dataset.attrs[f"raw_{name}_accuracy"]),
        "the untrained encoder": accuracy[:, 0],
    }
    found = []
    for words, other in others.items():
        if Mean.of(accuracy[:, -1] - other).sign <= 0:
            found.append(words)
    return found


def per_network(values: xarray.DataArray) -> xarray.DataArray:
    """A measure over (seed, time): of one that every mode has, the mean over modes."""
    return values.mean("mode") if "mode" in values.dims else values


def fate(dataset: xarray.Dataset) -> str:
    """Say how the seeds ended: "completed", or how many did not, and when."""
    status, stopped = dataset["status"].values, dataset["stopped_epoch"].values
    failed = np.flatnonzero(status != "completed")
    if not failed.size:
        return "completed"
    kinds = " or ".join(sorted({str(status[seed]) for seed in failed}))
    epochs = ", ".join(f"{stopped[seed]:g}" for seed in failed)
    return f"{failed.size} of {status.size} seeds {kinds}, at epoch {epochs}"


def _place(dataset: xarray.Dataset, share: float) -> int:
    """The saved time that is nearest to a share of the training."""
    epochs = dataset["epoch"].values
    return int(np.abs(epochs - share * epochs[-1]).argmin())


def _at(dataset: xarray.Dataset, name: str, share: float) -> Mean:
    return Mean.of(dataset[f"{name}_accuracy"].values[:, _place(dataset, share)])


def _readout(dataset: xarray.Dataset, name: str) -> dict[str, Any]:
    accuracy, epochs = dataset[f"{name}_accuracy"].values, dataset["epoch"].values
    below = shortfall(dataset, name)
    return {
        "raw_pixels": number(dataset.attrs[f"raw_{name}_accuracy"]),
        "untrained": Mean.of(accuracy[:, 0]).plain,
        "at": [
            {
                "share": share,
                "epoch": number(epochs[_place(dataset, share)]),
                **_at(dataset, name, share).plain,
            }
            for share in SHARES
        ],
        "epochs_to_90_percent_of_gain": Mean.of(epochs_to_gain(accuracy, epochs)).plain,
        "learned": not below,
        "not_above": below,
    }


def _ends(dataset: xarray.Dataset, name: str) -> dict[str, Any]:
    values = per_network(dataset[name]).values
    return {when: Mean.of(values[:, place]).plain for when, place in _FIRST_AND_LAST.items()}


_FIRST_AND_LAST = {"initial": 0, "final": -1}


def _warned(dataset: xarray.Dataset) -> NDArray:
    """Epoch at which collapse was foretold (seeds,); NaN where it was not."""
    if "warning_epoch" not in dataset:
        return np.full(dataset.sizes["seed"], np.nan)
    return dataset["warning_epoch"].values


def _forecast(dataset: xarray.Dataset) -> dict[str, Any]:
    """What is known of the theory's forecast; nothing where there is none."""
    if "forecast_explained" not in dataset:
        return {}
    return {
        "epoch": float(dataset.attrs["forecast_epoch"]),
        "explained": Mean.of(dataset["forecast_explained"].values),
        "status": dataset["forecast_status"].values.tolist(),
    }


def _foretold(forecast: dict[str, Any]) -> str:
    """Say how much the forecast explains, and of which seeds it is not known."""
    explained, ends = forecast["explained"], set(forecast["status"])
    if ends == {"none"}:
        return "none: nothing was measured after a tenth of the epochs"
    ended = sorted({status.rstrip(".") for status in ends} - {"completed"})
    without = f"; not known of some seeds: {'; '.join(ended)}" if ended else ""
    if not explained.seeds:
        return without.removeprefix("; ") or "not known"
    return (
        f"from epoch {forecast['epoch']:g} on the theory explains {explained.told()} of the change "
        f"of ln v (1: all, 0: no more than that nothing changes){without}"
    )


def _facts(dataset: xarray.Dataset) -> Iterator[tuple[str, str]]:
    attrs, seeds = dataset.attrs, dataset.sizes["seed"]
    yield "loss", told(attrs["loss"], json.loads(attrs["settings"]), without=OF_VIEWS)
    several = f"{seeds} seeds, mean ± standard error" if seeds > 1 else "1 seed, so no errors"
    last = dataset["epoch"].values[-1]
    yield "network", f"{attrs['network']} on {attrs['data']}, {last:g} epochs; {several}"
    names = readouts(dataset)
    if not names:
        yield "readout", "none, since the images have no labels"
    for name in names:
        yield "learned", _claim(dataset, name)
    ends = {
        name: [Mean.of(per_network(dataset[name]).values[:, at]) for at in (0, -1)] for name in ENDS
    }
    yield (
        "spectrum",
        f"{Mean.of(recruited(dataset)).told()} of {dataset.sizes['mode']} modes recruited: from "
        "below half of their own end share to half of the largest or more",
    )
    changes = (
        f"{ENDS[name]} {first.told()} → {last.told()}" for name, (first, last) in ends.items()
    )
    yield "measures", "; ".join(changes)
    if forecast := _forecast(dataset):
        yield "forecast", _foretold(forecast)
    for seed, epoch in zip(dataset["seed"].values, _warned(dataset), strict=True):
        if math.isfinite(epoch):
            said = dataset["warning"].sel(seed=seed).item()
            yield "warning", f"seed {seed}, epoch {epoch:g}: {said}"
    yield "status", f"{fate(dataset)}. {attrs.get('message', '')}".strip()


def _claim(dataset: xarray.Dataset, name: str) -> str:
    """Say of a readout whether it is learning, and why not."""
    accuracy = dataset[f"{name}_accuracy"].values
    end, before = Mean.of(accuracy[:, -1]), Mean.of(accuracy[:, 0])
    raw = dataset.attrs[f"raw_{name}_accuracy"]
    sure = f", beyond chance (paired t test, {CHANCE:.1%})" if end.seeds > 1 else ""
    beside = f"raw pixels {raw:.1%}, untrained encoder {before.value:.1%}"
    below = shortfall(dataset, name)
    head = f"by the {READOUTS[name]} readout"
    if not end.seeds:
        return f"not known, {head}: no seed completed"
    if not below:
        return f"yes, {head}: {end.value:.1%} is above both{sure}: {beside}"
    told = f" by more than chance (paired t test, {CHANCE:.1%})" if end.seeds > 1 else ""
    return f"no, {head}: {end.value:.1%} is not above {' nor '.join(below)}{told}: {beside}"
