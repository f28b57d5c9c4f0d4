r"""A program and the states it must serve enter; the nodes of its averages, and their error, leave.

Quadrature: with τ_f = y_f² the integrand is even and analytic in each y_f. With y = sinh(ξ)/√2
(y² in units of 1/E[F]) it stays analytic in a strip |Im ξ| < π/2 whatever the spectrum, so a
trapezoid rule with step h in ξ, offset by h/2 so that only its positive half is needed, errs by
about exp(−π²/h), and decades of the spectrum cost a few nodes each. The reach and the step are
chosen from a requested accuracy, nodes that do not matter are dropped, and the error estimate is
the difference from a rule that is finer and wider.

Samples: standard normal draws; the error estimate is the standard error of the mean.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from eigendyn.averaging import NO_NODES, Nodes
from eigendyn.errors import NoExactClosure
from eigendyn.program import Program
from eigendyn.program.evaluation import integrand

STEPS = (0.5, 0.42, 0.35, 0.3, 0.25, 0.21, 0.18, 0.15, 0.125, 0.1)
FINER = 0.72  # the reference rule's step over the rule's own
WIDER = 2.0  # the reference rule's additional reach in ξ
NEAREST = 3.0  # reach at which the search begins
FARTHEST = 120.0  # reach at which the search gives up: e^240 in τ
VANISHED = 1e-24  # share of the largest variance below which a mode need not be accurate
NEARBY = 0.05  # relative distance of the nearby spectrum
BUNCH = 64  # nodes are kept in multiples of this, so that few shapes need compiling
ROUND_OFF = 8 * float(np.finfo(float).eps)  # of one term: a handful of roundings
PIECE = 2**13  # nodes × modes that are looked at in one piece: its arrays stay in the cache …
SHORT = 32  # … but no fewer nodes, over which NumPy's innermost loops run …
LONG = 2048  # … up to so many modes, from which on they run over the modes of one node
AHEAD = 8  # pieces for each thread at a time
SEVERAL = 8  # pieces from which threads are worth their start

T = TypeVar("T")
Moments = tuple[NDArray, NDArray, NDArray]  # see `_Point.moments`


@dataclass(frozen=True)
class Fit:
    """Nodes of a closure, and how far the moments that they give are from the expectation.

    Args:
        nodes: The nodes; none if the closure needs none, or has none yet.
        error: Largest absolute error of a moment E[z·δ] in the states that were looked at; zero
            if the closure needs no nodes.
        reached: False if the requested accuracy was not reached there.
        step: Step h of the quadrature's trapezoid rule; zero if there is none.
        reach: How far each axis of the quadrature reaches.
        rtol: Tolerance of the flow that follows from the error of samples; None if it does not.
        excess: Largest error of a mode's moment as a fraction of its ∫|integrand|, in each of the
            states that were looked at.
    """

    nodes: Nodes = NO_NODES
    error: float = 0.0
    reached: bool = True
    step: float = 0.0
    reach: tuple[float, ...] = ()
    rtol: float | None = None
    excess: tuple[float, ...] = ()


def fit_nodes(
    program: Program,
    spectra: NDArray,
    parameters: Mapping[str, float | NDArray],
    accuracy: float = 1e-10,
) -> Fit:
    r"""Choose quadrature nodes that serve the given states to the given accuracy.

    They serve a nearby spectrum too, since states with equal variances, where the integrand of a
    scale-invariant loss vanishes, say nothing about their neighbours and derivatives.

    Args:
        program: Dynamics whose closure is exact; without averages they need no nodes.
        spectra: States to serve (points, states, modes).
        parameters: By name, one number, or one for each point (points,).
        accuracy: Error of each mode's moment allowed, as a fraction of ∫|integrand| of that mode.

    Returns:
        The nodes, their error estimate, and whether the accuracy was reached.

    Raises:
        NoExactClosure: A quadratic form in a denominator or root is not positive.
    """
    if not program.node_names:
        return Fit()
    looked = _points(program, spectra, parameters)
    looked += _points(program, spectra * _nearby(spectra.shape[1:]), parameters)
    reach = _find_reach(looked, accuracy, [NEAREST] * len(program.node_names))
    fit = Fit()
    for step in STEPS:
        grid, reference = _rules(program, step, reach)
        own, best = [], []
        for point in looked:
            own.append(point.moments(grid))
            best.append(point.moments(reference))
            if step != STEPS[-1] and point.error(own[-1], best[-1])[1] > accuracy:
                break
        else:
            nodes = _prune(looked, grid, own, accuracy)
            fit = _judge(Fit(nodes, step=step, reach=tuple(reach)), looked, best, accuracy)
            if fit.reached:
                break
    return fit


def judge_nodes(
    program: Program,
    fit: Fit,
    spectra: NDArray,
    parameters: Mapping[str, float | NDArray],
    accuracy: float = 1e-10,
) -> Fit:
    """Judge quadrature nodes in other states (points, states, modes) than they were fitted to.

    Returns:
        The same nodes, with the error estimate and the verdict for these states.
    """
    if not program.node_names:
        return fit
    looked = _points(program, spectra, parameters)
    reach = _find_reach(looked, accuracy, list(fit.reach))
    _, reference = _rules(program, fit.step, reach)
    return _judge(fit, looked, [point.moments(reference) for point in looked], accuracy)


def reference_nodes(program: Program, fit: Fit) -> Nodes:
    """Nodes of a rule that is finer and wider than a quadrature's."""
    return _rules(program, fit.step, fit.reach)[1]


def draw_samples(program: Program, modes: int, samples: int, seed: int) -> Nodes:
    """Draw the samples of a sampled closure.

    Args:
        program: Dynamics whose closure is sampled.
        modes: Number of modes.
        samples: Number of samples; memory is samples × modes.
        seed: Seed of the draw; the same seed gives the same samples.
    """
    rng = np.random.default_rng(seed)
    values = {name: rng.standard_normal((samples, modes)) for name in program.node_names}
    return Nodes(np.full(samples, 1 / samples), values)


def standard_error(
    program: Program, nodes: Nodes, spectra: NDArray, parameters: Mapping[str, float | NDArray]
) -> float:
    """Largest standard error of a sampled moment E[z·δ], over states (points, states, modes)."""
    return max(error for error, _ in _sampled_errors(program, nodes, spectra, parameters))


def relative_error(
    program: Program, nodes: Nodes, spectra: NDArray, parameters: Mapping[str, float | NDArray]
) -> float:
    """Largest standard error over the largest moment; infinite where all moments vanish."""
    pairs = _sampled_errors(program, nodes, spectra, parameters)
    return max(error / moment if moment > 0 else math.inf for error, moment in pairs)


def _sampled_errors(
    program: Program, nodes: Nodes, spectra: NDArray, parameters: Mapping[str, float | NDArray]
) -> Iterator[tuple[float, float]]:
    """Largest standard error, and largest size, of a moment E[z·δ] in each of the states."""
    count = len(nodes.weights)
    for point in _points(program, spectra, parameters):
        mean, square = point.sums(nodes, _squares)
        variance = np.maximum(count * square - mean**2, 0)
        singular = np.abs(point.states[0])
        yield (
            float((singular * np.sqrt(variance / count)).max()),
            float((singular * np.abs(mean)).max()),
        )


class _Point:
    """States (states, modes) in which nodes are looked at."""

    def __init__(self, program: Program, states: NDArray, parameters: Mapping[str, float]) -> None:
        self.states = states
        self.integrand = integrand(program, states, parameters)

    @property
    def counts(self) -> NDArray:
        """Modes (modes,) that have not vanished beside the largest; others need no accuracy."""
        variance = self.states[0] ** 2
        return variance > VANISHED * variance.max()

    def each(self, nodes: Nodes, reduce: Callable[[NDArray, NDArray], T]) -> Iterator[T]:
        """Reduce the contributions and their sizes (moments, modes, nodes), piece by piece."""
        modes = self.states.shape[1]
        size = max(PIECE // modes, SHORT) if modes < LONG else 1
        pieces = [nodes[first : first + size] for first in range(0, len(nodes.weights), size)]

        def of_piece(piece: Nodes) -> T:
            return reduce(*self.integrand(piece))

        if len(pieces) < SEVERAL:
            yield from map(of_piece, pieces)
            return
        threads = os.cpu_count() or 1
        with ThreadPoolExecutor(threads) as pool:
            for first in range(0, len(pieces), AHEAD * threads):  # few results wait to be taken
                yield from pool.map(of_piece, pieces[first : first + AHEAD * threads])

    def sums(self, nodes: Nodes, reduce: Callable[[NDArray, NDArray], NDArray]) -> NDArray:
        """Sum what the contributions of every piece are reduced to."""
        pieces = self.each(nodes, reduce)
        total = next(pieces)
        for part in pieces:
            total += part
        return total

    def moments(self, nodes: Nodes) -> Moments:
        """Moments, sums of absolute contributions, and round-off (moments, modes) each.

        Round-off is that of the terms whose sum a contribution is, as if none of it averaged out.
        """
        own, gross, terms = self.sums(nodes, _totals)
        return own, gross, ROUND_OFF * terms

    def shares(self, nodes: Nodes, moments: Moments) -> NDArray:
        """Largest share of each node (nodes,) in ∫|integrand| of any mode."""
        _, gross, round_off = moments
        whole = np.where(self.counts, np.maximum(gross, round_off), np.inf)
        whole = np.where(whole > 0, whole, 1)

        def of_parts(parts: NDArray, _terms: NDArray) -> NDArray:
            return (np.abs(parts) / whole[..., None]).max(axis=(0, 1))

        return np.concatenate(list(self.each(nodes, of_parts)))

    def error(self, own: Moments, best: Moments) -> tuple[float, float]:
        """Largest absolute error of a moment E[z·δ], and relative one beyond round-off.

        Both rules carry round-off from terms that cancel. It is added to the error, and taken off
        what the accuracy asks for, since no finer rule could remove it.
        """
        moments, gross, round_off = best
        difference = np.abs(own[0] - moments)
        absolute = ((difference + round_off) * np.abs(self.states[0])).sum(axis=0)
        whole = np.where(self.counts & (gross > 0), gross, np.inf)
        return float(absolute.max()), float((np.maximum(difference - round_off, 0) / whole).max())


def _points(
    program: Program, spectra: NDArray, parameters: Mapping[str, float | NDArray]
) -> list[_Point]:
    """Look at states (points, states, modes), each with its own numbers."""
    table = {name: np.broadcast_to(number, len(spectra)) for name, number in parameters.items()}
    return [
        _Point(program, states, {name: float(numbers[i]) for name, numbers in table.items()})
        for i, states in enumerate(np.asarray(spectra, np.float64))
    ]


def _totals(parts: NDArray, terms: NDArray) -> NDArray:
    return np.stack([parts.sum(axis=2), np.abs(parts).sum(axis=2), terms.sum(axis=2)])


def _squares(parts: NDArray, _terms: NDArray) -> NDArray:
    total = parts.sum(axis=0)
    return np.stack([total.sum(axis=1), (total**2).sum(axis=1)])


def _grid(program: Program, step: float, reach: Iterable[float]) -> Nodes:
    """Product rule over one axis for each quadratic form; the weight is Π dy/y."""
    offsets = [(np.arange(np.ceil(r / step)) + 0.5) * step for r in reach]
    mesh = [axis.ravel() for axis in np.meshgrid(*offsets, indexing="ij")]
    weights = np.prod([step / np.tanh(xi) for xi in mesh], axis=0)
    taus = (0.5 * np.sinh(xi)[:, None] ** 2 for xi in mesh)
    return Nodes(weights, dict(zip(program.node_names, taus, strict=True)))


def _rules(program: Program, step: float, reach: Iterable[float]) -> tuple[Nodes, Nodes]:
    """A rule, and the one that it is judged by, finer and wider."""
    return _grid(program, step, reach), _grid(program, FINER * step, [r + WIDER for r in reach])


def _find_reach(looked: list[_Point], accuracy: float, reach: list[float]) -> list[float]:
    """Widen each axis, from a given reach, until its outermost layers matter to no mode."""
    step = STEPS[0]
    while max(reach) < FARTHEST:
        layers = np.indices([int(np.ceil(r / step)) for r in reach]).reshape(len(reach), -1)
        outermost = layers >= layers.max(axis=1, keepdims=True) - 1
        rim = outermost.any(axis=0)
        grid = _grid(looked[0].integrand.program, step, reach)
        scores = _scores(looked, grid[rim], [point.moments(grid) for point in looked])
        outer = [scores[axis[rim]].sum() for axis in outermost]
        if max(outer) <= 0.1 * accuracy:
            break
        reach = [r + 2.0 * (o > 0.1 * accuracy) for r, o in zip(reach, outer, strict=True)]
    return reach


def _prune(looked: list[_Point], grid: Nodes, moments: list[Moments], accuracy: float) -> Nodes:
    """Drop the nodes that together add less than a tenth of the accuracy to any mode."""
    scores = _scores(looked, grid, moments)
    order = np.argsort(scores)[::-1]
    needed = max(1, np.count_nonzero(np.cumsum(np.sort(scores)) > 0.1 * accuracy))
    return grid[np.sort(order[: -(-needed // BUNCH) * BUNCH])]


def _scores(looked: list[_Point], nodes: Nodes, moments: list[Moments]) -> NDArray:
    """Largest share of each node in any mode's ∫|integrand|, given all moments of the rule."""
    shares = [point.shares(nodes, of_rule) for point, of_rule in zip(looked, moments, strict=True)]
    scores = np.max(shares, axis=0)
    if not np.isfinite(scores).all():
        message = (
            "The exact closure needs quadratic forms that are positive; a root or denominator of "
            "this loss can become negative. Use sums of squares there, such as norm(z1)."
        )
        raise NoExactClosure(message)
    return scores


def _judge(fit: Fit, looked: list[_Point], best: list[Moments], accuracy: float) -> Fit:
    """Compare with the moments of the rule that nodes are judged by."""
    errors = [
        point.error(point.moments(fit.nodes), reference)
        for point, reference in zip(looked, best, strict=True)
    ]
    excess = tuple(relative for _, relative in errors)
    return replace(
        fit,
        error=max(absolute for absolute, _ in errors),
        reached=max(excess) <= accuracy,
        excess=excess,
    )


def _nearby(shape: tuple[int, ...]) -> NDArray:
    """Factors that take states (states, modes) to nearby ones."""
    return 1 + NEARBY * np.cos(np.arange(np.prod(shape))).reshape(shape)
