"""Say in a line of words which run it was: the loss, and every setting that is not the usual one.

Pictures take their titles from here. Standard library only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.run_settings import Settings

MANY = 4  # numbers that a title does not list one by one
LONG = 60  # letters of a name that is no title any more
OWN = "a loss of one’s own"
CHOICES = {  # what they say where they are not the usual ones
    ("predictor", "copy"): "copied predictor",
    ("predictor", "running"): "running predictor",
    ("predictor", "learned"): "learned predictor",
    ("target", "ema"): "EMA target",
    ("normalize", True): "normalised",
    ("ema_schedule", "cosine"): "cosine schedule",
}


def told(loss: str, settings: Mapping[str, Any], without: Collection[str] = ()) -> str:
    """Say which run it was, such as "cosine, learned predictor, weight decay 0.02".

    What follows from predictor and target by itself, such as an EMA momentum of 0.99, is left out.

    Args:
        loss: The loss, with what was switched off; or the model.
        settings: Settings of the run, as a result stores them.
        without: Settings that are not said, since they change while one looks.
    """
    chosen = {name: settings[name] for name in ("predictor", "target") if name in settings}
    usual = asdict(Settings(**chosen))
    choices = [words for (name, value), words in CHOICES.items() if settings.get(name) == value]
    numbers = [
        f"{row.told}{_said(settings[name])}"
        for name, row in PARAMETERS.items()
        if row.told and name not in without and settings.get(name) not in (None, usual[name])
    ]
    own = settings.get("parameters", {}) if "model" in settings else {}  # a written loss says them
    numbers = [*(f"{name} = {value:g}" for name, value in own.items()), *numbers]
    return ", ".join([loss, *choices, *numbers])


def _said(value: Any) -> str:
    """A number; or those of a few modes, of more their range, in digits that a title can hold."""
    if not isinstance(value, Sequence):
        return f"{value:g}"
    if len(value) > MANY:
        return f"{min(value):.3g} … {max(value):.3g}"
    return ", ".join(f"{one:.3g}" for one in value)


def short(loss: str) -> str:
    """The loss, or that it is one's own where it is too long for a title."""
    return loss if len(loss) < LONG else OWN
