"""Measure how far averages at some nodes are from those at others, mode by mode.

Every error is relative to the ∫|integrand| of its own mode, however small that mode is: E[z·δ] over
its variance is what the mode grows by, and a tiny one that grows fast is soon a large one.
`Points` looks at a few states with NumPy, node by node where needed; `errors_of_many` at many in
code compiled for them. Both do it in the precision of the states that they are given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from eigendyn.program import Program
from eigendyn.program.averaging import Nodes
from eigendyn.program.integrand import integrand
from eigendyn.results.trajectory import Numbers, of_rows

ROUNDINGS = 8  # of one term: a handful …
IN_SUMS = 1 / 16  # … or so many for each mode, where sums over very many equal ones are rounded
NOTHING = float(np.finfo(float).tiny / np.finfo(float).eps)  # a smaller moment has no digits left
PIECE = 2**13  # nodes × modes that are looked at in one piece: its arrays stay in the cache …
SHORT = 32  # … but no fewer nodes, over which NumPy's innermost loops run …
LONG = 2048  # … up to so many modes, from which on they run over the modes of one node
TOGETHER = PIECE // SHORT  # modes × points that are looked at together
KEPT = 2**17  # modes × points × nodes whose contributions are kept
AHEAD = 8  # pieces for each thread at a time
SEVERAL = 64  # pieces from which threads are worth their start

T = TypeVar("T")
Moments = tuple[NDArray, NDArray, NDArray]  # see `Points.moments`


@dataclass(frozen=True)
class Errors:
    """Of the moments, in each state (points,).

    Args:
        absolute: Largest error of E[z·δ], round-off included.
        excess: Largest error beyond round-off as a fraction of ∫|integrand| of the same mode.
    """

    absolute: NDArray
    excess: NDArray


class Points:
    """States (points, states, modes), float64 or float32, in which nodes are looked at together."""

    def __init__(self, program: Program, states: NDArray, parameters: Numbers) -> None:
        self.program = program
        self.states = states
        self.parameters = parameters
        self.integrand = integrand(program, np.moveaxis(states, 0, -1), parameters)
        self._kept: tuple[Nodes, NDArray, NDArray] | None = None

    def some(self, chosen: NDArray) -> Points:
        """Those that are chosen, by (points,) truths."""
        if chosen.all():
            return self
        own = of_rows(self.parameters, chosen)
        return Points(self.program, self.states[chosen], own)

    @property
    def are_within_range(self) -> NDArray:
        """Where what comes before the average has neither overflowed nor been divided by zero."""
        infinite = (np.isinf(value).any(axis=(0, 2)) for value in self.integrand.values.values())
        return ~np.any([np.broadcast_to(each, len(self.states)) for each in infinite], axis=0)

    def sums(
        self,
        nodes: Nodes,
        reduce: Callable[[NDArray, NDArray], NDArray],
        rows: NDArray | None = None,
    ) -> NDArray:
        """Sum what contributions and their sizes (moments, modes, points, nodes) reduce to."""
        return _total(self._each(nodes, reduce, rows))

    def _each(
        self, nodes: Nodes, of: Callable[[NDArray, NDArray], T], rows: NDArray | None
    ) -> Iterator[T]:
        """Ask something of what the nodes, or some rows of them, contribute.

        More is asked of the same rule soon: what the nodes of a small one contribute is kept.
        """
        if self._kept is None or self._kept[0] is not nodes:
            if len(nodes.weights) * self.states.shape[2] * len(self.states) > KEPT:
                some = nodes if rows is None else nodes[rows]
                yield from self._by_piece(some, lambda piece: of(*self.integrand(piece)))
                return
            parts, sizes = zip(*self._by_piece(nodes, self.integrand), strict=True)
            self._kept = nodes, np.concatenate(parts, axis=-1), np.concatenate(sizes, axis=-1)
        _, part, size = self._kept
        yield of(part, size) if rows is None else of(part[..., rows], size[..., rows])

    def _by_piece(self, nodes: Nodes, of_piece: Callable[[Nodes], T]) -> Iterator[T]:
        """Evaluate something of all nodes, piece by piece."""
        modes = self.states.shape[2] * len(self.states)
        size = max(PIECE // modes, SHORT) if modes < LONG else 1
        pieces = [nodes[first : first + size] for first in range(0, len(nodes.weights), size)]

        if len(pieces) < SEVERAL:
            yield from map(of_piece, pieces)
            return
        threads = os.cpu_count() or 1
        with ThreadPoolExecutor(threads) as pool:
            for first in range(0, len(pieces), AHEAD * threads):  # few results wait to be taken
                yield from pool.map(of_piece, pieces[first : first + AHEAD * threads])

    def means(self, nodes: Nodes) -> NDArray:
        """Moments (points, moments, modes) alone, for less than half the time of `moments`."""
        pieces = self._by_piece(nodes, self.integrand.averages)
        total = next(pieces)
        for part in pieces:
            total = {place: total[place] + more for place, more in part.items()}
        return np.moveaxis(self.integrand.moments(total), -1, 0)

    def moments(self, nodes: Nodes, rows: NDArray | None = None) -> Moments:
        """Moments, sums of absolute contributions, and round-off (points, moments, modes) each.

        They are those of all nodes, or of some rows of them.
        Round-off is that of the terms whose sum a contribution is, as if none of it averaged out.
        """
        own, gross, terms = np.moveaxis(self.sums(nodes, _totals, rows), -1, 1)
        return own, gross, round_off(self.states.dtype) * terms

    def shares(self, nodes: Nodes, moments: Moments, rows: NDArray | None = None) -> NDArray:
        """Largest share of each node, or of some, in ∫|integrand| of any mode of any point."""
        _, gross, noise = moments
        whole = np.moveaxis(np.maximum(gross, noise), 0, -1)
        whole = np.where(whole <= NOTHING, np.inf, whole)  # and not a number where that is unknown

        def largest(parts: NDArray, _sizes: NDArray) -> NDArray:
            return (np.abs(parts) / whole[..., None]).max(axis=(0, 1, 2))

        return np.concatenate(list(self._each(nodes, largest, rows)))


def points_of(program: Program, spectra: NDArray, parameters: Numbers) -> list[Points]:
    """Look at states (points, states, modes), so many together as are soon computed together."""
    size = max(1, TOGETHER // spectra.shape[2])
    groups = [slice(first, first + size) for first in range(0, len(spectra), size)]
    return [
        Points(
            program,
            spectra[group],
            of_rows(parameters, group),
        )
        for group in groups
    ]


def errors_of(own: Moments, best: NDArray, singular: NDArray) -> tuple[NDArray, NDArray]:
    """Compare two rules, mode by mode.

    Both rules carry round-off from terms that cancel. It is added to the error, and taken off what
    the accuracy asks for, since no finer rule could remove it. How large ∫|integrand| and the terms
    are the judged rule tells well enough, and where it misses all of an integrand, the moment.

    Args:
        own: Moments of one rule (…, moments, modes), as `Points.moments` gives them.
        best: Moments alone of the rule that it is judged by.
        singular: Singular value of every mode (…, modes).

    Returns:
        Largest absolute error of a moment E[z·δ] (…), and largest relative one beyond round-off.
    """
    found, gross, noise = own
    gross = np.fmax(gross, np.abs(best))
    difference = np.abs(found - best)
    absolute = ((difference + noise) * np.abs(singular)[..., None, :]).sum(axis=-2).max(axis=-1)
    beyond = np.maximum(difference - noise, 0)
    share = np.divide(beyond, gross, out=np.zeros_like(gross), where=gross > NOTHING)
    share[~np.isfinite(difference)] = np.inf
    return np.where(np.isnan(absolute), np.inf, absolute), share.max(axis=(-2, -1))


def errors_of_many(
    program: Program,
    nodes: Nodes,
    reference: Nodes,
    states: NDArray,
    parameters: Numbers,
    dtype: DTypeLike = float,
) -> Errors:
    """Compare two rules in many states at once, in compiled code.

    Args:
        program: Dynamics with averages.
        nodes: The rule.
        reference: The one that it is judged by, in float64.
        states: States (points, states, modes).
        parameters: By name, one number, or one for each point (points,).
        dtype: Precision in which the rule is used.

    Raises:
        NoProgram: A function that there is no machine code for.
    """
    from eigendyn.program.machine.field import rates_of_many
    from eigendyn.program.moments import moments_program

    measured = moments_program(program)
    more = max(1.0, IN_SUMS * states.shape[2] / ROUNDINGS)

    def moments(rule: Nodes, states: NDArray) -> Moments:
        rates = rates_of_many(measured, rule, states, parameters).astype(float)
        own, gross, terms = np.split(rates, 3, axis=1)
        return own, gross, more * round_off(states.dtype) * terms

    with np.errstate(all="ignore"):
        own = moments(nodes, states.astype(dtype))
        best, *_ = moments(reference, states.astype(float))
        return Errors(*errors_of(own, best, states[:, 0]))


def round_off(dtype: DTypeLike) -> float:
    """Of one term, relative to it."""
    return ROUNDINGS * float(np.finfo(dtype).eps)


def _total(pieces: Iterator[NDArray]) -> NDArray:
    total = next(pieces)
    for part in pieces:
        total += part
    return total


def _totals(parts: NDArray, terms: NDArray) -> NDArray:
    return np.stack([each.sum(axis=-1) for each in (parts, np.abs(parts), terms)])
