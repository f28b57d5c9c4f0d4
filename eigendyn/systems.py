"""Nothing enters; every system that the theory covers, cross-checked against networks, leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray
from tqdm.auto import tqdm

from eigendyn.agreement import FALSE_ALARM
from eigendyn.choices import LOSS_NAMES
from eigendyn.crosschecks import DEFAULT_SEEDS, crosscheck
from eigendyn.result import provenance
from eigendyn.start import random_weights

MODES, INPUTS = 4, 6
DEFAULT_BATCH, DEFAULT_STEPS = 2_000, 300
EVERY_TERM = {"sigma1": 0.2, "sigma2": 0.3, "weight_decay": 0.01}  # so that none goes unchecked
EMA = {"target": "ema", "ema": 0.95, "learning_rate": 0.05}  # noise grows under a lagging target
SAVES = 31


def systems() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every system by name, with its settings: loss, variant, exponents."""
    variants = [
        ("", {}),
        (", no predictor", {"predictor": False}),
        (", no stop-gradient", {"stop_gradient": False}),
        (", neither", {"predictor": False, "stop_gradient": False}),
    ]
    for loss in LOSS_NAMES:
        for name, variant in variants:
            yield f"{loss}{name}", {"loss": loss, **variant}
        yield f"{loss}, α = 1/2", {"loss": loss, "alpha": 0.5}
        yield f"{loss}, EMA target", {"loss": loss, **EMA}
    for loss in ("euclidean", "cosine"):
        yield f"{loss}, β = 1/2", {"loss": loss, "beta": 0.5}


def crosscheck_all(
    *,
    batch: int = DEFAULT_BATCH,
    seeds: int = DEFAULT_SEEDS,
    steps: int = DEFAULT_STEPS,
    false_alarm: float = FALSE_ALARM,
    seed: int = 0,
    progress: bool = False,
) -> xarray.Dataset:
    """Cross-check every loss, variant and exponent on a small network with noises and decay.

    Args:
        batch: Samples drawn for every step, and a quarter of them for a second group.
        seeds: Networks in each group, for every system.
        steps: Training steps.
        false_alarm: Probability with which any system is called wrong if the theory is true.
        seed: Seed of all batches.
        progress: Show a progress bar on standard error.

    Returns:
        Dataset over system: verdict, largest and allowed deviation [standard errors], median
        relative deviation of variances, modes.

    Raises:
        InvalidSetting: A number without meaning.
    """
    known = list(systems())
    weights = random_weights(MODES, INPUTS)
    found = []
    for name, settings in tqdm(known, unit="system", disable=not progress):
        tree = crosscheck(
            weights=weights,
            batch=batch,
            seeds=seeds,
            steps=steps,
            saves=SAVES,
            seed=seed,
            false_alarm=false_alarm / len(known),
            **EVERY_TERM,
            **settings,
        )
        found.append((name, tree["agreement"].attrs, tree["theory"].attrs))
    attrs = {
        key: np.array([one[key] for _, one, _ in found])
        for key in (
            "verdict",
            "largest_deviation",
            "allowed_deviation",
            "median_relative_deviation",
        )
    }
    device, dtype = found[0][2]["device"], found[0][2]["dtype"]
    return xarray.Dataset(
        {key: ("system", values) for key, values in attrs.items()}
        | {"modes": ("system", np.full(len(found), MODES))},
        coords={"system": [name for name, _, _ in found]},
        attrs={
            "title": "theory against gradient descent, every system",
            "batch": batch,
            "seeds": seeds,
            "steps": steps,
            "false_alarm": false_alarm,
            **provenance(device, dtype),
        },
    )
