"""Order the evaluation of a program into as few loops over the modes as it needs.

A sum over modes is known only after a loop over all of them, so what needs it waits for the next
loop. A program becomes stages: what all modes share, then one loop over the modes, in each of the
phases before, inside and after the loop over nodes. What a later loop needs of an earlier one is
kept in memory if it was costly, or if that loop runs once per node, and else computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from eigendyn.program import AFTER, BEFORE, INSIDE, LEAVES, REDUCTIONS, Program

CHEAP = (*LEAVES, "add", "multiply", "abs", "average")

Keeps = Callable[[int, int], bool]  # place, phase of the loop that needs it → is it kept?


@dataclass(frozen=True)
class Stage:
    """One loop over the modes and what is computed before it.

    Args:
        phase: When, relative to the loop over nodes.
        shared: Places of what is computed once.
        own: Places of what the loop computes for every mode, in order.
        reductions: Places of the sums, products and maxima that are complete after the loop.
        kept: Places of what the loop keeps for later ones.
        is_last: Whether it is the last one of its phase, which also adds to the averages, or
            writes the rates.
    """

    phase: int
    shared: tuple[int, ...]
    own: tuple[int, ...]
    reductions: tuple[int, ...]
    kept: tuple[int, ...]
    is_last: bool


@dataclass(frozen=True)
class Plan:
    """Stages of a program, in order.

    Args:
        stages: The stages.
        averages: Places of the averages that the rates need.
    """

    stages: tuple[Stage, ...]
    averages: tuple[int, ...]

    @property
    def kept(self) -> tuple[int, ...]:
        """Places of all that is kept between loops."""
        return tuple(place for stage in self.stages for place in stage.kept)


def keeps_costly(program: Program) -> Keeps:
    """What a loop over many modes keeps: costly values, and all that is the same at every node."""

    def keeps(place: int, phase: int) -> bool:
        return phase == INSIDE or program.operations[place].kind not in CHEAP

    return keeps


def plan(program: Program, keeps: Keeps) -> Plan:
    """Order the evaluation of a program's rates.

    Args:
        program: The program.
        keeps: Whether a value of every mode is kept for a loop of the given phase.
    """
    needed = program.needed(program.rates)
    averages = tuple(p for p in needed if program.operations[p].kind == "average")
    levels = _levels(program, needed)
    deepest = {phase: 0 for phase in ((BEFORE, INSIDE, AFTER) if averages else (BEFORE,))}
    for place in needed:
        deepest[program.phases[place]] = max(deepest[program.phases[place]], levels[place])
    order = [(phase, level) for phase, deep in deepest.items() for level in range(deep + 1)]
    at = {place: (program.phases[place], levels[place]) for place in needed}
    kept: dict[tuple[int, int], set[int]] = {each: set() for each in order}
    stages = []
    # from the last loop to the first: what a later one wants, an earlier one keeps
    for each in reversed(order):
        phase, level = each
        here = [place for place in needed if at[place] == each]
        reductions = [p for p in here if program.operations[p].kind in REDUCTIONS]
        is_last = level == deepest[phase]
        wanted = [*kept[each], *(program.operations[p].operands[0] for p in reductions)]
        if is_last and phase == INSIDE:
            wanted += [program.operations[p].operands[0] for p in averages]
        elif is_last and each == order[-1]:
            wanted += program.rates
        own = _own(program, wanted, each, at, kept, keeps)
        shared = (p for p in here if not program.local[p] and p not in reductions)
        stages.append(
            Stage(
                phase=phase,
                shared=tuple(p for p in shared if program.operations[p].kind != "average"),
                own=own,
                reductions=tuple(reductions),
                kept=tuple(sorted(kept[each])),
                is_last=is_last,
            )
        )
    return Plan(tuple(reversed(stages)), averages)


def _levels(program: Program, needed: Iterable[int]) -> dict[int, int]:
    """After how many loops of its phase each operation can be computed."""
    levels: dict[int, int] = {}
    for place in needed:
        kind, operands, _ = program.operations[place]
        level = 0
        for operand in operands if kind != "average" else ():
            if program.phases[operand] == program.phases[place]:
                waits = program.operations[operand].kind in REDUCTIONS
                level = max(level, levels[operand] + waits)
        levels[place] = level
    return levels


def _own(
    program: Program,
    wanted: Iterable[int],
    here: tuple[int, int],
    at: dict[int, tuple[int, int]],
    kept: dict[tuple[int, int], set[int]],
    keeps: Keeps,
) -> tuple[int, ...]:
    """What a loop computes for every mode; enters into `kept` what earlier ones keep for it."""
    found: set[int] = set()
    waiting = list(wanted)
    while waiting:
        place = waiting.pop()
        kind, operands, _ = program.operations[place]
        if place in found or not program.local[place] or kind in (*LEAVES, "average"):
            continue
        if at[place] != here and keeps(place, here[0]):
            kept[at[place]].add(place)
        else:
            found.add(place)
            waiting += operands
    return tuple(sorted(found))
