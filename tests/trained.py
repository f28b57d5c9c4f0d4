"""Make the result of a training whose every number is known, in the layout of `eigendyn.train`."""

import json
from dataclasses import asdict

import numpy as np
import xarray

from eigendyn.settings.run_settings import Settings

EPOCHS = np.array([0.0, 1, 2, 4, 6, 10, 20, 30, 40, 60, 80, 100])
RATE = 0.03  # learning rate
STEPS = 11  # of an epoch
FORECAST_FROM = 2


def trained(loss="cosine", *, seeds=3, modes=6, labels=True, diverged=(), speed=1.0, **settings):
    """Modes that grow logistically one after the other, the last two never, on digits.

    Args:
        loss: Name of the loss.
        seeds: Number of seeds; they differ by a few percent.
        modes: Number of modes.
        labels: Whether there are readouts.
        diverged: Seeds that stop at epoch 10.
        speed: Of learning.
        settings: Further fields of the settings.
    """
    rng = np.random.default_rng(0)
    time = RATE * STEPS * EPOCHS
    each = 1 + 0.05 * rng.standard_normal((seeds, modes, 1))
    arrives = 4.0 * (1 + np.arange(modes))[:, None] / speed
    ends = np.where(np.arange(modes) < modes - 2, 1.0, 0.01)[:, None]
    variance = each * ends / (1 + np.exp(-(time - arrives)))
    variance = np.sort(variance, axis=1)[:, ::-1]
    forecast = np.where(EPOCHS < FORECAST_FROM, np.nan, 1.1 * variance)
    gained = 1 - np.exp(-speed * EPOCHS / 10)
    per_seed = 1 + 0.002 * rng.standard_normal((seeds, 1))
    dims = ("seed", "mode", "time")
    held = {
        "loss": (dims[::2], np.where(EPOCHS == 0, np.nan, -gained) * per_seed),
        "variance": (dims, variance),
        "noise1": (dims, 0.1 * variance),
        "noise2": (dims, 0.1 * variance),
        "predictor_eigenvalue": (dims, np.sqrt(variance)),
        "alignment": (dims, (0.5 + 0.4 * gained) * per_seed[:, None] * np.ones((modes, 1))),
        "target_variance": (dims, variance),
        "gain": (dims, np.ones_like(variance)),
        "drive": (dims, 0.01 * variance),
        "layers": (dims, 4 * np.ones_like(variance)),
        "rankme": (dims[::2], (1 + 3 * gained) * per_seed),
        "mean_share": (dims[::2], (0.7 - 0.2 * gained) * per_seed),
        "growth_rate": (dims, np.gradient(np.log(variance), time, axis=-1)),
        "forecast": (dims, forecast),
    }
    if labels:
        held["linear_accuracy"] = (dims[::2], (0.92 + 0.06 * gained) * per_seed)
        held["knn_accuracy"] = (dims[::2], (0.94 + 0.03 * gained) * per_seed)
    chosen = Settings(loss=loss, **{"alpha": 0.5, "learning_rate": RATE, **settings})
    more = {"network": "conv", "embedding": modes, "epochs": 100, "batch": 128, "saves": 12}
    dataset = xarray.Dataset(
        {name: (axes, values, {"long_name": name}) for name, (axes, values) in held.items()},
        coords={
            "seed": np.arange(seeds),
            "time": time,
            "epoch": ("time", EPOCHS),
            "step": ("time", STEPS * EPOCHS),
        },
        attrs={
            "title": f"{loss} on digits",
            "loss": loss,
            "network": "conv",
            "data": "digits",
            "augment": "shift:1,noise:0.05",
            "augment2": "shift:1,noise:0.05",
            "settings": json.dumps(asdict(chosen) | more),
            "raw_linear_accuracy": 0.967,
            "raw_knn_accuracy": 0.986,
            "images": 1437,
            "test_images": 360,
            "forecast_epoch": FORECAST_FROM,
            "status": "completed",
            "message": "",
            "device": "cpu",
            "dtype": "float32",
        },
    )
    gone = np.isin(np.arange(seeds), diverged)
    over = xarray.DataArray(gone, dims="seed") & (dataset["epoch"] > 10)
    for name in dataset.data_vars:
        dataset[name] = dataset[name].where(~over)
    dataset["forecast_explained"] = "seed", np.linspace(0.8, 0.9, seeds)
    dataset["forecast_status"] = "seed", np.full(seeds, "completed")
    said = "The representation collapses: by the theory every mode shrinks."
    dataset["warning"] = "seed", np.where(gone, said, "")
    dataset["status"] = "seed", np.where(gone, "diverged", "completed")
    dataset["stopped_epoch"] = "seed", np.where(gone, 10.0, np.nan)
    dataset["warning_epoch"] = "seed", np.where(gone, 6.0, np.nan)
    return dataset
