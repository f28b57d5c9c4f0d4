"""Say which setting would change what becomes of a recorded spectrum, by the theory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from eigendyn.analysis.rates.diagnosis import Diagnosis, diagnose
from eigendyn.errors import InvalidSetting
from eigendyn.fitting.result import KIND
from eigendyn.fitting.second_moments import settings_of
from eigendyn.settings.checks import check_is
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.siamese import Siamese

if TYPE_CHECKING:
    import xarray

    from eigendyn.theory.losses import SymbolicLoss

OF_VIEWS = ("signal", "noise1", "noise2", "sigma1", "sigma2")
LARGEST = 1e3  # noise over signal of a mode at most: more of it changes no verdict
SMALLEST = 1e-9  # of the largest variance, which a mode that none is seen of begins with


def changed(
    record: xarray.Dataset,
    loss: SymbolicLoss | str,
    *,
    theory: Mapping[str, Any] | None = None,
    progress: bool = False,
) -> Diagnosis:
    """Follow the first recorded spectrum by the theory, as trained and with settings changed.

    Args:
        record: A record whose settings are known.
        loss: The loss.
        theory: Settings of a theory that was fitted, `fitted_settings`, in the place of recorded
            ones; without it noises are those of the first recording.
        progress: Show a progress bar on standard error.

    Returns:
        Which modes are lost as trained, and which under each changed setting.

    Raises:
        InvalidSetting: The record does not tell its settings, and none are given.
        The errors of `diagnose`.
    """
    told = settings_of(record)
    if not told and theory is None:
        message = (
            "The record does not tell the settings of its training, so that none can be changed. "
            "Try eigendyn diagnose with --embeddings and your settings."
        )
        raise InvalidSetting(message)
    known = {field.name for field in fields(Siamese)} - {"loss"}
    chosen = {
        name: value
        for name, value in told.items()
        if name in known and name not in OF_VIEWS and value != getattr(Settings, name)
    }
    chosen["steps"] = max(1, round(float(np.ptp(record["step"].values))))
    start = np.nan_to_num(record["variance"].values[:, 0])
    start = np.maximum(start, SMALLEST * start.max())
    if not isinstance(loss, str):
        chosen = {k: v for k, v in chosen.items() if k not in ("beta", "stop_gradient")}
    return diagnose(
        loss,
        start,
        progress=progress,
        **{**chosen, **(_views(record, told, start) if theory is None else theory)},
    )


def fitted_settings(fit: xarray.Dataset, record: xarray.Dataset) -> tuple[str, dict[str, Any]]:
    """Take from a fit the loss that it ranks first, and settings under which that is its theory.

    A, which multiplies the gradient and not the decay, is the signal that data have in every mode,
    and A (c − 1) their noise. Modes that were not fitted have what those that were have in the
    middle.

    Args:
        fit: What `fit` gives.
        record: The record, whose time and steps the theory is followed for.

    Raises:
        InvalidSetting: It is no fit, or one of another run.
    """
    is_fit = getattr(fit, "attrs", {}).get("kind") == KIND
    check_is("fit", fit, is_fit, "what eigendyn.fit(record, loss) gives")
    if not np.isin(fit["mode"].values, record["mode"].values).all():
        message = (
            f"A fit must be of the same run; it has the mode {fit['mode'].values.max():g}, and the "
            f"record {record.sizes['mode']} modes. Fit this record, and give that."
        )
        raise InvalidSetting(message)
    best, modes = fit.isel(loss=0), record.sizes["mode"]
    numbers = dict(zip(fit["number"].values.tolist(), best["value"].values.tolist(), strict=True))
    known = best["of_mode"].values  # (modal numbers, modes)
    every = np.repeat(np.median(known, axis=1, keepdims=True), modes, axis=1)
    every[:, np.searchsorted(record["mode"].values, fit["mode"].values)] = known
    scale, second1, second2 = every
    steps = max(1, round(float(np.ptp(record["step"].values))))
    correlation = fit.attrs.get("correlation")  # files of earlier versions hold none
    return str(best["loss"].item()), {
        "alpha": numbers["alpha"],
        "signal": tuple(scale.tolist()),
        "noise1": tuple((scale * (second1 - 1)).tolist()),
        "noise2": tuple((scale * (second2 - 1)).tolist()),
        "weight_decay": numbers["weight_decay"],
        "learning_rate": float(np.ptp(record["time"].values)) / steps,
        "steps": steps,
        **({"correlation": correlation} if correlation else {}),
    }


def _views(record: xarray.Dataset, told: Mapping[str, Any], start: Any) -> dict[str, Any]:
    """Noises of the views, as they were first recorded, else as they were set."""
    if "noise1" not in record or "noise2" not in record or told.get("signal") is not None:
        return {name: told[name] for name in OF_VIEWS if told.get(name)}
    target = record["target_variance"].values[:, 0] if "target_variance" in record else start
    own = {"noise1": start, "noise2": np.maximum(target, SMALLEST * start)}
    return {
        name: tuple(np.clip(record[name].values[:, 0] / variance, 0.0, LARGEST).tolist())
        for name, variance in own.items()
    }
