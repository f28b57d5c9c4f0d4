"""Compute what a program makes of its nodes alone beforehand: no state takes their roots anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from eigendyn.program import Operation, Program
from eigendyn.program.evaluation_order import function_of

CHEAP = ("node", "number", "add", "multiply")  # as soon computed as read


@lru_cache(maxsize=64)
def with_functions(program: Program) -> Program:
    """The same program with further variables of the nodes, named by what they stand for."""
    places, known = _functions(program), len(program.node_names)
    operations = list(program.operations)
    for number, place in enumerate(places, known):
        operations[place] = Operation("node", (), float(number))
    return replace(
        program,
        operations=tuple(operations),
        node_names=(*program.node_names, *map(str, places)),
        node_modes=(*program.node_modes, *(False for _ in places)),
    )


def with_values(program: Program, values: Mapping[str, ArrayLike]) -> dict[str, ArrayLike]:
    """Values of all variables of such a program, from those of the nodes (nodes, 1 or modes)."""
    places, found = _functions(program), {}
    for place in program.needed(places):
        kind, operands, value = operation = program.operations[place]
        if kind == "node":
            found[place] = np.asarray(values[program.node_names[int(value)]])
        elif kind == "number":
            found[place] = value
        else:
            found[place] = function_of(operation, 1)(*[found[p] for p in operands])
    return {**values, **{str(place): found[place] for place in places}}


@lru_cache(maxsize=64)
def _functions(program: Program) -> tuple[int, ...]:
    """Places of what is made of nodes alone, costs more than it does to read, and is used."""
    alone: list[bool] = []
    costly: list[bool] = []
    for place, (kind, operands, _) in enumerate(program.operations):
        made_of = bool(operands) and all(alone[p] for p in operands) and kind != "average"
        alone.append(kind in ("node", "number") or (made_of and not program.local[place]))
        costly.append(kind not in CHEAP or any(costly[p] for p in operands))
    users = (p for p in program.needed(program.rates) if not alone[p])
    used = {operand for place in users for operand in program.operations[place].operands}
    return tuple(sorted(place for place in used if alone[place] and costly[place]))
