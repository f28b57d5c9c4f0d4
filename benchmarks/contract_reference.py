"""Solve a group of random problems at the saved times, to about 1e-12.

Nothing of the engines is used but the symbolic dynamics, printed as C (`contract_native`), and the
nodes of averages, fitted by `nodes` to one problem at a time and far more closely than an engine's.
Integration is by Dormand–Prince 8 with steps that end at every saved time, and where another mode
becomes the largest.
Every problem is solved twice: the difference says what its values are worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from contract_native import ENDED, FOUND, NOTHING, STIFF, Solve, native
from contract_problems import Group
from contract_rates import NO_RULE, Rule, numpy_rates
from numpy.typing import NDArray
from scipy.integrate import LSODA

from eigendyn.program.derivation import program_of
from eigendyn.simulation.nodes import fit_nodes

RTOL, COARSER = 1e-13, 10.0  # of a step, and by how much that of the other run is larger
DOUBT = 0.1  # difference of both runs, in units of what is allowed to an engine
UNCERTAIN = 3  # both runs arrive, and differ by more
REASONS = {ENDED: "the solution ends", STIFF: "too stiff", UNCERTAIN: "two references differ"}
FINER = 1e-3  # tolerance over that of an engine, of steps and averages, where averages are slow
CLOSURE_ACCURACY = 1e-12  # no closer than this
ROUGH = 1e-8  # tolerance of the run, and of its averages, that says which states they must serve
VISITED = 4  # of these states
MOST_EVALUATIONS = 100_000  # of LSODA


@dataclass(frozen=True)
class Reference:
    """What is known of a group.

    Args:
        values: States (problems, states, modes, times), NaN from where none was found.
        ends: FOUND, or why not all is found, a key of `REASONS` (problems,).
        doubt: Largest difference of two runs, in units of what is allowed (problems,).
        again: A problem that is solved a third time, by LSODA, and its states (states, modes,
            times), or None.
    """

    values: NDArray
    ends: NDArray
    doubt: NDArray
    again: tuple[int, NDArray] | None = None


def reference(group: Group, check: bool) -> Reference:
    """Solve a group; one of its problems a third time, if asked to check."""
    solve, count = native(group), len(group.variances)
    found, ends, doubt, again = [], np.zeros(count, int), np.zeros(count), None
    for row in range(count):
        other, values, ends[row], rule = _twice(group, solve, row)
        with np.errstate(invalid="ignore"):
            units = np.abs(values - other) / (group.atol + group.rtol * np.abs(values))
        doubt[row] = np.nanmax(units, initial=0)
        values[:, :, ~(units <= DOUBT).all(axis=(0, 1))] = np.nan
        if ends[row] == FOUND and np.isnan(values).any():
            ends[row] = UNCERTAIN
        found.append(values)
        if check and again is None and ends[row] == FOUND:
            third = _multistep(group, row, rule, values[..., 0])
            again = None if third is None else (row, third)
    return Reference(np.stack(found), ends, doubt, again)


def _twice(group: Group, solve: Solve, row: int) -> tuple[NDArray, NDArray, int, Rule]:
    """The coarser run of a problem, the finer one, why it stopped, and the nodes of averages."""
    start = group.starts(tuple(str(state) for state in group.dynamics().states))[row]
    nothing, rule, finest = np.full((*start.shape, len(group.times)), np.nan), NO_RULE, RTOL
    if group.has_nodes:  # fitted twice: at last to states that a run has visited
        finest = max(RTOL, FINER * group.rtol)
        equal = np.broadcast_to(np.sqrt((start**2).mean(1, keepdims=True)), start.shape)
        rough, end = solve(row, ROUGH, _fitted(group, row, [start, equal], ROUGH))
        if end != FOUND:
            return nothing, nothing, end, rule
        visited = np.moveaxis(rough, -1, 0)
        picked = visited[np.linspace(0, len(visited) - 1, VISITED).astype(int)]
        rule = _fitted(group, row, [start, equal, *picked], max(CLOSURE_ACCURACY, finest))
    other, end = solve(row, COARSER * finest, rule)
    if end != FOUND:
        return other, nothing, end, rule
    values, end = solve(row, finest, rule)
    return other, values, end, rule


def _fitted(group: Group, row: int, spectra: list[NDArray], accuracy: float) -> Rule:
    program = program_of(group.dynamics())
    numbers = group.numbers()
    chosen = {name: float(numbers[name][row]) for name in program.parameters}
    nodes = fit_nodes(program, np.stack(spectra), chosen, accuracy).nodes
    values = tuple(np.asarray(nodes.values[name])[:, :, None] for name in program.node_names)
    return Rule(np.asarray(nodes.weights)[:, None, None], values)


def _multistep(group: Group, row: int, rule: Rule, start: NDArray) -> NDArray | None:
    """One problem by LSODA from saved time to saved time (states, modes, times).

    Returns:
        None where it takes too long.
    """
    rates, values, spent = numpy_rates(group, row, rule), [start], 0

    def flat(time: float, y: NDArray) -> NDArray:
        return rates(time, y.reshape(start.shape)).ravel()

    for begin, end in zip(group.times, group.times[1:], strict=False):
        solver = LSODA(flat, begin, values[-1].ravel(), end, rtol=1e-13, atol=NOTHING)
        while solver.status == "running":
            solver.step()
            if spent + solver.nfev > MOST_EVALUATIONS:
                return None
        if solver.status == "failed":
            return None
        spent += solver.nfev
        values.append(solver.y.reshape(start.shape))
    return np.stack(values, axis=-1)
