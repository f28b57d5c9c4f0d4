"""Fold what a program makes of its parameters alone, so that no step computes it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.program import Operation, Program
from eigendyn.program.in_numpy import quantities

GIVEN = ("number", "modes", "parameter")  # leaves that no step changes


@lru_cache(maxsize=64)
def folded(program: Program) -> Program:
    """The same program with parameters in the place of what is made of parameters alone.

    Places stay as they are; each new parameter is named by that of what it stands for.
    """
    places = _constants(program)
    unread = Operation("number")  # a parameter that only others are made of
    operations = [unread if one.kind == "parameter" else one for one in program.operations]
    for number, place in enumerate(places):
        operations[place] = Operation("parameter", (), float(number))
    return replace(
        program,
        operations=tuple(operations),
        parameters=tuple(map(str, places)),
        own=frozenset(str(place) for place in places if program.local[place]),
    )


def pack_parameters(
    program: Program, parameters: Mapping[str, ArrayLike], modes: int, count: int = 1
) -> NDArray:
    """Lay out the parameters of a folded program as the code reads them, each for all modes.

    Args:
        program: The program, not folded.
        parameters: By name, one number, or one for each trajectory (trajectories,); of those that
            are its modes' own, (1 or trajectories, 1 or modes).
        modes: Number of modes.
        count: Number of trajectories.

    Returns:
        Rows (trajectories, numbers).
    """
    places = _constants(program)
    nowhere = np.broadcast_to(1.0, (len(program.states), modes, count))
    given = {name: np.asarray(parameters[name], float) for name in program.parameters}
    values = quantities(program, places, nowhere, given)
    sizes = [modes if program.local[place] else 1 for place in places]
    rows, first = np.empty((sum(sizes), count)), 0
    for size, value in zip(sizes, values, strict=True):
        rows[first : first + size] = value
        first += size
    return rows.T


@lru_cache(maxsize=64)
def _constants(program: Program) -> tuple[int, ...]:
    """Places of what is made of parameters alone, and used together with something else."""
    constant: list[bool] = []
    for kind, operands, _ in program.operations:
        made_of = all(constant[place] for place in operands) and kind != "average"
        constant.append(kind in GIVEN or (bool(operands) and made_of))
    used = {*program.rates}
    for place in program.needed(program.rates):
        if not constant[place]:
            used.update(program.operations[place].operands)
    numbers = {place for place in used if program.operations[place].kind == "number"}
    return tuple(sorted(place for place in used - numbers if constant[place]))
