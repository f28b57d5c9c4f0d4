"""Choose the quadrature nodes of a program's averages, and estimate their error.

The reach and the step of a trapezoid rule are chosen from a requested accuracy, nodes that do not
matter are dropped, and the error estimate is the difference from a rule that is finer and wider.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import DTypeLike, NDArray

from eigendyn.errors import NoProgram
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
from eigendyn.simulation.trapezoid_rules import (
    LONGEST,
    NEAREST,
    SHORTEST,
    find_reach,
    grid_of,
    needed_rows,
    rules,
    shorter,
    within_range,
)

FAINT = 1e-20  # largest singular value, far below any tolerance, of spectra that need no nodes
LARGEST = 2**24  # nodes × modes of a rule beyond which none finer is tried
NEARBY = 0.05  # relative distance of the nearby spectrum
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
    usable, is_usable = within_range(looked)
    nearest = [NEAREST] * len(program.node_names)
    if not usable:
        return replace(coarse_nodes(program), excess=(np.inf,) * len(is_usable))
    reach, is_found = find_reach(usable, accuracy, nearest)
    fit, errors, step = Fit(), {}, LONGEST
    while not fit.step:
        grid, reference = rules(program, step, reach)
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
            rows = needed_rows(usable, grid, own, accuracy)
            served = _errors(
                usable, [points.moments(grid, rows) for points in usable], best, is_usable
            )
            if is_last or served.excess[is_usable].max() <= accuracy:
                fit = Fit(grid[rows], step=step, reach=tuple(reach))
                fit = _judged(fit, served, accuracy)
        step = shorter(errors, accuracy)
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
    usable, _ = within_range(looked)
    reach, is_found = find_reach(usable, accuracy, list(fit.reach))
    _, reference = rules(program, fit.step, reach)
    if are_many and usable:
        best = [points.moments(reference) for points in usable]
        reference = reference[needed_rows(usable, reference, best, 0.1 * accuracy)]
        looked = points_of(program, spectra, parameters)
    errors = _compare(program, fit.nodes, reference, spectra, parameters, dtype, looked)
    judged = _judged(fit, Errors(errors.absolute[places], errors.excess[places]), accuracy)
    return replace(judged, reached=judged.reached and is_found)


def coarse_nodes(program: Program) -> Fit:
    """A few nodes, for states that none can serve."""
    nearest = [NEAREST] * len(program.node_names)
    return Fit(grid_of(program, LONGEST, nearest), np.inf, False, LONGEST, tuple(nearest))


def reference_nodes(program: Program, fit: Fit) -> Nodes:
    """Nodes of a rule that is finer and wider than a quadrature's."""
    return rules(program, fit.step, fit.reach)[1]


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
