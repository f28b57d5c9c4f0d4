"""A group of random problems enters; its states at the saved times, to about 1e-12, leave.

The same symbolic dynamics as the engines', but evaluated by NumPy and integrated by Dormand–Prince
8 with a step of its own for every problem that ends at every saved time. Where that runs out of
steps, two runs of LSODA stand in, if they agree. `checked` integrates one problem a second time.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

import numpy as np
import sympy as sp
from contract_problems import Group
from numpy.typing import NDArray
from scipy.integrate import DOP853, solve_ivp

from eigendyn import symbols as sym
from eigendyn.compile import NODE_SYMBOLS
from eigendyn.nodes import fit_nodes
from eigendyn.program.derivation import program_of

RTOL, ATOL = 1e-13, 1e-17
MOST_STEPS = 3_000  # for stiff problems there is another method
CLOSURE_ACCURACY = 1e-12
STIFF_RTOLS = (1e-13, 1e-12)  # of two runs that must agree
AGREE = 0.2  # of the tolerance
PATIENCE, PATIENCE_OF_ALL = 6.0, 20.0  # seconds for a stiff problem, and for those of a group

Rates = Callable[[NDArray, NDArray, NDArray], NDArray]  # times, states, which problems


@dataclass(frozen=True)
class Rule:
    """Nodes of an average, each (nodes, 1, 1)."""

    weights: NDArray
    values: tuple[NDArray, ...] = ()


def reference(group: Group) -> tuple[NDArray, Rates]:
    """States (problems, states, modes, times), NaN where none was found, and their rates.

    Nodes of a quadrature are fitted twice, the second time to what the first run visited.
    """
    dynamics = group.dynamics()
    states = tuple(str(state) for state in dynamics.states)
    start = group.starts(states)
    if dynamics.closure != "exact quadrature":
        rates = numpy_rates(group, Rule(np.zeros(0)))
        return _with_stiff_ones(group, rates, integrate(rates, start, group.times)), rates
    spectra = [*start, *np.broadcast_to(np.sqrt((start**2).mean(2, keepdims=True)), start.shape)]
    rough = numpy_rates(group, _fitted(group, spectra, 1e-9))
    visited = np.moveaxis(integrate(rough, start, group.times, 1e-8, 1e-12), -1, 1)
    picked = visited[:, :: max(1, visited.shape[1] // 3)].reshape(-1, *start.shape[1:])
    spectra += [states for states in picked if np.isfinite(states).all()]
    rates = numpy_rates(group, _fitted(group, spectra, CLOSURE_ACCURACY))
    return _with_stiff_ones(group, rates, integrate(rates, start, group.times)), rates


def _with_stiff_ones(group: Group, rates: Rates, values: NDArray) -> NDArray:
    """Fill in what ran out of steps by LSODA, as far as two of its tolerances agree."""
    last = monotonic() + PATIENCE_OF_ALL
    for row in np.flatnonzero(~np.isfinite(values).all(axis=(1, 2, 3))):
        until = min(last, monotonic() + PATIENCE)
        best, other = (
            _stiff(group, rates, values[row, ..., 0], row, rtol, until) for rtol in STIFF_RTOLS
        )
        allowed = AGREE * (group.atol + group.rtol * np.abs(best))
        if (np.abs(best - other) <= allowed).all():
            values[row] = best
    return values


def _fitted(group: Group, spectra: list[NDArray], accuracy: float) -> Rule:
    program = program_of(group.dynamics())
    weights, values = [], []
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


def numpy_rates(group: Group, rule: Rule) -> Rates:
    """Rates d states/dt of (problems, states, modes) in NumPy."""
    dynamics = group.dynamics()
    definitions = [*dynamics.definitions, (sym.lam, dynamics.predictor)]

    def defined(expression: sp.Expr) -> sp.Expr:
        for symbol, meaning in definitions:
            expression = expression.xreplace({symbol: meaning})
        return expression

    local, parts = sym.detach(sp.Tuple(*dynamics.rates), sym.Average)
    rates = [defined(rate) for rate in local]
    integrands = [defined(average.args[0]) for average in parts.values()]
    free = set().union(*(e.free_symbols for e in (*rates, *integrands)))
    nodes = [symbol for symbol in NODE_SYMBOLS if symbol in free]
    named = sorted(free - {sym.time, sym.modes, *dynamics.states, *nodes, *parts}, key=str)
    arguments = [sym.time, sym.modes, *dynamics.states, *named]
    functions = {
        "ModeSum": lambda x: np.sum(x, axis=-1, keepdims=True),
        "ModeMaximum": lambda x: np.max(x, axis=-1, keepdims=True),
    }
    options = {"modules": [functions, "numpy"], "cse": True, "dummify": True}
    rate_code = sp.lambdify([*arguments, *parts], rates, **options)
    node_code = sp.lambdify([*arguments, *nodes], integrands, **options)
    numbers = group.numbers()
    table = np.stack([numbers[str(name)] for name in named]) if named else np.zeros((0, 1))

    def evaluate(times: NDArray, states: NDArray, which: NDArray) -> NDArray:
        given = [times[:, None], states.shape[-1], *np.moveaxis(states, 1, 0)]
        given += [row[which][:, None] for row in table]
        averages = []
        if integrands:
            found = node_code(*given, *rule.values)
            averages = [(rule.weights * integrand).sum(axis=0) for integrand in found]
        found = rate_code(*given, *averages)
        return np.stack([np.broadcast_to(x, states[:, 0].shape) for x in found], axis=1)

    return evaluate


def integrate(
    rates: Rates, start: NDArray, times: NDArray, rtol: float = RTOL, atol: float = ATOL
) -> NDArray:
    """Dormand–Prince 8, a step for every problem, ending at saved times (problems, …, times)."""
    values = np.full((*start.shape, len(times)), np.nan)
    values[..., 0] = start
    y, saved = start.copy(), np.ones(len(start), int)
    time, step = np.zeros(len(start)), np.full(len(start), 1e-9)
    active = np.arange(len(start))
    for _ in range(MOST_STEPS):
        if not len(active):
            break
        left = times[saved[active]] - time[active]
        h = np.minimum(step[active], left)
        new, ratio = _step(rates, time[active], y[active], h, active, rtol, atol)
        good = ratio <= 1
        factor = np.clip(0.9 * np.maximum(ratio, 1e-12) ** (-1 / 8), 0.2, np.where(good, 5.0, 1.0))
        factor[~np.isfinite(ratio)] = 0.2
        ends = good & (h >= left)
        step[active] = np.where(ends, np.maximum(h * factor, step[active]), h * factor)
        moved = active[good]
        y[moved] = new[good]
        time[moved] += h[good]
        arrived = active[ends]
        time[arrived] = times[saved[arrived]]
        values[arrived, ..., saved[arrived]] = y[arrived]
        saved[arrived] += 1
        stuck = step[active] < 1e-18
        active = active[(saved[active] < len(times)) & ~stuck]
    return values


def _step(
    rates: Rates, t: NDArray, y: NDArray, h: NDArray, which: NDArray, rtol: float, atol: float
) -> tuple[NDArray, NDArray]:
    """New states, and the error of each problem over what is allowed."""
    wide = h[:, None, None]
    with np.errstate(all="ignore"):
        stages = [rates(t, y, which)]
        for row, c in zip(DOP853.A[1:], DOP853.C[1:], strict=True):
            moved = sum(a * k for a, k in zip(row, stages, strict=False) if a)
            stages.append(rates(t + c * h, y + wide * moved, which))
        new = y + wide * sum(b * k for b, k in zip(DOP853.B, stages, strict=True) if b)
        stages.append(rates(t + h, new, which))
        scale = atol + rtol * np.maximum(np.abs(y), np.abs(new))
        fifth, third = (
            np.square(sum(e * k for e, k in zip(row, stages, strict=True) if e) / scale).max((1, 2))
            for row in (DOP853.E5, DOP853.E3)
        )
        ratio = h * fifth / np.sqrt(np.maximum(fifth + 0.01 * third, 1e-300))
    return new, np.where(np.isfinite(new).all((1, 2)), ratio, np.inf)


def checked(group: Group, rates: Rates, start: NDArray) -> NDArray:
    """The first problem by LSODA at 1e-13, from saved time to saved time (states, modes, times)."""
    return _stiff(group, rates, start, 0, STIFF_RTOLS[0], np.inf)


def _stiff(
    group: Group, rates: Rates, start: NDArray, row: int, rtol: float, until: float
) -> NDArray:
    """One problem by LSODA (states, modes, times), NaN from where it gave up or took too long."""
    shape, only = start.shape, np.array([row])
    values = np.full((*shape, len(group.times)), np.nan)
    values[..., 0] = y = start

    def flat(t: float, y: NDArray) -> NDArray:
        if monotonic() > until:
            raise TimeoutError
        return rates(np.array([t]), y.reshape(1, *shape), only).ravel()

    with warnings.catch_warnings(), suppress(TimeoutError):
        warnings.simplefilter("ignore")
        for i, ends in enumerate(zip(group.times, group.times[1:], strict=False), 1):
            found = solve_ivp(flat, ends, y.ravel(), "LSODA", rtol=rtol, atol=1e-3 * rtol)
            if not found.success:
                break
            values[..., i] = y = found.y[:, -1].reshape(shape)
    return values
