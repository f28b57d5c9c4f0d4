"""A group of random problems enters; its states at the saved times, to about 1e-12, leave.

Nothing of the engines is used but the symbolic dynamics, which NumPy evaluates (`contract_rates`).
Dormand–Prince 8 takes a step of its own for every problem, ends it at every saved time, and where
another mode becomes the largest. What it does not finish goes to `contract_stiff`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from contract_problems import Group
from contract_rates import Rates, Rule, numpy_rates
from contract_stiff import stiff
from numpy.typing import NDArray
from scipy.integrate import DOP853

from eigendyn.nodes import fit_nodes
from eigendyn.program.derivation import program_of

RTOL = 1e-13
NOTHING = 1e-30  # error allowed to a state that has vanished: it may grow again …
RESTING = 1e-17  # … but for a velocity
MOST_STEPS = 3_000  # of a problem that is not stiff
SHORTEST = 1e-15  # step over time where the solution ends
OVERTAKEN = 1e-12  # by how much another mode may be larger than the one held to be the largest
CLOSURE_ACCURACY = 1e-12
FOUND, ENDED, STIFF = 0, 1, 2  # why a problem's values are all there, or not


@dataclass(frozen=True)
class Reference:
    """What is known of a group.

    Args:
        values: States (problems, states, modes, times), NaN where none was found.
        ends: FOUND, ENDED (rates without bound: no solution beyond), or STIFF (problems,).
    """

    values: NDArray
    ends: NDArray


def reference(group: Group) -> Reference:
    """Solve a group.

    Nodes of a quadrature are fitted twice, the second time to what the first run visited.
    """
    states = tuple(str(state) for state in group.dynamics().states)
    start = group.starts(states)
    rates = rates_of(group, start)
    values, steps = integrate(rates, start, group.times)
    ends = np.where(steps > 0, STIFF, np.where(steps < 0, ENDED, FOUND))
    for row in np.flatnonzero(ends == STIFF):
        found = stiff(group, rates, values[row], row, steps[row])
        if found is not None:
            values[row], ends[row] = found, FOUND
    return Reference(values, ends)


def rates_of(group: Group, start: NDArray) -> Rates:
    """Rates of a group, averages taken where its states go."""
    if group.dynamics().closure != "exact quadrature":
        return numpy_rates(group)
    spectra = [*start, *np.broadcast_to(np.sqrt((start**2).mean(2, keepdims=True)), start.shape)]
    rough = numpy_rates(group, _fitted(group, spectra, 1e-9))
    visited = np.moveaxis(integrate(rough, start, group.times, 1e-8, 1e-12)[0], -1, 1)
    picked = visited[:, :: max(1, visited.shape[1] // 3)].reshape(-1, *start.shape[1:])
    spectra += [states for states in picked if np.isfinite(states).all()]
    return numpy_rates(group, _fitted(group, spectra, CLOSURE_ACCURACY))


def _fitted(group: Group, spectra: list[NDArray], accuracy: float) -> Rule:
    program = program_of(group.dynamics())
    numbers = group.numbers()
    worst = max(range(len(group.variances)), key=lambda i: numbers["sigma2"][i])
    fit = fit_nodes(
        program,
        np.stack(spectra),
        {name: float(numbers[name][worst]) for name in program.parameters},
        accuracy,
    )
    weights = np.asarray(fit.nodes.weights)[:, None, None]
    values = tuple(np.asarray(fit.nodes.values[name])[:, :, None] for name in program.node_names)
    return Rule(weights, values)


def integrate(
    rates: Rates, start: NDArray, times: NDArray, rtol: float = RTOL, nothing: float = NOTHING
) -> tuple[NDArray, NDArray]:
    """Dormand–Prince 8.

    Returns:
        States (problems, …, times), NaN from where it stopped; and the step with which it stopped
        (problems,): zero where it arrived, −1 where steps vanish.
    """
    values = np.full((*start.shape, len(times)), np.nan)
    values[..., 0] = start
    floor = np.where(rates.resting, max(RESTING, nothing), nothing)[:, None]
    y, saved = start.copy(), np.ones(len(start), int)
    time, step = np.zeros(len(start)), np.full(len(start), 1e-9)
    active = np.arange(len(start)) if len(times) > 1 else np.zeros(0, int)
    ranked = rates.ranked
    leaders = None if ranked is None else _leaders(ranked(y))
    for _ in range(MOST_STEPS):
        if not len(active):
            break
        left = times[saved[active]] - time[active]
        h = np.minimum(step[active], left)
        held = None if leaders is None else leaders[active]
        new, ratio = _step(rates, time[active], y[active], h, active, held, rtol, floor)
        good = ratio <= 1
        factor = np.clip(0.9 * np.maximum(ratio, 1e-12) ** (-1 / 8), 0.2, np.where(good, 5.0, 1.0))
        factor[~np.isfinite(ratio)] = 0.2
        if held is not None:
            late, share = _overtaken(ranked, y[active], new, held)
            factor = np.where(good & late, share, factor)
            good &= ~late
        ends = good & (h >= left)
        step[active] = np.where(ends, np.maximum(h * factor, step[active]), h * factor)
        moved = active[good]
        y[moved] = new[good]
        time[moved] += h[good]
        if leaders is not None:
            leaders[moved] = _leaders(ranked(y[moved]))
        arrived = active[ends]
        time[arrived] = times[saved[arrived]]
        values[arrived, ..., saved[arrived]] = y[arrived]
        saved[arrived] += 1
        stuck = step[active] < np.maximum(SHORTEST * time[active], 1e-25)
        step[active[stuck]] = -1.0
        active = active[(saved[active] < len(times)) & ~stuck]
    return values, np.where(saved == len(times), 0.0, step)


def _leaders(ranked: NDArray) -> NDArray:
    return np.argmax(ranked, axis=-1)[:, None]


def _overtaken(ranked, before: NDArray, after: NDArray, held: NDArray) -> tuple[NDArray, NDArray]:
    """Whether a step ends too far behind the change of the largest mode, and where that is.

    The share of the step is that of a straight line through the lead at both ends.
    """
    with np.errstate(all="ignore"):
        ends, begins = ranked(after), ranked(before)
        rival = _leaders(ends)
        most = np.take_along_axis(ends, rival, -1)
        ahead = (np.take_along_axis(ends, held, -1) - most)[:, 0]
        was = (np.take_along_axis(begins, held, -1) - np.take_along_axis(begins, rival, -1))[:, 0]
        share = np.clip(was / (was - ahead), 0.02, 0.98)
        late = ahead < -OVERTAKEN * np.abs(most[:, 0])
    return late, np.where(np.isfinite(share), share, 0.5)


def _step(
    rates: Rates,
    t: NDArray,
    y: NDArray,
    h: NDArray,
    which: NDArray,
    held: NDArray | None,
    rtol: float,
    floor: NDArray,
) -> tuple[NDArray, NDArray]:
    """New states, and the error of each problem over what is allowed."""
    wide = h[:, None, None]
    with np.errstate(all="ignore"):
        stages = [rates.evaluate(t, y, which, held)]
        for row, c in zip(DOP853.A[1:], DOP853.C[1:], strict=True):
            moved = sum(a * k for a, k in zip(row, stages, strict=False) if a)
            stages.append(rates.evaluate(t + c * h, y + wide * moved, which, held))
        new = y + wide * sum(b * k for b, k in zip(DOP853.B, stages, strict=True) if b)
        stages.append(rates.evaluate(t + h, new, which, held))
        scale = floor + rtol * np.maximum(np.abs(y), np.abs(new))
        fifth, third = (
            np.square(sum(e * k for e, k in zip(row, stages, strict=True) if e) / scale).max((1, 2))
            for row in (DOP853.E5, DOP853.E3)
        )
        ratio = h * fifth / np.sqrt(np.maximum(fifth + 0.01 * third, 1e-300))
    return new, np.where(np.isfinite(new).all((1, 2)), ratio, np.inf)
