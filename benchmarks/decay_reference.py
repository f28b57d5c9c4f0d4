"""Solve decaying systems by routes that share no integrator with the engines.

Three routes, by the kind of system:

- Without averages: Dormand-Prince 8 in C at 1e-13 of every state, with steps that end at every
  saved time (`contract_native`), twice.
- One state and a loss that knows no scale, F(cs) = F(s)/c^p: with s = exp(-ωt) u and
  dτ/dt = exp((1+p)ωt), u follows the dynamics without decay in τ. These are solved once by Radau,
  and held from where nothing moves any more.
- All others with averages: Radau in the logarithms of the states, and in velocities and
  predictors over what they move. Where the loss knows no scale, Euler's theorem Σ λ^β s F = 0 is
  kept by taking the mean that round-off and averages leave out of the relative forces.

Rates are evaluated by NumPy, not by machine code, and averages at nodes of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from time import process_time

import numpy as np
from contract_native import FOUND, native
from contract_problems import Group
from numpy.typing import NDArray
from scipy.integrate import Radau

from eigendyn.program.averaging import Nodes
from eigendyn.program.in_numpy import rates
from eigendyn.settings.choices import LOSS_ROWS
from eigendyn.simulation.equations import Equations
from eigendyn.simulation.initial import field_parameters
from eigendyn.simulation.nodes import fit_nodes

FINE, COARSER = 1e-13, 10.0  # of explicit steps, and by how much the second run's are larger
IMPLICIT = 1e-13  # of implicit steps, in logarithms: at 1e-11 references were 6 tolerances off
AVERAGES = 3e-12  # accuracy of the nodes
MOST = 20_000  # implicit steps …
PATIENCE = 120.0  # … and seconds of processor
GONE = 1e-30  # largest mode that is zero, absolutely
SUNK = 1e-3  # largest mode below which a loss without scale is not followed: forces grow as 1/Σv
HELD = 1e-12  # change between two times, in logarithms, from which on nothing moves


class NoReference(Exception):
    """There is no solution to compare with, and why."""


def explicit(group: Group) -> Callable[[int], tuple[NDArray, float]]:
    """Compile problems without averages.

    Returns:
        A function of a problem's number: states (states, modes, times), and the largest
        difference of two runs over the tolerance of 1e-12 + 1e-10 |s|.
    """
    solve = native(group)

    def solved(row: int) -> tuple[NDArray, float]:
        values, end = solve(row, FINE)
        other, _ = solve(row, COARSER * FINE)
        last = np.flatnonzero(np.isfinite(values).all(axis=(0, 1)))[-1]
        if end != FOUND:
            if np.abs(values[0, :, last]).max() > GONE:
                message = f"explicit steps end after t = {group.times[last]:g}"
                raise NoReference(message)
            values[..., last + 1 :] = other[..., last + 1 :] = 0.0
        doubt = np.abs(values - other) / (1e-12 + 1e-10 * np.abs(values))
        return values, float(np.nanmax(doubt))

    return solved


@dataclass(frozen=True)
class Averaged:
    """A system with averages, and its nodes.

    Args:
        system: The equations.
        nodes: Of its averages.
    """

    system: Equations
    nodes: Nodes

    @property
    def names(self) -> tuple[str, ...]:
        """States."""
        return self.system.program.states

    def rates(self, time: float, states: NDArray, decay: float | None = None) -> list[NDArray]:
        """Rates (modes, columns) of states (states, modes, columns), then λ."""
        program, chosen = self.system.program, self.system.chosen
        numbers = field_parameters(program, chosen, self.system.numbers)
        if decay is not None:
            numbers["weight_decay"] = decay
        both = replace(program, rates=(*program.rates, program.predictor))
        shape = states.shape[1:]
        with np.errstate(all="ignore"):
            found = rates(both, states, numbers, self.nodes, np.full(shape[1], time))
        return [np.broadcast_to(each, shape) for each in found]


def averaged(system: Equations, visited: NDArray) -> Averaged:
    """Choose nodes that serve states (points, states, modes)."""
    numbers = field_parameters(system.program, system.chosen, system.numbers)
    return Averaged(system, fit_nodes(system.program, visited, numbers, AVERAGES).nodes)


def degree(one: Averaged, start: NDArray) -> float | None:
    """The p of F(cs) = F(s)/c^p, or None if forces F of the only state know a scale."""
    if len(one.names) > 1:
        return None
    forces = [one.rates(0, c * start[..., None], decay=0.0)[0][:, 0] for c in (1.0, 0.5, 0.125)]
    if not all(np.abs(force).max() > 0 for force in forces):
        return None
    sizes = [np.log2(np.abs(force).max()) for force in forces]
    p = sizes[1] - sizes[0]
    shapes = [force / np.abs(force).max() for force in forces]
    same = max(np.abs(shape - shapes[0]).max() for shape in shapes) < 1e-8
    return round(p, 6) if same and abs(sizes[2] - sizes[0] - 3 * p) < 1e-6 else None


def by_time_change(
    one: Averaged, p: float, start: NDArray, times: NDArray, decays: Sequence[float]
) -> list[NDArray]:
    """States (1, modes, times) for each weight decay."""

    def stretched(decay: float) -> NDArray:
        with np.errstate(over="ignore"):
            return times if decay == 0 else np.expm1((1 + p) * decay * times) / ((1 + p) * decay)

    every = np.unique(np.concatenate([stretched(decay) for decay in decays]))
    every = every[np.isfinite(every)]

    def slopes(_: float, x: NDArray) -> NDArray:
        states = np.exp(x)[None]
        return one.rates(0, states, decay=0.0)[0] / states[0]

    found = _solved(slopes, np.log(start[0]), every)
    return [
        np.exp(found[:, np.minimum(np.searchsorted(every, stretched(decay)), len(every) - 1)])[None]
        * np.exp(-decay * times)
        for decay in decays
    ]


def by_logarithms(one: Averaged, start: NDArray, times: NDArray, has_scale: bool) -> NDArray:
    """States (states, modes, times); NaN from where the largest mode has sunk, or time is up."""
    names, size = one.names, start.shape
    chosen = one.system.chosen
    over = {"velocity": "singular_value", "predictor_velocity": "predictor_value"}
    logged = [name not in over and name != "predictor_value" for name in names]
    at = names.index
    power = LOSS_ROWS[chosen.loss].beta or float(chosen.beta or 0)

    def states_of(x: NDArray) -> NDArray:
        states = x.copy()
        for i in range(len(names)):
            if logged[i]:
                states[i] = np.exp(x[i])
        for name, moved in over.items():
            if name in names:
                states[at(name)] = x[at(name)] * states[at(moved)]
        return states

    def slopes(time: float, x: NDArray) -> NDArray:
        x = x.reshape(*size, -1)
        states = states_of(x)
        *found, eigenvalue = one.rates(time, states)
        found = [np.array(each) for each in found]
        if not has_scale:
            _keep_theorem(found, states, eigenvalue)
        slope = np.empty_like(x)
        for i in range(len(names)):
            slope[i] = found[i] / states[i] if logged[i] else found[i]
        for name, moved in over.items():
            if name in names:
                i, j = at(name), at(moved)
                slope[i] = found[i] / states[j] - x[i] * found[j] / states[j]
        return slope.reshape(size[0] * size[1], -1)

    def _keep_theorem(found: list[NDArray], states: NDArray, eigenvalue: NDArray) -> None:
        driven = {"singular_value": ("velocity", chosen.weight_decay)}
        if "predictor_value" in names:
            driven["predictor_value"] = ("predictor_velocity", chosen.predictor_decay)
        for name, (velocity, decay) in driven.items():
            state = states[at(name)]
            drive, mass = found[at(name)], 1.0
            if velocity in names:
                mass = chosen.learning_rate * (1 + chosen.momentum) / 2
                drive = mass * found[at(velocity)] + (1 - chosen.momentum) * states[at(velocity)]
            force = drive + decay * state
            lever = np.abs(eigenvalue) ** power * state**2
            mean = (lever * force / state).sum(axis=0) / lever.sum(axis=0)
            moved = velocity if velocity in names else name
            found[at(moved)] -= mean * state / mass

    with np.errstate(divide="ignore"):
        begin = np.where(np.array(logged)[:, None], np.log(np.abs(start)), start)
    lowest = np.log(SUNK)
    found = _solved(slopes, begin.ravel(), times, ends=lambda x: x[: size[1]].max() < lowest)
    return states_of(found.reshape(*size, -1))


def _solved(
    slopes: Callable[[float, NDArray], NDArray],
    begin: NDArray,
    times: NDArray,
    ends: Callable[[NDArray], bool] | None = None,
) -> NDArray:
    """Coordinates (numbers, times) by Radau, with steps that end at every time.

    Without `ends`, they are held from where nothing moves; with it, they are NaN from where it
    says so.
    """

    def of(time: float, x: NDArray) -> NDArray:
        return slopes(time, x[:, None])[:, 0]

    def jacobian(time: float, x: NDArray) -> NDArray:
        near = 1e-6 * np.eye(len(x))
        columns = np.concatenate([x[:, None] + near, x[:, None] - near], axis=1)
        ahead, behind = np.split(slopes(time, columns), 2, axis=1)
        return (ahead - behind) / 2e-6

    found, steps, first, began = [begin], 0, None, process_time()
    for begin_at, end in pairwise(times):
        step = None if first is None else min(first, end - begin_at)
        solver = Radau(
            of,
            begin_at,
            found[-1],
            end,
            rtol=IMPLICIT,
            atol=IMPLICIT,
            jac=jacobian,
            first_step=step,
        )
        while solver.status == "running":
            before = solver.t
            solver.step()
            steps += 1
            if solver.t < end:
                first = solver.t - before
            is_late = steps > MOST or process_time() - began > PATIENCE
            if is_late and (ends is None or len(found) < 3):
                message = f"too many implicit steps, {steps} at t = {solver.t:g}"
                raise NoReference(message)
            if ends is not None and (is_late or ends(solver.y)):
                found += [np.full_like(begin, np.nan)] * (len(times) - len(found))
                return np.stack(found, axis=1)
        if solver.status == "failed" or not np.isfinite(solver.y).all():
            message = f"implicit steps fail at t = {solver.t:g}"
            raise NoReference(message)
        found.append(solver.y)
        if ends is None and end > 2 * begin_at and np.abs(found[-1] - found[-2]).max() < HELD:
            found += [solver.y] * (len(times) - len(found))
            break
    return np.stack(found, axis=1)
