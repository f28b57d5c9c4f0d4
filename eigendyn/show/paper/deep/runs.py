"""Train the deep networks that the figures show, each once, and find them again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import xarray

from eigendyn.settings.choices import LOSS_NAMES
from eigendyn.settings.training import Training
from eigendyn.show.paper.work import Numbers, Work
from eigendyn.show.report.mean import Mean
from eigendyn.show.report.training import fate, recruited

EMA = {"target": "ema", "ema": 0.99}
TARGETS: Mapping[str, Mapping[str, Any]] = {"shared": {}, "ema": EMA}
DECAYING = ("euclidean", "iso-euclidean")  # losses that are trained under other decays too
DECAYS = (0.0, 4e-4, 4e-3)  # the second is that of every other run
COMMON = {"images": "digits", "network": "conv", "weight_decay": DECAYS[1]}
RUNS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {  # name → arguments of `eigendyn.train`
        **{
            f"{loss}-{target}": {"loss": loss, **COMMON, **chosen}
            for loss in LOSS_NAMES
            for target, chosen in TARGETS.items()
        },
        **{
            f"{loss}-decay-{decay:g}": {"loss": loss, **COMMON, **EMA, "weight_decay": decay}
            for loss in DECAYING
            for decay in DECAYS
            if decay != COMMON["weight_decay"]
        },
    }
)
OF_VERB = ("images", "seeds")  # what `eigendyn.train` takes beside settings of a training
SIZES = {  # by effort, one of `work.EFFORTS`
    "quick": {"seeds": 2, "epochs": 10, "saves": 11},
    "full": {"seeds": 5, "epochs": 200, "saves": 41},
}


def decayed(loss: str, decay: float) -> str:
    """Name of the run of a loss with an EMA target under a weight decay."""
    return f"{loss}-ema" if decay == COMMON["weight_decay"] else f"{loss}-decay-{decay:g}"


def deep_run(name: str, wanted: Mapping[str, Any], work: Work) -> xarray.Dataset:
    """Train networks, or find those that were trained before.

    A finished run is a part of the work, an unfinished one goes on from a checkpoint beside it.

    Args:
        name: Of the part.
        wanted: Arguments of `eigendyn.train`, but for the size.
        work: How much is trained, and where parts are kept.
    """
    sized: dict[str, Any] = {**wanted, **SIZES[work.effort]}
    code = sources()
    checkpoint = None if work.parts is None else work.parts / f"deep-{name}-{code}.npz"

    def trained() -> xarray.Dataset:
        from eigendyn.training.run import train

        return train(**sized, checkpoint=checkpoint, progress=work.progress)

    chosen = {key: one for key, one in sized.items() if key not in OF_VERB}
    # so that another default, or other code, is another part
    told = sized | asdict(Training(**chosen)) | {"sources": code}
    made = work.part(f"deep-{name}", told, trained)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return made


def sources() -> str:
    """Fingerprint of the code that trains: of every file of the rooms of networks."""
    found = hashlib.sha256()
    for room in ("network", "training"):
        for path in sorted(files("eigendyn").joinpath(room).iterdir(), key=lambda one: one.name):
            if path.name.endswith(".py"):
                found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:12]


def deep_runs(names: Iterable[str], kept: Iterable[str], work: Work) -> Numbers:
    """Runs of `RUNS` by their names, of which only what is drawn is kept.

    Args:
        names: Names of runs.
        kept: Variables of `eigendyn.train` that are drawn; how each seed ended is kept too.
        work: As of `deep_run`.

    Returns:
        By name and "training", what was measured.
    """
    variables = [*kept, "status", "stopped_epoch", "forecast_explained"]

    def make(name: str) -> Numbers:
        made = deep_run(name, RUNS[name], work)
        return {"training": made[[one for one in variables if one in made]]}

    return work.each(make, {name: name for name in names})


def size_sentence(numbers: Numbers) -> str:
    """Say what was trained, how often, and how to read lines and bands."""
    every = [numbers[path] for path in numbers if path.endswith("/training")]
    one = every[0]
    ended = sorted({f"{run.attrs['loss']}: {fate(run)}" for run in every} - _completed(every))
    failed = f" Not completed: {'; '.join(ended)}." if ended else ""
    return (
        f"Counterpart of the paper's figure, not a reproduction: {one.sizes['seed']} "
        f"{one.attrs['network']} networks for each setting, trained without labels on "
        f"{one.attrs['data']} ({one.attrs['augment']}) for {one['epoch'].values[-1]:g} epochs. "
        f"Lines: median over seeds; bands: from the smallest to the largest.{failed}"
    )


def spectrum_sentence(numbers: Numbers) -> str:
    """Say what a panel with spectra shows."""
    said = (
        "Spectra are eigenvalues of E[z1 z2ᵀ] about the origin, what both views of an image share, "
        "a line for each mode; the largest is mostly the mean"
    )
    runs = {name: run for name, run in numbers.items() if "forecast" in run}
    if not runs:
        return f"{said}."
    first = next(iter(runs.values()))
    explains = "; ".join(
        f"{path.removesuffix('/training')} {Mean.of(run['forecast_explained'].values).told()}"
        for path, run in runs.items()
    )
    return (
        f"{said}. Dashed: the theory's forecast from epoch {first.attrs['forecast_epoch']:g} on, "
        f"which explains of the change of ln v (1: all, 0: no more than that nothing changes): "
        f"{explains}."
    )


def _completed(every: Iterable[xarray.Dataset]) -> set[str]:
    return {f"{run.attrs['loss']}: completed" for run in every}


def recruited_sentence(numbers: Numbers) -> str:
    """Say how many modes every run has recruited."""
    told = "; ".join(
        f"{path.removesuffix('/training')} {Mean.of(recruited(run)).told()}"
        for path, run in numbers.items()
        if "variance" in run
    )
    return (
        "Modes recruited, from below half of their own end to half of the largest or more, mean ± "
        f"standard error: {told}."
    )
