"""A group of random problems enters; its states at the saved times, to about 1e-12, leave.

Nothing of the engines is used but the symbolic dynamics, printed as C (`contract_native`), or,
where averages are taken over nodes (fitted by `nodes`), evaluated by NumPy (`contract_lockstep`).
Both integrate by Dormand–Prince 8 with steps that end at every saved time, and where another mode
becomes the largest.
Every problem is solved twice: the difference says what its values are worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from contract_lockstep import integrate
from contract_native import ENDED, FOUND, STIFF, native
from contract_problems import Group
from contract_rates import Rates, Rule, numpy_rates
from numpy.typing import NDArray
from scipy.integrate import LSODA

from eigendyn.nodes import fit_nodes
from eigendyn.program.derivation import program_of

RTOL, COARSER = 1e-13, 10.0  # of a step, and by how much that of the other run is larger
FINER = 1e-3  # tolerance of a step over that of an engine, where averages over nodes are slow
DOUBT = 0.1  # difference of both runs, in units of what is allowed to an engine
UNCERTAIN = 3  # both runs arrive, and differ by more
REASONS = {ENDED: "the solution ends", STIFF: "too stiff", UNCERTAIN: "two references differ"}
CLOSURE_ACCURACY = 1e-12
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
    rates = _with_nodes(group) if group.has_nodes else numpy_rates(group)
    finest = max(RTOL, FINER * group.rtol) if group.has_nodes else RTOL
    if group.has_nodes:
        (other, ends), (values, _) = (
            integrate(group, rates, r) for r in (COARSER * finest, finest)
        )
    else:
        other, ends = native(group, COARSER * finest, range(len(group.variances)))
        values, _ = native(group, finest, np.flatnonzero(ends == FOUND))
    with np.errstate(invalid="ignore"):
        units = np.abs(values - other) / (group.atol + group.rtol * np.abs(values))
    doubt = np.nanmax(units, axis=(1, 2, 3))
    doubtful = ~(units <= DOUBT).all(axis=(1, 2), keepdims=True)
    values[np.broadcast_to(doubtful, values.shape)] = np.nan
    missing = ~np.isfinite(values).all(axis=(1, 2, 3))
    ends = np.where((ends == FOUND) & missing, UNCERTAIN, ends)
    again = None
    if check and (ends == FOUND).any():
        row = int(np.argmax(ends == FOUND))
        found = _multistep(group, rates, values[row, ..., 0], row)
        again = None if found is None else (row, found)
    return Reference(values, ends, doubt, again)


def _with_nodes(group: Group) -> Rates:
    """Rates whose averages are taken over nodes, fitted twice: at last to what a run visited."""
    starts = group.starts(tuple(str(state) for state in group.dynamics().states))
    equal = np.broadcast_to(np.sqrt((starts**2).mean(2, keepdims=True)), starts.shape)
    spectra = [*starts, *equal]
    rough = integrate(group, numpy_rates(group, _fitted(group, spectra, 1e-9)), 1e-8)[0]
    visited = np.moveaxis(rough, -1, 1)
    picked = visited[:, :: max(1, visited.shape[1] // 3)].reshape(-1, *starts.shape[1:])
    spectra += [states for states in picked if np.isfinite(states).all()]
    return numpy_rates(group, _fitted(group, spectra, CLOSURE_ACCURACY))


def _fitted(group: Group, spectra: list[NDArray], accuracy: float) -> Rule:
    program = program_of(group.dynamics())
    numbers = group.numbers()
    worst = int(np.argmax(numbers["sigma2"]))
    chosen = {name: float(numbers[name][worst]) for name in program.parameters}
    nodes = fit_nodes(program, np.stack(spectra), chosen, accuracy).nodes
    values = tuple(np.asarray(nodes.values[name])[:, :, None] for name in program.node_names)
    return Rule(np.asarray(nodes.weights)[:, None, None], values)


def _multistep(group: Group, rates: Rates, start: NDArray, row: int) -> NDArray | None:
    """One problem by LSODA from saved time to saved time (states, modes, times).

    Returns:
        None where it takes too long.
    """
    only, values, spent = np.array([row]), [start], 0

    def flat(time: float, y: NDArray) -> NDArray:
        return rates.evaluate(np.array([time]), y.reshape(1, *start.shape), only, None).ravel()

    for begin, end in zip(group.times, group.times[1:], strict=False):
        solver = LSODA(flat, begin, values[-1].ravel(), end, rtol=1e-13, atol=1e-20)
        while solver.status == "running":
            solver.step()
            if spent + solver.nfev > MOST_EVALUATIONS:
                return None
        if solver.status == "failed":
            return None
        spent += solver.nfev
        values.append(solver.y.reshape(start.shape))
    return np.stack(values, axis=-1)
