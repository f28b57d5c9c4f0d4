r"""Choose the quadrature nodes of a program's averages, and estimate their error.

With τ_f = y_f² the integrand is even and analytic in each y_f. With y = sinh(ξ)/√2
(y² in units of 1/E[F]) it stays analytic in a strip |Im ξ| < π/2 whatever the spectrum, so a
trapezoid rule with step h in ξ, offset by h/2 so that only its positive half is needed, errs by
about exp(−π²/h), and decades of the spectrum cost a few nodes each. The reach and the step are
chosen from a requested accuracy, nodes that do not matter are dropped, and the error estimate is
the difference from a rule that is finer and wider.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import DTypeLike, NDArray

from eigendyn.errors import NoExactClosure, NoProgram
from eigendyn.program import Program
from eigendyn.program.averaging import NO_NODES, Nodes
from eigendyn.results.trajectory import Numbers, of_modes, of_rows
from eigendyn.simulation.node_errors import (
    Errors,
    Moments,
    Points,
    errors_of,
    errors_of_many,
    points_of,
)

LONGEST, SHORTEST = 0.5, 0.1  # step h
SHORTER = 0.84  # the next step over the one before where nothing is known, and the second at least
FALLS = 6.0  # c of errors that fall as exp(−c/h), until two of them tell it; near π² in the end
AIM = 0.7  # error of the next step over what is allowed: leaving nodes out adds some
LEAST = 0.6  # the next step over the one before, at least: errors may fall faster than they did
FINER = 0.72  # the reference rule's step over the rule's own
WIDER = 2.0  # the reference rule's additional reach in ξ
NEAREST = 3.0  # reach at which the search begins
MODERATE = 1e40  # numbers whose products of a few are far from overflow
FARTHEST = 180.0  # reach at which the search gives up: τ = e^360, whose powers are still numbers
FASTER = 8.0  # the search widens by this share of the reach, or by two
FAINT = 1e-20  # largest singular value, far below any tolerance, of spectra that need no nodes
LARGEST = 2**24  # nodes × modes of a rule beyond which none finer is tried
NEARBY = 0.05  # relative distance of the nearby spectrum
BUNCH = 64  # nodes are kept in multiples of this, so that few shapes need compiling
MANY = 512  # modes from which on nodes are chosen for some of them, and judged on all
EVENLY, LARGE = 192, 64  # of many modes, those that nodes are chosen for: by rank, and the largest


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
    parameters: Numbers,
    accuracy: float = 1e-10,
) -> Fit:
    r"""Choose quadrature nodes that serve the given states to the given accuracy.

    They serve a nearby spectrum too, since states with equal variances, where the integrand of a
    scale-invariant loss vanishes, say nothing about their neighbours and derivatives. Of very many
    modes a few hundred tell as much about the integrand: nodes are chosen for these, and judged on
    all.

    Args:
        program: Dynamics whose closure is exact; without averages they need no nodes.
        spectra: States to serve (points, states, modes).
        parameters: As `Numbers`, of points.
        accuracy: Error of each mode's moment allowed, as a fraction of ∫|integrand| of that mode,
            however small the mode.

    Returns:
        The nodes, their error estimate, and whether the accuracy was reached: not where a spectrum
        is so wide that its powers leave the range of numbers.

    Raises:
        NoExactClosure: A quadratic form in a denominator or root is not positive.
    """
    if not program.node_names:
        return Fit()
    spectra = np.asarray(spectra, float)
    if spectra.shape[2] > MANY:
        fit = Fit()
        for share in (1.0, 1e-2):
            some = _some_modes(spectra)
            few = np.take_along_axis(spectra, some[:, None], axis=2)
            fit = fit_nodes(program, few, of_modes(parameters, some), share * accuracy)
            fit = judge_nodes(program, fit, spectra, parameters, accuracy)
            if fit.reached:
                break
        return fit
    looked = points_of(
        program,
        np.concatenate([spectra, spectra * _nearby(spectra.shape[1:])]),
        of_rows(parameters, np.tile(np.arange(len(spectra)), 2)),
    )
    usable, is_usable = _within_range(looked)
    nearest = [NEAREST] * len(program.node_names)
    if not usable:
        return replace(coarse_nodes(program), excess=(np.inf,) * len(is_usable))
    reach, is_found = _find_reach(usable, accuracy, nearest)
    fit, errors, step = Fit(), {}, LONGEST
    while not fit.step:
        grid, reference = _rules(program, step, reach)
        size = len(reference.weights) * spectra.shape[2]
        is_last = not is_found or step == SHORTEST or size > LARGEST
        own, best = [], []
        for points in usable:
            own.append(points.moments(grid))
            best.append(points.means(reference))
            errors[step] = _excess(points, own[-1], best[-1])
            if not is_last and errors[step] > accuracy:
                break
        else:
            rows = _needed(usable, grid, own, accuracy)
            served = _errors(
                usable, [points.moments(grid, rows) for points in usable], best, is_usable
            )
            if is_last or served.excess[is_usable].max() <= accuracy:
                fit = Fit(grid[rows], step=step, reach=tuple(reach))
                fit = _judged(fit, served, accuracy)
        step = _shorter(errors, accuracy)
    return replace(fit, reached=fit.reached and is_found)


def judge_nodes(
    program: Program,
    fit: Fit,
    spectra: NDArray,
    parameters: Numbers,
    accuracy: float = 1e-10,
    dtype: DTypeLike = float,
) -> Fit:
    """Judge quadrature nodes in other states (points, states, modes) than they were fitted to.

    Args:
        program: The dynamics.
        fit: The nodes.
        spectra: States.
        parameters: As `Numbers`, of points.
        accuracy: Error of each mode's moment allowed, as a fraction of its ∫|integrand|.
        dtype: Precision in which the nodes are used; the rule that they are judged by is computed
            in float64.

    Returns:
        The same nodes, with the error estimate and the verdict for these states.
    """
    if not program.node_names:
        return fit
    spectra = np.asarray(spectra, float)
    rows, places = _distinct(spectra)
    spectra, parameters = spectra[rows], of_rows(parameters, rows)
    are_many = spectra.shape[2] > MANY
    few, own = spectra, parameters
    if are_many:
        some = _some_modes(spectra)
        few, own = np.take_along_axis(spectra, some[:, None], axis=2), of_modes(parameters, some)
    looked = points_of(program, few, own)
    usable, _ = _within_range(looked)
    reach, is_found = _find_reach(usable, accuracy, list(fit.reach))
    _, reference = _rules(program, fit.step, reach)
    if are_many and usable:
        best = [points.moments(reference) for points in usable]
        reference = reference[_needed(usable, reference, best, 0.1 * accuracy)]
        looked = points_of(program, spectra, parameters)
    errors = _compare(program, fit.nodes, reference, spectra, parameters, dtype, looked)
    judged = _judged(fit, Errors(errors.absolute[places], errors.excess[places]), accuracy)
    return replace(judged, reached=judged.reached and is_found)


def coarse_nodes(program: Program) -> Fit:
    """A few nodes, for states that none can serve."""
    nearest = [NEAREST] * len(program.node_names)
    return Fit(_grid(program, LONGEST, nearest), np.inf, False, LONGEST, tuple(nearest))


def reference_nodes(program: Program, fit: Fit) -> Nodes:
    """Nodes of a rule that is finer and wider than a quadrature's."""
    return _rules(program, fit.step, fit.reach)[1]


def _grid(program: Program, step: float, reach: Iterable[float]) -> Nodes:
    """Product rule over one axis for each quadratic form; the weight is Π dy/y."""
    axes = [(np.arange(np.ceil(r / step)) + 0.5) * step for r in reach]
    weights = reduce(np.multiply.outer, [step / np.tanh(xi) for xi in axes]).ravel()
    taus = np.meshgrid(*(0.5 * np.sinh(xi) ** 2 for xi in axes), indexing="ij")
    columns = (tau.reshape(-1, 1) for tau in taus)
    return Nodes(weights, dict(zip(program.node_names, columns, strict=True)))


def _rules(program: Program, step: float, reach: Iterable[float]) -> tuple[Nodes, Nodes]:
    """A rule, and the one that it is judged by, finer and wider."""
    return _grid(program, step, reach), _grid(program, FINER * step, [r + WIDER for r in reach])


def _within_range(looked: list[Points]) -> tuple[list[Points], NDArray]:
    """Leave out the points whose numbers overflow, or vanish in a denominator; and say which.

    Raises:
        NoExactClosure: A moment is no number for another reason.
    """
    program = looked[0].program
    nearest = _grid(program, LONGEST, [NEAREST] * len(program.node_names))
    usable, truths = [], []
    for points in looked:
        finite = np.asarray(np.isfinite(points.means(nearest)).all(axis=(1, 2)))
        if (points.are_within_range & ~finite).any():
            raise _negative_form()
        truths.append(finite)
        if finite.any():
            usable.append(points.some(finite))
    return usable, np.concatenate(truths)


def _negative_form() -> NoExactClosure:
    message = (
        "The exact closure needs quadratic forms that are positive; a root or denominator of "
        "this loss can become negative. Use sums of squares there, such as norm(z1)."
    )
    return NoExactClosure(message)


def _find_reach(
    looked: list[Points], accuracy: float, reach: list[float]
) -> tuple[list[float], bool]:
    """Widen each axis, from a given reach, until its outermost layers matter to no mode.

    Returns:
        The reach, and whether it was found before the numbers end.

    Raises:
        NoExactClosure: A moment is no number, far from where numbers end.
    """
    step, finite = LONGEST, reach
    while looked and max(reach) < FARTHEST:
        layers = np.indices([int(np.ceil(r / step)) for r in reach]).reshape(len(reach), -1)
        outermost = layers >= layers.max(axis=1, keepdims=True) - 1
        rim = outermost.any(axis=0)
        grid = _grid(looked[0].program, step, reach)
        scores = _scores(looked, grid, [points.moments(grid) for points in looked], rim)
        outer = np.array([scores[axis[rim]].sum() for axis in outermost])
        if not np.isfinite(scores).all():
            if all(_is_far_from_overflow(points, grid) for points in looked):
                raise _negative_form()
            break
        finite = reach
        if max(outer) <= 0.1 * accuracy:
            return reach, True
        more = [max(WIDER, r / FASTER) for r in reach]
        reach = [
            r + m if o > 0.1 * accuracy else r for r, m, o in zip(reach, more, outer, strict=True)
        ]
    return finite, False


def _is_far_from_overflow(points: Points, grid: Nodes) -> bool:
    """Whether no product of a few variances and τ can leave the range of numbers."""
    sizes = np.abs(
        np.concatenate([points.states.ravel(), *(v.ravel() for v in grid.values.values())])
    )
    sizes = sizes[sizes > 0]
    return bool((sizes < MODERATE).all() and (sizes > 1 / MODERATE).all())


def _needed(looked: list[Points], grid: Nodes, moments: list[Moments], accuracy: float) -> NDArray:
    """Rows of all nodes but those that together add less than a tenth of the accuracy."""
    scores = _scores(looked, grid, moments)
    order = np.argsort(scores)[::-1]
    needed = max(1, np.count_nonzero(np.cumsum(np.sort(scores)) > 0.1 * accuracy))
    return np.sort(order[: -(-needed // BUNCH) * BUNCH])


def _scores(
    looked: list[Points], nodes: Nodes, moments: list[Moments], rows: NDArray | None = None
) -> NDArray:
    """Largest share of each node, or of some, in any mode's ∫|integrand|, given all moments."""
    pairs = zip(looked, moments, strict=True)
    return np.max([each.shares(nodes, of_rule, rows) for each, of_rule in pairs], axis=0)


def _shorter(errors: Mapping[float, float], accuracy: float) -> float:
    """The next step: errors fall as exp(−c/h) or faster, and the last two of them tell c."""
    *_, (first, large), (second, small) = [(math.inf, math.inf), *errors.items()]
    if not math.inf > small > accuracy:
        return max(SHORTEST, SHORTER * second)
    least, falls = SHORTER, FALLS
    if math.inf > large > small:
        least, falls = LEAST, math.log(large / small) / (1 / second - 1 / first)
    found = 1 / (1 / second + math.log(small / (AIM * accuracy)) / falls)
    return max(SHORTEST, least * second, found)


def _excess(points: Points, own: Moments, best: NDArray) -> float:
    return float(errors_of(own, best, points.states[:, 0])[1].max())


def _errors(
    usable: list[Points], own: list[Moments], best: list[NDArray], is_usable: NDArray
) -> Errors:
    """Errors of the usable points among those that are looked at; infinite ones of the others."""
    found = np.full((2, len(is_usable)), np.inf)
    found[:, is_usable] = np.concatenate(
        [
            errors_of(of_rule, of_best, points.states[:, 0])
            for points, of_rule, of_best in zip(usable, own, best, strict=True)
        ],
        axis=1,
    )
    return Errors(*found)


def _compare(
    program: Program,
    nodes: Nodes,
    reference: Nodes,
    spectra: NDArray,
    parameters: Numbers,
    dtype: DTypeLike,
    looked: list[Points],
) -> Errors:
    """Compare with a better rule: in compiled code, where that is worth compiling."""
    if len(reference.weights) * spectra.shape[0] * spectra.shape[2] > LARGEST:
        with contextlib.suppress(NoProgram):
            return errors_of_many(program, nodes, reference, spectra, parameters, dtype)
    used, own = nodes.in_precision(dtype), looked
    if np.dtype(dtype) != spectra.dtype:
        own = points_of(program, spectra.astype(dtype), parameters)
    return _errors(
        looked,
        [points.moments(used) for points in own],
        [points.means(reference) for points in looked],
        np.full(len(spectra), True),
    )


def _distinct(states: NDArray) -> tuple[NDArray, NDArray]:
    """Rows of states that differ by a millionth or more, and for every row one that is like it."""
    alike = np.ascontiguousarray(states).reshape(len(states), -1).view(np.int64) >> 32  # 20 bits
    _, rows, places = np.unique(alike, axis=0, return_index=True, return_inverse=True)
    return rows, places


def _judged(fit: Fit, errors: Errors, accuracy: float) -> Fit:
    return replace(
        fit,
        error=float(errors.absolute.max()),
        reached=bool(errors.excess.max() <= accuracy),
        excess=tuple(errors.excess.tolist()),
    )


def _some_modes(spectra: NDArray) -> NDArray:
    """Of each point's modes (points, states, modes) some evenly by rank, and the largest.

    Returns:
        Their numbers (points, some).
    """
    order = np.argsort(spectra[:, 0], axis=1)
    modes = spectra.shape[2]
    evenly = np.linspace(0, modes - 1, EVENLY).round().astype(int)
    ranks = np.union1d(evenly, np.arange(modes - LARGE, modes))
    return order[:, ranks]


def _nearby(shape: tuple[int, ...]) -> NDArray:
    """Factors that take states (states, modes) to nearby ones."""
    return 1 + NEARBY * np.cos(np.arange(np.prod(shape))).reshape(shape)
