"""Choose few of the systems, so that every part of a theory stands in one of them.

Tests of the others are marked `full`.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from eigendyn.crosschecks.systems import systems

SIZES = {"learning_rate", "scale", "steps", "batch", "saves"}  # change numbers, not equations


def parts(settings: Mapping[str, Any]) -> set:
    """What a system's equations are made of: its loss, and every setting that they depend on."""
    loss, stops = settings["loss"], settings.get("stop_gradient", True)
    told = {(name, v if isinstance(v, str | bool) else "") for name, v in settings.items()}
    return {(name, value) for name, value in told if name not in SIZES} | {(loss, stops)}


def chosen() -> set[str]:
    """Names of systems, the one with most parts that are still missing first."""
    known = {name: parts(settings) for name, settings in systems()}
    missing, names = set().union(*known.values()), set()
    while missing:
        name = max(known, key=lambda one: len(known[one] & missing))
        names.add(name)
        missing -= known[name]
    return names


def full_but(values: Mapping[str, Any], few: set[str]) -> list:
    """Values as parameters of a test, with their names; only a few of them are always run."""
    return [
        pytest.param(value, id=name, marks=() if name in few else pytest.mark.full)
        for name, value in values.items()
    ]


def first_of(*values: Any) -> list:
    """Values as parameters of a test, of which only the first is always run."""
    rows = [value if isinstance(value, tuple) else (value,) for value in values[1:]]
    return [values[0], *(pytest.param(*row, marks=pytest.mark.full) for row in rows)]
