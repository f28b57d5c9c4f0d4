"""Find where watched curves cross a level: polynomials through eight times, and their roots."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

POINTS = 8  # of a polynomial
ROUNDS = 24  # of the search for its root
FOUND = 1e-12  # of an interval: a root that moves by less is found


def located(
    times: NDArray, curves: NDArray, at: NDArray, level: NDArray, side: NDArray
) -> tuple[NDArray, NDArray]:
    """Where each curve (ways, times) crosses its level before place `at`, and how far that errs.

    A polynomial in Newton's form goes through the nearest times: each term is what one time more
    changes. The last two terms move its root by their size over the slope, and so did the two
    before; the slope is the least of those with four, six and eight times.
    """
    ends, which = np.unique(at, return_inverse=True)  # few, whose times many ways share
    apart = np.abs(np.arange(len(times)) - (ends[:, None] - 0.5))
    near = np.argsort(apart, axis=1, kind="stable")[:, :POINTS].T  # the two around a root first
    nodes = (times[near] - times[ends - 1]) / np.diff(times)[ends - 1]
    terms = side * (curves[np.arange(len(at)), near[:, which]] - level)
    with np.errstate(all="ignore"):  # what overflows has an error that is no number
        for order in range(1, POINTS):
            steps = nodes[order:] - nodes[:-order]
            terms[order:] = (terms[order:] - terms[order - 1 : -1]) / steps[:, which]
        nodes = nodes[:, which]
        root = _root(nodes, terms)
        added, slopes = [], [np.zeros_like(root)]
        factor, its_slope = np.ones_like(root), np.zeros_like(root)
        for node, term in zip(nodes, terms, strict=True):
            added.append(term * factor)
            slopes.append(slopes[-1] + term * its_slope)
            its_slope = its_slope * (root - node) + factor
            factor = factor * (root - node)
        slope = np.min(np.abs(slopes[4::2]), axis=0)
        last, before = ((np.abs(added[k]) + np.abs(added[k + 1])) / slope for k in (-2, -4))
        error = np.maximum(last, before / 100)
    start, length = times[at - 1], times[at] - times[at - 1]
    return start + root * length, error * length


def _value(nodes: NDArray, terms: NDArray, x: NDArray) -> NDArray:
    """Values at x (ways,) of polynomials with these terms (points, ways), by Horner's rule."""
    found = terms[-1].copy()
    for node, term in zip(nodes[-2::-1], terms[-2::-1], strict=True):
        found *= x - node
        found += term
    return found


def _root(nodes: NDArray, terms: NDArray) -> NDArray:
    """Root between 0 and 1 of polynomials (points, ways) that are positive at 0, and not at 1.

    False position with the Illinois rule; a way whose root is found is left.
    """
    low, high = np.zeros(nodes.shape[1]), np.ones(nodes.shape[1])
    above, below = terms[0], np.minimum(terms[0] + terms[1], 0.0)  # the first nodes are 0 and 1
    held = np.zeros(nodes.shape[1])  # how often in a row the same end moved, with its sign
    roots, left, x = low.copy(), np.arange(nodes.shape[1]), low
    with np.errstate(all="ignore"):
        for _ in range(ROUNDS):
            before = x
            x = low + (high - low) * above / (above - below)
            x = np.where((x > low) & (x <= high), x, (low + high) / 2)
            roots[left] = x
            more = ~(np.abs(x - before) <= FOUND)
            if not more.any():
                break
            if not more.all():
                left, x, low, high = left[more], x[more], low[more], high[more]
                above, below, held = above[more], below[more], held[more]
                nodes, terms = nodes[:, more], terms[:, more]
            here = _value(nodes, terms, x)
            up = here > 0
            low, above = np.where(up, x, low), np.where(up, here, above)
            high, below = np.where(up, high, x), np.where(up, below, here)
            below = np.where(up & (held > 0), below / 2, below)
            above = np.where(~up & (held < 0), above / 2, above)
            held = np.where(up, 1.0, -1.0)
    return roots
