"""Give the settings that a published method used, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from eigendyn.settings.choices import LOSS_ROWS, OWN_LOSS, PRESET_LOSSES, PRESETS, check_choice
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.run_settings import Settings


def _decay(strength: float) -> dict[str, float]:
    """Weight decay of encoder and learned predictor alike."""
    return {"weight_decay": strength, "predictor_decay": strength}


_SGD = {"learning_rate": 0.03, "momentum": 0.9, "weight_decay": 4e-4}
_LEARNED = {"predictor": "learned"}
_METHODS = {
    # Grill et al. 2020: normalised squared error, target momentum 0.996 rising to 1. Their
    # optimiser, LARS, scales every layer's step and has no counterpart here.
    "byol": _LEARNED | {"target": "ema", "ema": 0.996, "ema_schedule": "cosine", **_decay(1.5e-6)},
    # Chen & He 2021: negative cosine, shared target, SGD.
    "simsiam": _LEARNED | {"learning_rate": 0.05, "momentum": 0.9, **_decay(1e-4)},
    # Tian et al. 2021, and the sample command of their code: √c + ε max √c, ρ = 0.3. That
    # code sets the predictor after the optimiser's step, for the next batch.
    "directpred": {
        "predictor": "running",
        "alpha": 0.5,
        "epsilon": 0.01,
        "epsilon_placement": "outside",
        "correlation_momentum": 0.3,
        "correlation_order": "use-first",
        "target": "ema",
        "ema": 0.996,
    }
    | _SGD,
    # Wang et al. 2021: the correlation itself, normalised and lifted; else as DirectPred.
    "directcopy": {
        "predictor": "copy",
        "correlation_momentum": 0.3,
        "correlation_order": "use-first",
        "target": "ema",
        "ema": 0.996,
    }
    | _SGD,
    # Halvagal et al. 2023: no EMA target needed; α = 1/2 in their experiments.
    "isoloss": {"alpha": 0.5},
}
METHODS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {name: {"loss": PRESET_LOSSES[name], **chosen} for name, chosen in _METHODS.items()}
)


def _numbers_of(part: str) -> list[str]:
    """Numbers that are there with some values of a choice only."""
    return [name for name, row in PARAMETERS.items() if row.part and row.part[0] == part]


BELONGS_TO: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "predictor": (
            *_numbers_of("predictor"),
            *("epsilon_placement", "normalize", "correlation", "correlation_order"),
        ),
        "target": (*_numbers_of("target"), "ema_schedule"),
    }
)


def preset_settings(
    name: str | None,
    loss: str | None = None,
    predictor: str | None = None,
    target: str | None = None,
) -> dict[str, Any]:
    """Settings of a named source; none for None.

    Args:
        name: "published", the linear toy network of the notebook published with Halvagal et al.
            2023, whose 10 × 15 weights are the start that eigendyn takes where none is given; or a
            method: "byol", "simsiam", "directpred", "directcopy", "isoloss".
        loss: Name of the loss that is wanted, which the toy network's learning rate depends on;
            None takes the source's, or "cosine".
        predictor: The predictor that is wanted, likewise; another one than the source's leaves out
            the source's settings of it.
        target: The target that is wanted; likewise.

    Returns:
        Values by the names of `Settings`; the toy network's have a batch too.

    Raises:
        UnknownName: There is no such preset.
    """
    if name is None:
        return {}
    check_choice("preset", name, PRESETS)
    if name != "published":
        found = dict(METHODS[name])
        for part, wanted in (("predictor", predictor), ("target", target)):
            if wanted not in (None, found.get(part, getattr(Settings, part))):
                found = {key: found[key] for key in found if key not in BELONGS_TO[part]}
        return found
    named = Settings.loss if loss is None else loss
    is_bare = predictor == "none"
    row = LOSS_ROWS.get(named, OWN_LOSS)
    return {
        "sigma1": 0.0,
        "sigma2": 0.1,
        "alpha": 1.0,
        "batch": 50_000,
        "learning_rate": row.bare_learning_rate if is_bare else row.learning_rate,
        "steps": 100_000 if is_bare else 1_500,
    }
