r"""A vector field and the states it must serve enter; the field with nodes, and its error, leave.

Quadrature: with τ_f = y_f² the integrand is even and analytic in each y_f. With y = sinh(ξ)/√2
(y² in units of 1/E[F]) it stays analytic in a strip |Im ξ| < π/2 whatever the spectrum, so a
trapezoid rule with step h in ξ, offset by h/2 so that only its positive half is needed, errs by
about exp(−π²/h), and decades of the spectrum cost a few nodes each. The reach and the step are
chosen from a requested accuracy, nodes that do not matter are dropped, and the error estimate is
the difference from a rule that is finer and wider.

Samples: standard normal draws; the error estimate is the standard error of the mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from eigendyn.compile import BLOCK, NO_NODES, Nodes, VectorField, in_blocks
from eigendyn.errors import NoExactClosure

STEPS = (0.5, 0.42, 0.35, 0.3, 0.25, 0.21, 0.18, 0.15, 0.125, 0.1)
FINER = 0.72  # the reference rule's step over the rule's own
WIDER = 2.0  # the reference rule's additional reach in ξ
NEAREST = 3.0  # reach at which the search begins
FARTHEST = 120.0  # reach at which the search gives up: e^240 in τ
VANISHED = 1e-24  # share of the largest variance below which a mode need not be accurate
NEARBY = 0.05  # relative distance of the nearby spectrum
BUNCH = 256  # nodes are kept in multiples of this, so that few shapes need compiling
ROUND_OFF = 8 * float(np.finfo(float).eps)  # of one term: a handful of roundings
PIECE = 2**20  # nodes × modes in one call into compiled code, at 32 to 512 nodes


@dataclass(frozen=True)
class Fit:
    """A vector field with nodes, and how far its moments are from the expectation.

    Args:
        field: The field, ready to be called.
        error: Largest absolute error of a moment E[z·δ] in the states that were looked at; zero
            if the closure needs no nodes.
        reached: False if the requested accuracy was not reached there.
        step: Step h of the quadrature's trapezoid rule; zero if there is none.
        reach: How far each axis of the quadrature reaches.
        excess: Largest error of a mode's moment as a fraction of its ∫|integrand|, in each of the
            states that were looked at.
    """

    field: VectorField
    error: float = 0.0
    reached: bool = True
    step: float = 0.0
    reach: tuple[float, ...] = ()
    excess: tuple[float, ...] = ()


def fit_nodes(
    field: VectorField, spectra: NDArray, parameters: Mapping[str, float], accuracy: float = 1e-10
) -> Fit:
    r"""Choose quadrature nodes that serve the given states to the given accuracy.

    They serve a nearby spectrum too, since states with equal variances, where the integrand of a
    scale-invariant loss vanishes, say nothing about their neighbours and derivatives.

    Args:
        field: A field whose closure is exact; without averages it comes back as it is.
        spectra: States to serve (points, states, modes).
        parameters: One number for each of the field's parameters.
        accuracy: Error of each mode's moment allowed, as a fraction of ∫|integrand| of that mode.

    Returns:
        The field with nodes, its error estimate, and whether the accuracy was reached.

    Raises:
        NoExactClosure: A quadratic form in a denominator or root is not positive.
    """
    if not field.node_names:
        return Fit(field)
    points = [np.asarray(states, np.float64) for states in spectra]
    points += [states * _nearby(states.shape) for states in points]
    reach = _find_reach(field, points, parameters, accuracy, [NEAREST] * len(field.node_names))
    fit = Fit(field)
    for step in STEPS:
        nodes = _prune(field, points, parameters, _grid(field, step, reach), accuracy)
        fit = _judge(
            Fit(replace(field, nodes=nodes), step=step, reach=tuple(reach)),
            points,
            parameters,
            accuracy,
            reach,
        )
        if fit.reached:
            break
    return fit


def judge_nodes(
    fit: Fit, spectra: NDArray, parameters: Mapping[str, float], accuracy: float = 1e-10
) -> Fit:
    """Judge quadrature nodes in other states (points, states, modes) than they were fitted to.

    Returns:
        The same field, with the error estimate and the verdict for these states.
    """
    if not fit.field.node_names:
        return fit
    points = [np.asarray(states, np.float64) for states in spectra]
    reach = _find_reach(fit.field, points, parameters, accuracy, list(fit.reach))
    return _judge(fit, points, parameters, accuracy, reach)


def draw_samples(field: VectorField, modes: int, samples: int, seed: int) -> VectorField:
    """Give a sampled field its samples.

    Args:
        field: A field whose closure is sampled.
        modes: Number of modes.
        samples: Number of samples; memory is samples × modes.
        seed: Seed of the draw; the same seed gives the same field.
    """
    rng = np.random.default_rng(seed)
    values = {name: rng.standard_normal((samples, modes)) for name in field.node_names}
    return replace(field, nodes=Nodes(np.full(samples, 1 / samples), values))


def standard_error(field: VectorField, spectra: NDArray, parameters: Mapping[str, float]) -> float:
    """Largest standard error of a sampled moment E[z·δ], over states (points, states, modes)."""
    count = len(field.nodes.weights)
    largest = 0.0
    for states in np.asarray(spectra, np.float64):
        sums = [
            _squares(field, states, parameters, b) for b in _pieces(field.nodes, states.shape[1])
        ]
        mean, square = (np.sum(parts, axis=0) for parts in zip(*sums, strict=True))
        variance = np.maximum(count * square - mean**2, 0)
        largest = max(largest, float((np.abs(states[0]) * np.sqrt(variance / count)).max()))
    return largest


def _grid(field: VectorField, step: float, reach: Iterable[float]) -> Nodes:
    """Product rule over one axis for each quadratic form; the weight is Π dy/y."""
    offsets = [(np.arange(np.ceil(r / step)) + 0.5) * step for r in reach]
    mesh = [axis.ravel() for axis in np.meshgrid(*offsets, indexing="ij")]
    weights = np.prod([step / np.tanh(xi) for xi in mesh], axis=0)
    taus = (0.5 * np.sinh(xi)[:, None] ** 2 for xi in mesh)
    return Nodes(weights, dict(zip(field.node_names, taus, strict=True)))


def _find_reach(
    field: VectorField,
    points: list[NDArray],
    parameters: Mapping,
    accuracy: float,
    reach: list[float],
) -> list[float]:
    """Widen each axis, from a given reach, until its outermost layers matter to no mode."""
    step = STEPS[0]
    while max(reach) < FARTHEST:
        layers = np.indices([int(np.ceil(r / step)) for r in reach]).reshape(len(reach), -1)
        outermost = layers >= layers.max(axis=1, keepdims=True) - 1
        rim = outermost.any(axis=0)
        scores = _scores(field, points, parameters, _grid(field, step, reach), rim)
        outer = [scores[axis[rim]].sum() for axis in outermost]
        if max(outer) <= 0.1 * accuracy:
            break
        reach = [r + 2.0 * (o > 0.1 * accuracy) for r, o in zip(reach, outer, strict=True)]
    return reach


def _prune(
    field: VectorField, points: list[NDArray], parameters: Mapping, nodes: Nodes, accuracy: float
) -> Nodes:
    """Drop the nodes that together add less than a tenth of the accuracy to any mode."""
    scores = _scores(field, points, parameters, nodes, np.full(len(nodes.weights), True))
    order = np.argsort(scores)[::-1]
    needed = np.count_nonzero(np.cumsum(np.sort(scores)) > 0.1 * accuracy)
    kept = np.sort(order[: -(-needed // BUNCH) * BUNCH])
    return jax.tree.map(lambda leaf: leaf[kept], nodes)


def _scores(
    field: VectorField,
    points: list[NDArray],
    parameters: Mapping,
    nodes: Nodes,
    asked: NDArray,
) -> NDArray:
    """Largest share of each node asked for in any mode's ∫|integrand| over all nodes."""
    few = jax.tree.map(lambda leaf: leaf[asked], nodes)
    scores = np.zeros(len(few.weights))
    for states in points:
        _, gross, round_off = _moments(field, states, parameters, nodes)
        whole = np.where(_counts(states), np.maximum(gross, round_off), np.inf)
        whole = np.where(whole > 0, whole, 1)
        shares = np.concatenate(
            [
                _evaluate(field, states, parameters, piece, whole)[1]
                for piece in _pieces(few, states.shape[1])
            ]
        )
        scores = np.maximum(scores, shares[: scores.size])
    if not np.isfinite(scores).all():
        message = (
            "The exact closure needs quadratic forms that are positive; a root or denominator of "
            "this loss can become negative. Use sums of squares there, such as norm(z1)."
        )
        raise NoExactClosure(message)
    return scores


def _judge(
    fit: Fit, points: list[NDArray], parameters: Mapping, accuracy: float, reach: list[float]
) -> Fit:
    """Compare with a rule that is finer and wider.

    Both rules carry round-off from terms that cancel. It is added to the error, and taken off
    what the accuracy asks for, since no finer rule could remove it.
    """
    reference = _grid(fit.field, FINER * fit.step, [r + WIDER for r in reach])
    error, excess = 0.0, []
    for states in points:
        own, *_ = _moments(fit.field, states, parameters, fit.field.nodes)
        best, gross, round_off = _moments(fit.field, states, parameters, reference)
        difference = np.abs(own - best)
        error = max(error, float(((difference + round_off) * np.abs(states[0])).sum(0).max()))
        whole = np.where(_counts(states) & (gross > 0), gross, np.inf)
        relative = np.maximum(difference - round_off, 0) / whole
        excess.append(float(relative.max()))
    return replace(fit, error=error, reached=max(excess) <= accuracy, excess=tuple(excess))


def _moments(
    field: VectorField, states: NDArray, parameters: Mapping, nodes: Nodes
) -> tuple[NDArray, NDArray, NDArray]:
    """Averages over the nodes, over absolute contributions, and round-off (averages, modes) each.

    Round-off is that of the terms whose sum a contribution is, as if none of it averaged out.
    """
    every = np.full((field.code.averages, states.shape[1]), np.inf)  # no node has a share
    sums = [
        _evaluate(field, states, parameters, b, every)[0] for b in _pieces(nodes, states.shape[1])
    ]
    own, gross, terms = (np.sum(parts, axis=0) for parts in zip(*sums, strict=True))
    return own, gross, ROUND_OFF * terms


def _nearby(shape: tuple[int, ...]) -> NDArray:
    """Factors that take states (states, modes) to nearby ones."""
    return 1 + NEARBY * np.cos(np.arange(np.prod(shape))).reshape(shape)


def _counts(states: NDArray) -> NDArray:
    """Modes (modes,) that have not vanished beside the largest; the others need no accuracy."""
    return states[0] ** 2 > VANISHED * (states[0] ** 2).max()


def _pieces(nodes: Nodes, modes: int) -> Iterator[Nodes]:
    """Nodes in pieces of one size, so that compiled code serves them all; the last is filled up."""
    size = int(np.clip(PIECE // modes, 32, 512))
    missing = -len(nodes.weights) % size
    weights = np.pad(nodes.weights, (0, missing))
    values = {n: np.pad(v, ((0, missing), (0, 0)), "edge") for n, v in nodes.values.items()}
    for first in range(0, len(weights), size):
        piece = slice(first, first + size)
        yield Nodes(weights[piece], {name: value[piece] for name, value in values.items()})


def _evaluate(
    field: VectorField, states: NDArray, parameters: Mapping, nodes: Nodes, whole: NDArray
) -> tuple[tuple, jax.Array]:
    """Sums over the nodes, and the largest share of each node in the whole of any mode.

    One function for both, and without the field's own nodes, whose number is part of what is
    compiled: compiling is most of the work of a small problem.
    """
    return _evaluate_piece(replace(field, nodes=NO_NODES), states, parameters, nodes, whole)


@jax.jit
def _evaluate_piece(field, states, parameters, nodes, whole):

    def of_block(total, block):
        parts, terms = field.contributions(states, parameters, block)
        size = jnp.abs(parts)
        added = tuple(part.sum(axis=1) for part in (parts, size, terms))
        shares = jnp.max(size / whole[:, None], axis=(0, 2))
        return jax.tree.map(jnp.add, total, added), shares

    blocks = in_blocks(nodes, min(len(nodes.weights), max(1, BLOCK // states.shape[1])))
    nothing = jnp.zeros(whole.shape)
    sums, shares = jax.lax.scan(of_block, (nothing,) * 3, blocks)
    return sums, shares.ravel()


@jax.jit
def _squares(field, states, parameters, nodes):
    def reduce(parts, _terms):
        total = parts.sum(axis=0)
        return total.sum(axis=0), (total**2).sum(axis=0)

    return field.sum_over_nodes(reduce, states, parameters, nodes)
