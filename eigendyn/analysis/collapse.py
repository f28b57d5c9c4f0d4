"""A loss, its settings and a spectrum enter; which modes are lost, and what saves them, leaves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray
from numpy.typing import ArrayLike, NDArray
from tqdm.auto import tqdm

from eigendyn.choices import LOSS_NAMES
from eigendyn.errors import InvalidSetting
from eigendyn.losses import SymbolicLoss
from eigendyn.settings import Settings
from eigendyn.simulation import simulate

LOST = ("collapsed", "shrinking", "stationary")  # outcomes of modes that do not become large
DECAYS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # between which the critical weight decay is looked for
ROUGH = {  # accuracy of changed runs, of which only the verdicts are read
    "rtol": 1e-6,
    "atol": 1e-9,
    "closure_accuracy": 1e-4,
    "max_solver_steps": 2_000,  # spectra that vanish under a cosine loss grow stiff
}
HALVINGS = 6  # of the decade in which it lies


@dataclass(frozen=True)
class Change:
    """What becomes of the modes if one setting is another.

    Args:
        settings: What is changed, by the names of `simulate`.
        lost: Whether each mode is lost then (modes,).
        status: How the run ended; if it was not completed, `lost` is what was reached.
    """

    settings: Mapping[str, Any]
    lost: NDArray
    status: str


@dataclass(frozen=True)
class Diagnosis:
    """What becomes of every mode of a spectrum, and which setting would change that.

    Args:
        run: The run as it was asked for; `outcome` and `recruitment_time` are in it.
        lost: Whether each mode is lost: collapsed, or small and not growing at the end (modes,).
        changes: Runs with one setting changed.
        critical_decay: Largest weight decay at which no mode is lost that is not lost without it,
            to 4 %; None if it is not between 1e-4 and 1.
    """

    run: xarray.Dataset
    lost: NDArray
    changes: tuple[Change, ...]
    critical_decay: float | None


def diagnose(
    loss: str | SymbolicLoss = "cosine",
    variances: ArrayLike | None = None,
    *,
    progress: bool = False,
    **settings: Any,
) -> Diagnosis:
    """Say which modes of a spectrum are recruited and which collapse, and what would change it.

    Every run covers the same training time, so a verdict is one by then. Settings are changed one
    at a time, for the flow and at an accuracy that suffices for a verdict (`ROUGH`); what a loss or
    predictor does not allow is left out.

    Args:
        loss: Name of a loss, or a loss of your own.
        variances: Initial variances (modes,), as of your embeddings; None takes the published ones.
        progress: Show a progress bar on standard error.
        settings: Fields of `Settings`, without a method.

    Returns:
        The run, which of its modes are lost, the same under each changed setting, and the critical
        weight decay.

    Raises:
        The errors of `simulate`.
    """
    run = simulate(loss, variances, progress=progress, **settings)

    def rerun(change: Mapping[str, Any]) -> Change:
        other = {"loss": loss, **settings, **ROUGH, **change}
        found = simulate(other.pop("loss"), variances, **other)
        return Change(change, np.isin(found["outcome"].values, LOST), found.attrs["status"])

    chosen = Settings(loss=loss if isinstance(loss, str) else loss.name, **settings)
    changes = []
    for change in tqdm(list(_candidates(loss, chosen)), unit="run", disable=not progress):
        with suppress(InvalidSetting):
            changes.append(rerun(change))
    return Diagnosis(
        run=run,
        lost=np.isin(run["outcome"].values, LOST),
        changes=tuple(changes),
        critical_decay=_critical_decay(lambda decay: rerun({"weight_decay": decay}).lost),
    )


def _candidates(loss: str | SymbolicLoss, chosen: Settings) -> Iterator[dict[str, Any]]:
    """One other value of every setting that has a say in collapse."""
    if chosen.weight_decay > 0:
        yield {"weight_decay": 0.0}
    if chosen.predictor == "learned" and chosen.predictor_decay > 0:
        yield {"predictor_decay": 0.0}
    if chosen.sigma1 > 0 or chosen.sigma2 > 0:
        yield {"sigma1": 0.0, "sigma2": 0.0}
    if chosen.predictor == "none":
        yield {"predictor": "direct"}
    elif chosen.predictor == "direct":
        yield {"alpha": 1.0 if chosen.alpha != 1 else 0.5}
        if chosen.epsilon == 0:
            yield {"epsilon": 0.1}
    if not chosen.stop_gradient:
        yield {"stop_gradient": True}
    elif chosen.target == "ema":
        yield {"target": "shared", "ema": None, "ema_schedule": Settings.ema_schedule}
    else:
        yield {"target": "ema"}
    if isinstance(loss, str) and chosen.beta is None:
        yield from ({"loss": name} for name in LOSS_NAMES if name != loss)


def _critical_decay(lost_at: Callable[[float], NDArray]) -> float | None:
    """Bisect for the weight decay at which the first mode is lost that is not lost without."""
    without = lost_at(0.0)

    def harms(decay: float) -> bool:
        return bool((lost_at(decay) & ~without).any())

    above = next((decay for decay in DECAYS if harms(decay)), None)
    if above is None or above == DECAYS[0]:
        return None
    low, high = above / 10, above
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if harms(middle) else (middle, high)
    return low
