"""List every system that the theory covers, and cross-check them all against networks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray
from tqdm.auto import tqdm

from eigendyn.crosschecks.crosscheck import DEFAULT_SEEDS, crosscheck
from eigendyn.crosschecks.verdict import FALSE_ALARM
from eigendyn.results.provenance import provenance
from eigendyn.settings.choices import LOSS_ROWS
from eigendyn.settings.keywords import takes
from eigendyn.settings.parameters import PARAMETERS, default
from eigendyn.settings.presets import METHODS
from eigendyn.settings.spectrum import random_weights
from eigendyn.theory.loss_text import parse_loss

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
SMALL_NOISE = 0.05  # of a view, so that the other one is seen
ANISOTROPIC: Mapping[str, Any] = {
    "signal": (0.5, 1.0, 2.0, 0.7),
    "noise1": (0.1, 0.8, 0.3, 0.5),
    "noise2": (0.9, 0.4, 1.2, 0.6),
    **{name: default(name) for name in ("sigma1", "sigma2")},  # whose place they take
}
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
    "euclidean, running, used first": {
        "loss": "euclidean",
        "predictor": "running",
        "correlation_order": "use-first",
    },
    "cosine, learned, scheduled EMA target": {
        "loss": "cosine",
        "predictor": "learned",
        "ema_schedule": "cosine",
        **EMA,
        "learning_rate": SLOW,
    },
    "euclidean, own signals": {"loss": "euclidean", **ANISOTROPIC},
    "cosine, own signals, first view": {
        "loss": "cosine",
        "correlation": "first-view",
        **ANISOTROPIC,
    },
    "iso-cosine, own signals, weights": {
        "loss": "iso-cosine",
        "correlation": "weights",
        "learning_rate": SLOW,
        **ANISOTROPIC,
    },
    "cosine, own signals, running": {"loss": "cosine", "predictor": "running", **ANISOTROPIC},
}


@dataclass(frozen=True)
class Watch:
    """A system in which a small error of some numbers would be seen.

    Elsewhere their effect is small: where a running correlation follows at once, its momentum
    hardly matters. Here averages are slow, noises and decays large, and modes still on their way.

    Args:
        numbers: Names of the settings that it watches.
        settings: The system.
        scale: Of the first weights.
    """

    numbers: tuple[str, ...]
    settings: Mapping[str, Any]
    scale: float = 1.0


WATCHES: Mapping[str, Watch] = {
    "watching, learned": Watch(
        numbers=(
            *("ema", "momentum", "weight_decay"),
            *("predictor_rate", "predictor_decay", "predictor_start"),
        ),
        settings={
            "loss": "euclidean",
            "predictor": "learned",
            "predictor_rate": 2.0,
            "predictor_decay": 0.1,
            "predictor_start": 1.0,
            "weight_decay": 0.05,
            "target": "ema",
            "ema": 0.9,
            "momentum": 0.8,
            "learning_rate": 0.033,
        },
        scale=0.5,
    ),
    "watching, running": Watch(
        numbers=("correlation_momentum", "sigma1", "alpha"),
        settings={
            "loss": "euclidean",
            "predictor": "running",
            "correlation_momentum": 0.97,
            "sigma1": 1.0,
            "learning_rate": 0.025,
        },
        scale=0.5,
    ),
    "watching, lifted": Watch(
        numbers=("epsilon",),
        settings={
            "loss": "euclidean",
            "normalize": True,
            "epsilon": 0.3,
            "learning_rate": 0.008,
        },
        scale=0.5,
    ),
    "watching, family": Watch(
        numbers=("beta", "alpha"),
        settings={"loss": "euclidean", "beta": 0.5, "learning_rate": 0.07},
        scale=0.3,
    ),
    "watching, no stop-gradient": Watch(
        numbers=("sigma2", "learning_rate"),
        settings={
            "loss": "euclidean",
            "stop_gradient": False,
            "sigma2": 0.9,
            "learning_rate": 0.03,
        },
    ),
    "watching, own signals": Watch(
        numbers=("signal",),
        settings={
            "loss": "euclidean",
            "stop_gradient": False,
            "learning_rate": 0.02,
            **ANISOTROPIC,
        },
        scale=0.5,
    ),
    **{
        f"watching, noise of the {view} view": Watch(
            numbers=(f"noise{number}",),
            settings={
                "loss": "euclidean",
                "stop_gradient": False,
                "predictor": "none",
                "learning_rate": 0.02,
                **ANISOTROPIC,
                "noise1": SMALL_NOISE,
                "noise2": SMALL_NOISE,
                f"noise{number}": (0.9, 0.4, 1.2, 0.6),
            },
            scale=0.5,
        )
        for number, view in ((1, "first"), (2, "second"))
    },
}
WRITTEN: Mapping[str, Mapping[str, Any]] = {  # one for each closure
    "sum((lam*z1 - sg(z2))**4)/4": {"learning_rate": 0.02},
    "sum((lam*z1 - sg(z2))**2)/norm(sg(z2))": {"predictor": "learned", **EMA},
    "sum((lam*z1 - sg(z2))**2)/(1 + sum(sg(z2)**2))": {},
}


def systems() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every system by name, with its settings.

    Loss × predictor × target, presets, own losses, and `WATCHES`, whose settings hold the scale of
    the first weights too.
    """
    for loss, row in LOSS_ROWS.items():
        for predictor, chosen in PREDICTORS.items():
            if "learned" in predictor and not row.trains_predictor:
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
    for name, watch in WATCHES.items():
        yield name, {**watch.settings, "scale": watch.scale}


def crosscheck_system(settings: Mapping[str, Any], **common: Any) -> xarray.DataTree:
    """Cross-check one of `systems` on a small network with noises and decay.

    Args:
        settings: The system.
        common: Arguments of `crosscheck` that are the same for all systems.
    """
    chosen = {**EVERY_TERM, "saves": SAVES, **common, **settings}
    scale = chosen.pop("scale", 1.0)
    return crosscheck(weights=scale * random_weights(MODES, INPUTS), **chosen)


@takes()
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

    Among the systems are some that would show an error of 2 % in any number of the theory. A
    predictor that is normalised by its largest eigenvalue is looked at before modes have become
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
        relative deviation of variances, modes, order in which a running correlation is updated and
        used (empty without one). Over system and parameter: the smallest relative change that would
        have been called wrong, NaN where the parameter is not there or zero.

    Raises:
        InvalidSetting: A number without meaning.

    Source: Halvagal et al. 2023, losses; predictors, Tian et al. 2021 (DirectPred) and Wang et al.
    2021 (DirectCopy); EMA target, Grill et al. 2020 (BYOL); verdict as of `crosscheck`.

    Examples:
        >>> found = eigendyn.crosschecks.crosscheck_all(progress=True)  # takes minutes
        >>> bool((found.verdict == "agrees").all())
        True
    """
    known = list(systems())
    common: dict[str, Any] = {"batch": batch, "seeds": seeds, "steps": steps, "seed": seed}
    common["false_alarm"] = false_alarm / len(known)
    found = []
    for name, settings in tqdm(known, unit="system", disable=not progress):
        tree = crosscheck_system(settings, **common)
        found.append((name, tree["agreement"].to_dataset(), tree["theory"].attrs))
    attrs = {
        key: np.array([one.attrs[key] for _, one, _ in found])
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
        | {"modes": ("system", np.full(len(found), MODES))}
        | {"order": ("system", [_order(theory) for _, _, theory in found])}
        | {"smallest_change": _smallest_changes([compared for _, compared, _ in found])},
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


def _order(theory: Mapping[str, Any]) -> str:
    """When a running correlation is updated, from the attributes of a theory; empty without one."""
    settings = json.loads(theory["settings"])
    return "" if settings["correlation_momentum"] is None else settings["correlation_order"]


def _smallest_changes(compared: list[xarray.Dataset]) -> xarray.DataArray:
    """Smallest changes that are called wrong (system, parameter)."""
    changes = [
        dict(zip(one["parameter"].values, one["smallest_change"].values, strict=True))
        if "smallest_change" in one
        else {}
        for one in compared
    ]
    names = [name for name in PARAMETERS if any(name in one for one in changes)]
    names += sorted({name for one in changes for name in one} - set(names))
    values = [[one.get(name, np.nan) for name in names] for one in changes]
    return xarray.DataArray(
        np.array(values, float).reshape(len(changes), len(names)),
        dims=("system", "parameter"),
        coords={"parameter": names},
        attrs={"long_name": "smallest relative change that is called wrong", "units": "1"},
    )
