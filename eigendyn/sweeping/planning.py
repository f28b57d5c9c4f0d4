"""Check a sweep before any of it is followed, and cut it into chunks."""

from __future__ import annotations

from typing import Any

import numpy as np

from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.siamese import Architecture, architecture
from eigendyn.simulation.equations import equations
from eigendyn.sweeping.asked import check_names
from eigendyn.sweeping.axes import START, VARIANCE
from eigendyn.sweeping.kept import USUAL, rows_of
from eigendyn.sweeping.layout import cut
from eigendyn.sweeping.plan import Plan, Question, bytes_of

WAY = 10  # times what the end takes, if the whole way is looked at
NODES = 500  # times the same, if averages are taken by a quadrature
MEMORY = 2**26  # bytes that what is kept of a chunk may take, if not said otherwise


def planned(asked: Question, keep: tuple[str, ...] | None = None, memory: int = MEMORY) -> Plan:
    """Check all corners of a sweep, and cut it.

    Args:
        asked: What is swept.
        keep: What to keep of trajectories; None takes the usual.
        memory: Bytes that what is kept of a chunk may take.

    Raises:
        UnknownName, InvalidSetting: A name, or a number, that cannot be; a setting that has no say
            in the dynamics; a design over one that an engine cannot follow side by side.
    """
    check_names(asked)
    kept = USUAL if keep is None else tuple(keep)
    rows = rows_of(kept)
    inner, nodes = _inner(asked)
    for axis, several in zip(asked.axes, inner, strict=True):
        if axis.is_design and not several:
            message = (
                f"A design cannot draw all of {', '.join(axis.columns)}: one of them changes the "
                "training time or the form of the equations. List its values, as 0.01,0.1."
            )
            raise InvalidSetting(message)
    dtype = np.dtype(asked.settings.get("dtype", Settings.dtype))
    shape = tuple(axis.size for axis in asked.axes)
    takes_way = any(row.takes_way for row in rows.values())
    work = asked.modes * (WAY if takes_way else 1) * (NODES if nodes else 1)
    layout = cut(shape, inner, bytes_of(rows, asked.modes, dtype), work, memory)
    return Plan(asked, inner, layout, kept)


def _inner(asked: Question) -> tuple[tuple[bool, ...], bool]:
    """By axis, whether one call of an engine can follow several points; is there a quadrature?

    It can where the equations take what changes as numbers, and have the same form all over.
    """
    nodes = False
    several = [not axis.is_text for axis in asked.axes]
    numbers = [name for axis in asked.axes if not axis.is_text for name in axis.columns]
    own = [name for name in numbers if name not in (*PARAMETERS, VARIANCE, START)]
    for low, high in asked.corners():
        for name in high:
            if name in PARAMETERS:
                for one in (low[name], high[name]):
                    PARAMETERS[name].check(one)
        beside, below = (_without(own, values) for values in (high, low))
        asked.system(below).chosen  # noqa: B018
        system = asked.system(beside)
        chosen = system.chosen
        program = equations(system.loss, system.settings).program
        for name in own:
            if name not in program.parameters:
                kind = "parameter of these dynamics"
                raise UnknownName(kind, name, program.parameters)
        for place, axis in enumerate(asked.axes):
            names = [name for name in axis.columns if name not in (VARIANCE, START)]
            if axis.is_text or not names:
                continue
            here = {name: low[name] for name in names if name not in own}
            same = _form(asked, beside | here) == architecture(chosen)
            several[place] &= same and all(name in program.parameters for name in names)
        nodes |= bool(program.node_names)
    return tuple(several), nodes


def _without(names: list[str], values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _form(asked: Question, values: dict[str, Any]) -> Architecture:
    return architecture(asked.system(values).chosen)
