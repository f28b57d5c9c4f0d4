"""Name each of several results by what tells it apart from the others, and say what all share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.wording import CHOICES, short, told
from eigendyn.show.plot.held import settings_held

if TYPE_CHECKING:
    import xarray

MEANS = ("method", "closure", "steps", "saves", "samples", "seed", "dtype")  # how it was computed


def run_names(datasets: Sequence[xarray.Dataset], otherwise: Sequence[str]) -> list[str]:
    """Name results by their losses, and by the settings in which they differ.

    Args:
        datasets: Results; those of the theory carry their settings.
        otherwise: Names that they have where that does not tell all of them apart.
    """
    found = [_settings(one) for one in datasets]
    differing = _differing(found)
    names = [", ".join(_said(one, differing)) for one in found]
    for name in MEANS:
        if len(set(names)) < len(names) and len({str(one.get(name)) for one in found}) > 1:
            names = [
                ", ".join(filter(None, [said, f"{name} {one.get(name)}"]))
                for said, one in zip(names, found, strict=True)
            ]
    return names if all(names) and len(set(names)) == len(names) else list(otherwise)


def shared_words(datasets: Sequence[xarray.Dataset]) -> str:
    """What all results share that is not as usual; empty if nothing is known of them."""
    known = ("settings", "configuration")
    found = [_settings(one) for one in datasets if any(name in one.attrs for name in known)]
    if not found:
        return ""
    differing = {*_differing(found), "loss"}
    losses = {one["loss"] for one in found}
    loss = short(losses.pop()) if len(losses) == 1 else ""
    common = {
        name: value
        for name, value in found[0].items()
        if name not in differing and all(name in one for one in found)
    }
    words = told(loss, common) if {"predictor", "target"} <= set(common) else loss
    return words.removeprefix(", ")


def _settings(dataset: xarray.Dataset) -> dict[str, Any]:
    """Settings of a result, the loss with what was switched off among them; None where usual.

    What follows from predictor and target by itself is no setting of its own.
    """
    attrs = dataset.attrs
    held, _ = settings_held(attrs)
    chosen = {name: held[name] for name in ("predictor", "target") if name in held}
    usual = asdict(Settings(**chosen))
    for name in PARAMETERS:
        if name in held and held[name] == usual[name]:
            held[name] = PARAMETERS[name].default
    named = held.get("loss", "") if "configuration" in attrs else attrs.get("model", "")
    return held | {"loss": str(attrs.get("loss", named))}


def _differing(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the choices and numbers in which results differ."""
    names = ("loss", *dict.fromkeys(name for name, _ in CHOICES), *PARAMETERS)
    return [name for name in names if len({json.dumps(one.get(name)) for one in found}) > 1]


def _said(settings: Mapping[str, Any], differing: Sequence[str]) -> list[str]:
    words = []
    for name in differing:
        value = settings.get(name)
        if name == "loss":
            words.append(short(str(value)))
        elif name in PARAMETERS:
            row = PARAMETERS[name]
            if value is not None and not isinstance(value, list):
                words.append(f"{row.told or row.label + ' '}{value:g}")
        elif (name, value) in CHOICES:
            words.append(CHOICES[name, value])
        elif value is not None and name in ("predictor", "target"):
            words.append(f"{value} {name}")
    return words
