"""Label what was measured of networks that were trained on images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from eigendyn.results.provenance import provenance
from eigendyn.theory.losses import chosen_loss
from eigendyn.training.checkpoint import Records
from eigendyn.training.course import Course
from eigendyn.training.foretell import explained
from eigendyn.training.observed import KEPT, as_measured
from eigendyn.training.readout import fitted_rows, readouts

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

KIND = "training on images"
EACH, EVERY = ("seed", "time"), ("seed", "mode", "time")
_COLUMNS: dict[str, tuple[tuple[str, ...], str, str]] = {  # axes, what it is, unit
    "loss": (EACH, "mean loss of the epoch's batches", ""),
    "linear_accuracy": (EACH, "linear readout of features, test images", "1"),
    "knn_accuracy": (EACH, "k-nearest-neighbour readout of features, test images", "1"),
    "rankme": (EACH, "effective rank of the embeddings (RankMe, uncentred)", "1"),
    "mean_share": (EACH, "‖E z‖² / E‖z‖², 1 of a constant representation", "1"),
    "variance": (EVERY, "variance of the mode, eigenvalue of E[z1 z2ᵀ]", "variance"),
    "noise1": (EVERY, "noise of the mode in the first view", "variance"),
    "noise2": (EVERY, "noise of the mode in the second view", "variance"),
    "target_variance": (EVERY, "variance of the mode in the target", "variance"),
    "predictor_eigenvalue": (EVERY, "predictor along the mode, uᵀW_P u", "variance^α"),
    "drive": (EVERY, "what the loss drives the mode by, E[z δ]", "variance/time"),
    "alignment": (EVERY, "cosine of the angle between W_P u and u", "1"),
    "gain": (EVERY, "gain that the mode had when it was last measured, κ", "1"),
    "layers": (EVERY, "layers that weight decay acted on then, L", "1"),
    "growth_rate": (EVERY, "theory's d ln v/dt of the mode, by its own drive and decay", "1/time"),
}


def labelled(course: Course, runs: Sequence[Records], device: str) -> xarray.Dataset:
    """Label the measures of every seed, as a dataset over seed, mode and time.

    Args:
        course: What was trained.
        runs: What was measured of each network (times, …); shorter where one diverged.
        device: Where it was trained.
    """
    import xarray

    chosen, images = course.chosen, course.images
    title = chosen_loss(course.given, chosen).name
    epochs = np.array(course.saved)
    steps = epochs * course.steps_per_epoch
    variables: dict[str, Any] = {
        name: (
            axes,
            _together([run[name] for run in runs], len(epochs)),
            _label(*words),
        )
        for name, (axes, *words) in _COLUMNS.items()
        if name in runs[0]
    }
    stopped = np.array([int(run["stopped"]) for run in runs])
    status = np.where(stopped < 0, "completed", "diverged")
    variables["status"] = ("seed", status, _label("how the training ended", ""))
    where = np.where(stopped < 0, np.nan, stopped)
    variables["stopped_epoch"] = ("seed", where, _label("epoch in which it diverged", "epochs"))
    variables |= _foretold(course, runs)
    message = "; ".join(
        f"the network of seed {number} diverged in epoch {epoch}: its loss or weights are no "
        "numbers"
        for number, epoch in enumerate(stopped)
        if epoch >= 0
    )
    return xarray.Dataset(
        variables,
        {
            "seed": np.arange(len(runs)),
            "mode": ("mode", np.arange(chosen.embedding), _label("mode, largest first", "1")),
            "time": (
                "time",
                steps * chosen.learning_rate,
                _label("training time", "learning rate × step"),
            ),
            "epoch": ("time", epochs, _label("epoch", "epochs")),
            "step": ("time", steps, _label("training step", "steps")),
        },
        {
            "title": f"{title}, trained on {images.name}",
            "kind": KIND,
            "loss": title,
            "network": chosen.network,
            "data": images.name,
            "augment": chosen.augment,
            "augment2": str(chosen.augment2),
            "forecast_epoch": course.forecast_epoch,
            "images": len(images.train),
            "test_images": len(images.test),
            **_raw(course),
            "settings": json.dumps(asdict(chosen), ensure_ascii=False),
            "status": "completed" if (stopped < 0).all() else "diverged",
            "message": message,
            **provenance(device, chosen.dtype),
        },
    )


def _foretold(course: Course, runs: Sequence[Records]) -> dict[str, Any]:
    """Forecasts, how much of the change they explain, and warnings."""
    forecasts = np.stack([run["forecast"] for run in runs])
    place = course.saved.index(course.forecast_epoch)
    explains = [_explained(run, place) for run in runs]
    warned = np.array([float(run["warned"]) for run in runs])
    return {
        "forecast": (EVERY, forecasts, _label("variance that the theory foretells", "variance")),
        "forecast_explained": (
            "seed",
            np.array(explains),
            _label("share of the change of ln v that the forecast explains", "1"),
        ),
        "forecast_status": (
            "seed",
            np.array([str(run["forecast_status"]) for run in runs]),
            _label("how the theory's own run ended", ""),
        ),
        "warning_epoch": (
            "seed",
            np.where(warned < 0, np.nan, warned),
            _label("epoch of the first warning of collapse", "epochs"),
        ),
        "warning": (
            "seed",
            np.array([str(run["warning"]) for run in runs]),
            _label("what it said", ""),
        ),
    }


def _explained(run: Records, place: int) -> float:
    """How much the forecast explains of what came after it; NaN where nothing did."""
    if len(run["epoch"]) <= place + 1 or str(run["forecast_status"]) != "completed":
        return np.nan
    then = as_measured({name: run[name][place] for name in KEPT})
    foretold = run["forecast"][:, place + 1 : len(run["epoch"])]
    return explained(foretold, run["variance"][place + 1 :].T, then)


def _together(values: Sequence[NDArray], times: int) -> NDArray:
    """Measures (seeds, …, times) of runs (times, …), NaN after one has diverged."""
    shape = (len(values), times, *values[0].shape[1:])
    every = np.full(shape, np.nan)
    for place, one in enumerate(values):
        every[place, : len(one)] = one
    return np.moveaxis(every, 1, -1)


def _raw(course: Course) -> Mapping[str, float]:
    """Readouts of the pixels themselves, and how many images are fitted."""
    images = course.images
    if images.train_labels is None:
        return {}
    found = readouts(lambda pixels: pixels, images)
    fitted = {"readout_images": len(fitted_rows(images.train_labels))}
    return fitted | {f"raw_{name}": value for name, value in found.items()}


def _label(long_name: str, units: str) -> dict[str, str]:
    return {"long_name": long_name, "units": units}
