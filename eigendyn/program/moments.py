"""Write the program of another program's moments, and of how large their terms are."""

from __future__ import annotations

from dataclasses import replace

from eigendyn.program import AFTER, Operation, Program


def moments_program(program: Program) -> Program:
    r"""Write the program of ⟨f⟩, ⟨|f|⟩ and ⟨Σ_i |c_i f_i|⟩ for every moment f = Σ_i c_i f_i.

    What an average's error is small or large to is ⟨|f|⟩; round-off is a share of the last one.

    Args:
        program: Mode dynamics with averages.

    Returns:
        The same program with these rates: all moments, then all of ⟨|f|⟩, then all of the terms'.
    """
    operations = list(program.operations)

    def enter(kind: str, *operands: int) -> int:
        operations.append(Operation(kind, operands))
        return len(operations) - 1

    def of_node(place: int, sizes: bool) -> int:
        """What one node adds, or how large the terms are that it adds."""
        kind, operands, _ = program.operations[place]
        if program.phases[place] != AFTER or kind == "average":
            value = operands[0] if kind == "average" else place
            return enter("abs", value) if sizes else value
        if kind == "add":
            parts = [p for p in operands if program.phases[p] == AFTER]
            return (
                enter("add", *(of_node(p, sizes) for p in parts))
                if parts[1:]
                else of_node(parts[0], sizes)
            )
        return enter("multiply", *(of_node(p, sizes) for p in operands))

    added = [of_node(place, sizes=False) for place in program.moments]
    terms = [of_node(place, sizes=True) for place in program.moments]
    averaged = (*added, *(enter("abs", place) for place in added), *terms)
    rates = tuple(enter("average", place) for place in averaged)
    return replace(program, operations=tuple(operations), rates=rates, moments=())
