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
from eigendyn.loss_text import parse_loss
from eigendyn.presets import METHODS
from eigendyn.result import provenance
from eigendyn.start import random_weights

MODES, INPUTS = 4, 6
DEFAULT_BATCH, DEFAULT_STEPS = 2_000, 300
EVERY_TERM = {"sigma1": 0.2, "sigma2": 0.3, "weight_decay": 0.01}  # so that none goes unchecked
SAVES = 31
PREDICTORS: Mapping[str, Mapping[str, Any]] = {
    "": {},
    ", copied": {
        "predictor": "copy",
        "learning_rate": 0.01,
    },  # before equal modes share the maximum
    ", running": {"predictor": "running"},
    ", learned": {"predictor": "learned", "predictor_rate": 2.0, "predictor_decay": 0.02},
    ", no predictor": {"predictor": "none"},
}
EMA = {"target": "ema", "ema": 0.95}
SLOW = 0.05  # learning rate with an EMA target: noise grows under one that lags
DIRECTPRED = {"predictor": "running", "epsilon": 0.1, "epsilon_placement": "outside", "alpha": 0.5}
MORE: Mapping[str, Mapping[str, Any]] = {
    "euclidean, DirectPred": {"loss": "euclidean", **DIRECTPRED},
    "cosine, DirectPred": {"loss": "cosine", **DIRECTPRED},
    "euclidean, ε inside": {"loss": "euclidean", "epsilon": 0.1, "learning_rate": 0.01},
    "cosine, β = 1/2": {"loss": "cosine", "beta": 0.5},
    "euclidean, β = 1/2": {"loss": "euclidean", "beta": 0.5},
    "cosine, momentum": {"loss": "cosine", "momentum": 0.9, "learning_rate": 0.02},
    "euclidean, learned, momentum": {
        "loss": "euclidean",
        "predictor": "learned",
        "momentum": 0.9,
        "learning_rate": 0.02,
    },
    "cosine, learned, scheduled EMA target": {
        "loss": "cosine",
        "predictor": "learned",
        "ema_schedule": "cosine",
        **EMA,
        "learning_rate": SLOW,
    },
}


WRITTEN: Mapping[str, Mapping[str, Any]] = {  # one for each closure
    "sum((lam*z1 - sg(z2))**4)/4": {"learning_rate": 0.02},
    "sum((lam*z1 - sg(z2))**2)/norm(sg(z2))": {"predictor": "learned", **EMA},
    "sum((lam*z1 - sg(z2))**2)/(1 + sum(sg(z2)**2))": {},
}


def systems() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every system by name, with its settings: loss × predictor × target, presets, own losses."""
    for loss in LOSS_NAMES:
        for predictor, chosen in PREDICTORS.items():
            if loss.startswith("iso-") and "learned" in predictor:
                continue  # no gradient reaches that predictor
            slow = {"learning_rate": SLOW, **chosen}
            yield f"{loss}{predictor}", {"loss": loss, **chosen}
            yield f"{loss}{predictor}, EMA target", {"loss": loss, **EMA, **slow}
            if predictor in ("", ", no predictor", ", learned"):
                bare = {"loss": loss, "stop_gradient": False, **chosen}
                yield f"{loss}{predictor}, no stop-gradient", bare
        yield f"{loss}, α = 1/2", {"loss": loss, "alpha": 0.5}
    yield from MORE.items()
    for preset, settings in METHODS.items():
        yield f"preset {preset}", settings
    for text, settings in WRITTEN.items():
        yield text, {"loss": parse_loss(text), **settings}


def crosscheck_all(
    *,
    batch: int = DEFAULT_BATCH,
    seeds: int = DEFAULT_SEEDS,
    steps: int = DEFAULT_STEPS,
    false_alarm: float = FALSE_ALARM,
    seed: int = 0,
    progress: bool = False,
) -> xarray.Dataset:
    """Cross-check loss × predictor × target on a small network with noises and decay.

    A predictor that is normalised by its largest eigenvalue is looked at before modes have become
    equal: noise splits equal ones, which moves their maximum by O(1/√batch).

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
            **{**EVERY_TERM, **settings},
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
