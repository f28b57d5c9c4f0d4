r"""Measure what a training loop prints: the loss, and how many dimensions a representation uses.

The loss is E[ℓ] as it is written, by the closure of the dynamics. Of the variances v_m, with shares
q_m = v_m/Σv, the effective rank is exp(−Σ q ln q) and the participation ratio 1/Σ q². For
z/‖z‖ of any one view, whose noise only scales z,

    E[z_m²/‖z‖²] = ½ ∫₀^∞ q_m/(1 + u q_m) Π_k (1 + u q_k)^{−½} du,

by a trapezoid rule in ln u. Its integrand is analytic for |Im ln u| < π, and for many modes no
larger than on the axis up to π/2, so that a step h errs by exp(−π²/h); how far the sum over modes
is from one says what is left.

Source: Roy and Vetterli 2007, effective rank; Chen and He 2021 (SimSiam), deviation of z/‖z‖.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import NoExactClosure
from eigendyn.program import Operation, Program
from eigendyn.program.averaging import Nodes
from eigendyn.program.in_numpy import quantities, rates
from eigendyn.program.integrand import integrand
from eigendyn.results.labelled import Column
from eigendyn.results.trajectory import Numbers, of_row, of_rows
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.states import DEGREES
from eigendyn.simulation.equations import Equations
from eigendyn.simulation.nodes import fit_nodes, reference_nodes
from eigendyn.simulation.samples import draw_samples

ACCURACY = 1e-7  # of the loss at best, as a fraction of the average size of what is averaged
LOOKED = 4  # states of a trajectory that nodes are chosen for, and judged in
FEW = 2**24  # modes × nodes × times from which on compiling takes less time than it saves
BLOCK = 2**22  # modes × times in one intermediate array
SAMPLES = 2**24  # modes × samples × times that a sampled loss may cost, at a hundred samples
STEP = 0.35  # of ln u
NOTHING = 1e-13  # of the integral over u that is left out at either end
FAINT = 1e-6  # largest singular value below which the powers in a ratio may be no numbers
RATIOS = ("exact quadrature", "mean field")
LARGEST = 64  # shares that say how far the integral over u must reach
TRUST = {
    "exact moments": "exact: no error but round-off",
    "exact quadrature": "largest absolute difference from a finer and wider rule",
    "mean field": "not estimated: leading order in 1/modes",
    "sampled": "largest standard error",
}


@dataclass(frozen=True)
class Measures:
    """What representations are like at the saved times.

    Args:
        loss: E[ℓ] (times,).
        closure: Closure by which it was taken.
        error: Its absolute error, as `error_meaning` says; NaN if not estimated.
        error_meaning: What the error is.
        effective_rank: exp(−Σ q ln q) (times,).
        participation_ratio: 1/Σ q² (times,).
        deviation: √(M E[z_m²/‖z‖²]) (modes, times).
        deviation_error: Its largest relative error.
    """

    loss: NDArray  # (times,)
    closure: str
    error: float
    error_meaning: str
    effective_rank: NDArray  # (times,)
    participation_ratio: NDArray  # (times,)
    deviation: NDArray  # (modes, times)
    deviation_error: float


def measures(
    system: Equations, states: NDArray, times: NDArray, parameters: Mapping[str, float]
) -> Measures:
    """Measure a trajectory.

    Args:
        system: The equations that it follows, of a loss.
        states: Its states (states, modes, times), the singular value first.
        times: Saved times (times,).
        parameters: By name, the numbers that the equations and the loss need.
    """
    program = _value(system)
    seen = _visible(system, states)
    loss, error = expected_loss(program, seen, times, parameters, system.chosen)
    rank, ratio = ranks(states[0])
    squares, missing = zip(*map(normalised_squares, _blocks(states[0])), strict=True)
    deviation = np.concatenate(squares, axis=1)
    np.sqrt(np.multiply(deviation, len(deviation), out=deviation), out=deviation)
    return Measures(
        loss=loss,
        closure=program.closure,
        error=error,
        error_meaning=TRUST[program.closure],
        effective_rank=rank,
        participation_ratio=ratio,
        deviation=deviation,
        deviation_error=float(np.max(missing)),
    )


def _visible(system: Equations, states: NDArray) -> NDArray:
    """The states, enlarged where they are too small for numbers and a ratio knows no scale."""
    if not (system.scale_free and _value(system).closure in RATIOS):
        return states
    largest = np.abs(states[0]).max(axis=0)
    scale = np.where(
        (largest > 0) & (largest < FAINT), FAINT / np.where(largest > 0, largest, 1), 1
    )
    degrees = np.array([DEGREES.get(name, 0.0) for name in system.program.states])
    return states * scale ** degrees[:, None, None]


def _value(system: Equations) -> Program:
    assert system.value is not None  # of a loss
    return system.value


def _blocks(singular_values: NDArray) -> list[NDArray]:
    """Singular values (modes, times) in pieces: long spectra need memory for results only."""
    return np.array_split(singular_values, 1 + singular_values.size // BLOCK, axis=1)


def ranks(singular_values: NDArray) -> tuple[NDArray, NDArray]:
    """Effective rank and participation ratio (times,) of singular values (modes, times)."""
    entropies, ratios = [], []
    for shares in map(_shares, _blocks(singular_values)):
        with np.errstate(divide="ignore", invalid="ignore"):
            entropies.append(-np.where(shares > 0, shares * np.log(shares), shares).sum(axis=0))
            ratios.append(1 / (shares**2).sum(axis=0))
    return np.exp(np.concatenate(entropies)), np.concatenate(ratios)


def columns(found: Measures) -> dict[str, Column]:
    """The same as labelled arrays."""
    over = ("time",)
    loss = {
        "long_name": "expected loss as it is written, E[ℓ]",
        "units": "1",
        "closure": found.closure,
        "error": found.error,
        "error_meaning": found.error_meaning,
    }
    deviation = (
        "standard deviation over samples of z/‖z‖ along the mode, √E[z²/‖z‖²], times √modes: "
        "1 if all variances are equal"
    )
    return {
        "expected_loss": Column(over, found.loss, loss),
        **rank_columns(found.effective_rank, found.participation_ratio),
        "normalised_deviation": Column(
            ("mode", "time"), found.deviation, _named(deviation) | {"error": found.deviation_error}
        ),
    }


def rank_columns(effective_rank: NDArray, participation_ratio: NDArray) -> dict[str, Column]:
    """How many modes share the variance (times,), as labelled arrays."""
    rank = "effective rank of the variances, exp(−Σ q ln q) with q = v/Σv (Roy & Vetterli 2007)"
    ratio = "participation ratio of the variances, (Σv)²/Σv²"
    return {
        "effective_rank": Column(("time",), effective_rank, _named(rank)),
        "participation_ratio": Column(("time",), participation_ratio, _named(ratio)),
    }


def _named(long_name: str) -> dict[str, object]:
    return {"long_name": long_name, "units": "1"}


def expected_loss(
    program: Program, states: NDArray, times: NDArray, parameters: Numbers, chosen: Settings
) -> tuple[NDArray, float]:
    """E[ℓ] at every time (times,), and its error.

    Args:
        program: Of the loss's value, its only rate.
        states: States (states, modes, times).
        times: Saved times (times,).
        parameters: By name, one number, or one for each time; of one that modes have each for
            themselves a table (times, modes), one row where it does not change.
        chosen: Accuracy of the closure; number and seed of samples.
    """
    if not program.node_names:
        (place,) = program.rates
        (value,) = quantities(program, [place], states, parameters, times)
        error = math.nan if program.closure == "mean field" else 0.0
        return np.broadcast_to(value, (1, len(times)))[0].astype(float), error
    if program.closure == "sampled":
        return _sampled(program, states, parameters, chosen)
    looked = np.unique(np.linspace(0, len(times) - 1, LOOKED).round().astype(int))
    some = np.moveaxis(states[..., looked], -1, 0)
    try:
        accuracy = max(ACCURACY, chosen.closure_accuracy)
        own = of_rows(parameters, looked)
        fit = fit_nodes(program, some, own, accuracy)
    except NoExactClosure:  # states from which nothing finite follows
        return np.full(len(times), np.nan), math.nan
    value = _averaged(program, states, parameters, fit.nodes)[0]
    finer = _averaged(program, states[..., looked], own, reference_nodes(program, fit))[0]
    return value, float(np.abs(finer - value[looked]).max())


def normalised_squares(singular_values: NDArray) -> tuple[NDArray, float]:
    """E[z_m²/‖z‖²] of every mode (modes, times), and the largest deviation of their sum from one.

    Args:
        singular_values: (modes, times).
    """
    shares = _shares(singular_values)
    usable = np.isfinite(shares).all(axis=0)
    found = np.full(shares.shape, np.nan)
    if not usable.any():
        return found, math.nan
    found[:, usable] = _averaged(_SQUARES, shares[None][..., usable], {}, _axis(shares[:, usable]))
    total = found[:, usable].sum(axis=0)
    return found, float(np.abs(total - 1).max())


def _shares(singular_values: NDArray) -> NDArray:
    """Shares of the variance (modes, times), not a number where there is none."""
    with np.errstate(all="ignore"):
        scaled = singular_values / singular_values.max(axis=0)
        return scaled**2 / (scaled**2).sum(axis=0)


def _axis(shares: NDArray) -> Nodes:
    """Nodes in u that serve all these shares (modes, times).

    Beyond u the integral of what is left is Π (1 + u q)^{−½}, all of it less than that of some.
    """
    count = min(LARGEST, len(shares))
    largest = np.partition(shares, len(shares) - count, axis=0)[-count:]
    end = 0.0
    while end < 80 and _left(largest, np.exp(end)) > NOTHING:
        end += 4 * STEP
    x = np.arange(math.log(NOTHING), end + STEP, STEP)
    return Nodes(STEP * np.exp(x) / 2, {"u": np.exp(x)[:, None]})


def _left(shares: NDArray, u: float) -> float:
    return float(np.exp(-np.log1p(u * shares).sum(axis=0) / 2).max())


def _averaged(program: Program, states: NDArray, parameters: Numbers, nodes: Nodes) -> NDArray:
    """The only rate of a program (modes, times), or (1, times) if all modes share it."""
    modes, count = states.shape[1:]
    shared = not program.local[program.rates[0]]
    if modes * len(nodes.weights) * count < FEW:
        return rates(program, states, parameters, nodes)[0]
    from eigendyn.program.machine.field import rates_of_many

    found = np.empty((1 if shared else modes, count))
    size = max(1, BLOCK // modes)
    for first in range(0, count, size):
        points = np.moveaxis(states[..., first : first + size], -1, 0).astype(float)
        own = of_rows(parameters, slice(first, first + size))
        every = rates_of_many(program, nodes, points, own)[:, 0]
        found[:, first : first + size] = every[:, : len(found)].T
    return found


def _sampled(
    program: Program, states: NDArray, parameters: Numbers, chosen: Settings
) -> tuple[NDArray, float]:
    modes, count = states.shape[1:]
    samples = max(100, min(chosen.samples, SAMPLES // (modes * count)))
    nodes = draw_samples(program, modes, samples, chosen.seed)
    means, errors = [], []
    size = max(1, BLOCK // modes)
    for i in range(count):
        of = integrand(program, states[..., i], of_row(parameters, i))
        pieces = (nodes[first : first + size] for first in range(0, samples, size))
        each = samples * np.concatenate([of(piece)[0][:, 0].sum(axis=0) for piece in pieces])
        if np.isfinite(each).all():
            means.append(each.mean())
            errors.append(each.std(ddof=1) / math.sqrt(samples))
        else:
            means.append(math.nan)  # of a ratio, where all modes have collapsed
    return np.array(means), float(max(errors, default=math.nan))


def _squares_program() -> Program:
    """½ ∫ q_m/(1 + u q_m) Π_k (1 + u q_k)^{−½} du of shares q that are its only state."""
    operations: list[Operation] = []

    def enter(kind: str, *operands: int, value: float = 0.0) -> int:
        operations.append(Operation(kind, operands, value))
        return len(operations) - 1

    share, one = enter("state"), enter("number", value=1.0)
    stretched = enter("add", one, enter("multiply", enter("node"), share))
    root = enter("reciprocal", enter("sqrt", enter("product", stretched)))
    weighted = enter("multiply", enter("weight"), root)
    average = enter("average", enter("multiply", enter("reciprocal", stretched), weighted))
    rate = enter("multiply", share, average)
    return Program(
        states=("share",),
        parameters=(),
        node_names=("u",),
        node_modes=(False,),
        closure="exact quadrature",
        operations=tuple(operations),
        rates=(rate,),
        predictor=one,
        moments=(rate,),
    )


_SQUARES = _squares_program()
