r"""Build trapezoid rules for a program's averages: their step, their reach, the nodes that matter.

With τ_f = y_f² the integrand is even and analytic in each y_f. With y = sinh(ξ)/√2
(y² in units of 1/E[F]) it stays analytic in a strip |Im ξ| < π/2 whatever the spectrum, so a
trapezoid rule with step h in ξ, offset by h/2 so that only its positive half is needed, errs by
about exp(−π²/h), and decades of the spectrum cost a few nodes each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import NoExactClosure
from eigendyn.program import Program
from eigendyn.program.averaging import Nodes
from eigendyn.simulation.node_errors import Moments, Points

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
BUNCH = 64  # nodes are kept in multiples of this, so that few shapes need compiling


def grid_of(program: Program, step: float, reach: Iterable[float]) -> Nodes:
    """Product rule over one axis for each quadratic form; the weight is Π dy/y."""
    axes = [(np.arange(np.ceil(r / step)) + 0.5) * step for r in reach]
    weights = reduce(np.multiply.outer, [step / np.tanh(xi) for xi in axes]).ravel()
    taus = np.meshgrid(*(0.5 * np.sinh(xi) ** 2 for xi in axes), indexing="ij")
    columns = (tau.reshape(-1, 1) for tau in taus)
    return Nodes(weights, dict(zip(program.node_names, columns, strict=True)))


def rules(program: Program, step: float, reach: Iterable[float]) -> tuple[Nodes, Nodes]:
    """A rule, and the one that it is judged by, finer and wider."""
    return grid_of(program, step, reach), grid_of(program, FINER * step, [r + WIDER for r in reach])


def within_range(looked: list[Points]) -> tuple[list[Points], NDArray]:
    """Leave out the points whose numbers overflow, or vanish in a denominator; and say which.

    Raises:
        NoExactClosure: A moment is no number for another reason.
    """
    program = looked[0].program
    nearest = grid_of(program, LONGEST, [NEAREST] * len(program.node_names))
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


def find_reach(
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
        grid = grid_of(looked[0].program, step, reach)
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


def needed_rows(
    looked: list[Points], grid: Nodes, moments: list[Moments], accuracy: float
) -> NDArray:
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


def shorter(errors: Mapping[float, float], accuracy: float) -> float:
    """The next step: errors fall as exp(−c/h) or faster, and the last two of them tell c."""
    *_, (first, large), (second, small) = [(math.inf, math.inf), *errors.items()]
    if not math.inf > small > accuracy:
        return max(SHORTEST, SHORTER * second)
    least, falls = SHORTER, FALLS
    if math.inf > large > small:
        least, falls = LEAST, math.log(large / small) / (1 / second - 1 / first)
    found = 1 / (1 / second + math.log(small / (AIM * accuracy)) / falls)
    return max(SHORTEST, least * second, found)
