"""Diagnose a spectrum: say which modes are lost, and which setting would change that."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm.auto import tqdm

from eigendyn.errors import EigendynError
from eigendyn.results.outcomes import are_lost
from eigendyn.settings.choices import LOSS_NAMES, loss_name
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.presets import preset_settings
from eigendyn.settings.run_settings import Settings, with_closure_accuracy
from eigendyn.simulation.equations import equations
from eigendyn.simulation.simulate import simulate
from eigendyn.theory.losses import SymbolicLoss

if TYPE_CHECKING:
    import xarray

DECAYS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # between which the critical weight decay is looked for
HALVINGS = 6  # of the decade in which it lies
ROUGH = {"rtol": 1e-6, "atol": 1e-9}  # of runs that are read for verdicts only
ROUGH_CLOSURE = 1e-4
FIRST = 300  # part of a run over which growth rates are taken
TINY = (1e-60, 1e-80)  # of the total, in the place of variances of zero
ALIKE = 1e-3  # relative difference of two growth rates up to which they are one limit
TEN = 10  # by which rates are changed
MOMENTUM = 0.9
PREDICTOR_DECAY = 0.01
AS_ASKED = "as asked"
SLOW = ("growing", "recovering")
CAUSES = {  # of a loss → settings that a run without it changes
    "noise": {"noise1", "noise2", "sigma1", "sigma2"},
    "decay": {"weight_decay"},
}


@dataclass(frozen=True)
class Change:
    """What becomes of the modes if one setting is another.

    Args:
        settings: What is changed, by the names of `simulate`.
        lost: Whether each mode is lost then (modes,); None if the run did not complete.
        status: How the run ended.
    """

    settings: Mapping[str, Any]
    lost: NDArray | None
    status: str

    @property
    def options(self) -> str:
        """The change as it is written on the command line."""
        given = {name: value for name, value in self.settings.items() if value is not None}
        return " ".join(_option(name, value) for name, value in given.items())


@dataclass(frozen=True)
class Diagnosis:
    """What becomes of every mode of a spectrum, and which setting would change that.

    Args:
        run: The run as it was asked for; `outcome` and `recruitment_time` are in it.
        lost: Whether each mode is lost (modes,): whether its outcome in `OUTCOMES` says so; None
            if the run did not complete.
        changes: Runs with one setting changed.
        critical_decay: Largest weight decay at which no mode is lost that is not lost without it,
            to 4 %; None if it is not between 1e-4 and 1, or a run on the way did not complete.
        growth_rate: Growth rates (1/v) dv/dt (modes,) over the first 300th of the run; at v = 0
            their limit, NaN where they have none.
    """

    run: xarray.Dataset
    lost: NDArray | None
    changes: tuple[Change, ...]
    critical_decay: float | None
    growth_rate: NDArray  # (modes,)

    @property
    def reasons(self) -> list[str]:
        """Why each mode is lost, or not learned yet (modes,); empty where it is learned.

        A mode is lost to noise, or to decay, if it is kept in a run without. "slow" is one that
        still grows at the end.
        """
        return [self._reason(mode) for mode in range(self.run.sizes["mode"])]

    def _reason(self, mode: int) -> str:
        if self.lost is None or not self.lost[mode]:
            return "slow" if self.run["outcome"].values[mode] in SLOW else ""
        keeping = [set(c.settings) for c in self.changes if c.lost is not None and not c.lost[mode]]
        found = [cause for cause, names in CAUSES.items() if any(k <= names for k in keeping)]
        return " or ".join(found) or "neither alone"

    def to_xarray(self) -> xarray.Dataset:
        """Verdicts over (change, mode), "lost", "kept" or "not known", the run as asked first.

        Outcome, first and last variance, growth rate and recruitment time over (mode) stand beside
        them, with the attributes of the run.
        """
        run = self.run
        every = [Change({}, self.lost, run.attrs["status"]), *self.changes]
        names = [AS_ASKED, *(change.options for change in self.changes)]
        verdicts = [_words(change.lost, run.sizes["mode"]) for change in every]
        kept = run[["outcome", "recruitment_time"]].assign(
            initial_variance=("mode", run["variance"].values[:, 0]),
            final_variance=("mode", run["variance"].values[:, -1]),
            growth_rate=("mode", self.growth_rate),
            reason=("mode", np.array(self.reasons)),
            verdict=(("change", "mode"), np.array(verdicts)),
            status=("change", np.array([change.status for change in every])),
        )
        critical = math.nan if self.critical_decay is None else self.critical_decay
        attrs = run.attrs | {"critical_weight_decay": critical}
        return kept.assign_coords(change=np.array(names)).assign_attrs(attrs)


@takes(Settings)
def diagnose(
    loss: str | SymbolicLoss | None = None,
    variances: ArrayLike | None = None,
    *,
    preset: str | None = None,
    progress: bool = False,
    **settings: Unpack[GivenSettings],
) -> Diagnosis:
    """Say which modes of a spectrum are recruited and which collapse, and what would change it.

    A mode grows at the rate (1/v) dv/dt = 2 (E[z1 δ1] + E[z2 δ2])/v − 2ω: of what its loss does and
    what decay does, the larger wins. The critical decay is found by bisection; under the Euclidean
    loss at α = 1 a start v₀ < 1/(2c), c = 1 + σ1², lives iff ω < v₀(1 − c v₀), and a larger one iff
    ω < 1/(4c).

    Every run covers the same training time, for which its verdicts hold. Settings are changed one
    at a time, and run at an accuracy that suffices for a verdict (`ROUGH`); what a loss or
    predictor does not allow is left out. No verdict is taken from a run that did not complete.

    Args:
        loss: Name of a loss, or a loss of your own; None takes that of the preset, or "cosine".
        variances: Initial variances (modes,), as of your embeddings; None takes the published ones.
        preset: One of `choices.PRESETS`, a source's settings where none are given.
        progress: Show a progress bar on standard error.
        settings: Fields of `Settings`.

    Returns:
        The run, which of its modes are lost, the same under each changed setting, and the critical
        weight decay.

    Raises:
        The errors of `simulate`.

    Source: the comparison is of our own; limits of decay, derivations/bifurcations.py and
    derivations/components.py.

    Examples:
        >>> found = eigendyn.diagnose("euclidean", [0.01, 0.3, 1.0], weight_decay=0.05)
        >>> found.reasons
        ['decay', '', '']
    """
    name = None if loss is None else loss_name(loss)
    source = preset_settings(preset, name, settings.get("predictor"), settings.get("target"))
    source.pop("batch", None)  # of networks
    wanted = source.pop("loss", Settings.loss)
    descended, chosen = wanted if loss is None else loss, {**source, **settings}
    run = simulate(descended, variances, progress=progress, **chosen)

    def attempt(change: Mapping[str, Any]) -> Change:
        other = {"loss": descended, **_rough({**chosen, **change})}
        found = simulate(other.pop("loss"), variances, **other)
        return Change(change, are_lost(found["outcome"].values), found.attrs["status"])

    changes = []
    candidates = list(_candidates(descended, chosen))
    for change in tqdm(candidates, unit="run", disable=not progress):
        with suppress(EigendynError):
            changes.append(attempt(change))
    return Diagnosis(
        run=run,
        lost=are_lost(run["outcome"].values),
        changes=tuple(changes),
        critical_decay=_critical_decay(lambda decay: attempt({"weight_decay": decay}).lost),
        growth_rate=_growth_rates(descended, run["variance"].values[:, 0], chosen),
    )


def _growth_rates(loss: str | SymbolicLoss, start: NDArray, settings: Mapping[str, Any]) -> NDArray:
    """Growth rates at the beginning of a run; without variance, where two tiny ones agree."""
    steps = max(1, round(settings.get("steps", Settings.steps) / FIRST))
    begin = {"steps": steps, "saves": 2, "dtype": "float64", "ema_schedule": "constant"}

    def from_start(variances: NDArray) -> NDArray:
        run = simulate(loss, variances, **_rough({**settings, **begin}))
        ends, times = run["variance"].values, run["time"].values
        if len(times) < len(("begin", "end")):
            return np.full(len(start), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):  # −∞ or none where v = 0 at an end
            return np.diff(np.log(ends))[:, 0] / np.diff(times)

    is_there, found = start > 0, from_start(start)
    if is_there.all():
        return found
    near, nearer = (from_start(np.where(is_there, start, tiny * start.sum())) for tiny in TINY)
    limit = np.where(np.isclose(near, nearer, rtol=ALIKE), nearer, np.nan)
    return np.where(is_there, found, limit)


def _rough(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the accuracies of runs of which only the verdicts are read."""
    return (ROUGH if Settings(**settings).follows_flow else {}) | with_closure_accuracy(
        settings, ROUGH_CLOSURE
    )


def _candidates(loss: str | SymbolicLoss, settings: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One other value of every setting that has a say in collapse."""
    system = equations(loss, settings)
    chosen = system.chosen
    if chosen.weight_decay > 0:
        yield {"weight_decay": 0.0}
    if chosen.predictor == "learned":
        assert chosen.predictor_rate is not None
        other = 0.0 if chosen.predictor_decay > 0 else chosen.weight_decay or PREDICTOR_DECAY
        yield {"predictor_decay": other}
        yield {"predictor_rate": TEN * chosen.predictor_rate}
    if "learning_rate" in system.program.parameters:  # else a flow of the same time is the same
        yield {"learning_rate": chosen.learning_rate / TEN, "steps": chosen.steps * TEN}
    yield {"momentum": 0.0 if chosen.momentum > 0 else MOMENTUM}
    if chosen.is_anisotropic:
        yield {"noise1": 0.0, "noise2": 0.0}
    elif chosen.sigma1 > 0 or chosen.sigma2 > 0:
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


def _critical_decay(lost_at: Callable[[float], NDArray | None]) -> float | None:
    """Bisect for the weight decay at which the first mode is lost that is not lost without."""
    without = lost_at(0.0)
    if without is None:
        return None
    low = None
    for high in DECAYS:
        lost = lost_at(high)
        if lost is None:
            return None
        if (lost & ~without).any():
            break
        low = high
    else:
        return None
    if low is None:
        return None
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        lost = lost_at(middle)
        if lost is None:
            return None
        low, high = (low, middle) if (lost & ~without).any() else (middle, high)
    return low


def _words(lost: NDArray | None, modes: int) -> list[str]:
    if lost is None:
        return ["not known"] * modes
    return ["lost" if one else "kept" for one in lost]


def _option(name: str, value: object) -> str:
    if name == "stop_gradient":
        return "with stop-gradient"
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f"--{name.replace('_', '-')} {shown}"
