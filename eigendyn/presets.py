"""The name of a source and a loss enter; the settings that the source used leave."""

from __future__ import annotations

from typing import Any

from eigendyn.choices import PRESETS, check_choice


def preset_settings(name: str | None, loss: str, predictor: bool = True) -> dict[str, Any]:
    """Settings of a named source; none for None.

    Args:
        name: "published", the linear toy network of the notebook published with Halvagal et al.
            2023: its 10 × 15 weights are the start that eigendyn takes where none is given.
        loss: Name of the loss.
        predictor: Whether there is a predictor.

    Returns:
        Values by the names of `Settings`, and the batch.

    Raises:
        UnknownName: There is no such preset.
    """
    if name is None:
        return {}
    check_choice("preset", name, PRESETS)
    fast = loss.endswith("cosine") or (loss == "euclidean" and not predictor)
    return {
        "sigma1": 0.0,
        "sigma2": 0.1,
        "alpha": 1.0,
        "batch": 50_000,
        "learning_rate": 0.1 if fast else 0.01,
        "steps": 1_500 if predictor else 100_000,
    }
