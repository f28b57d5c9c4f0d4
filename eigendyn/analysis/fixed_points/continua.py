"""Tell isolated fixed points from those that fill a line or a surface."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from eigendyn.analysis.fixed_points.newton import Rest

SAME = 1e-6  # distance, as a share of the scale, below which two points are one
STRAIGHT = 0.25  # how far the middle of two neighbours may be from a fixed point, in their distance
EXTENT = 1e-3  # of a continuum at least, as a share of the scale
OFF = 0.2  # sine of the angle at most between a line and the continuum at its ends
END = 0.02  # a point so near to a continuum, as a share of the scale, belongs to it


def group(
    rests: Rest, settle: Callable[[NDArray], Rest], scale: float, tolerance: float, zero: float
) -> Iterator[tuple[NDArray, NDArray]]:
    """Tell points apart from continua.

    Neighbours with zero modes stand on one continuum if the line between them leaves both along
    zero modes, if a fixed point is near its middle, and if their eigenvalues have the same signs.

    Args:
        rests: Fixed points, many of them twice.
        settle: Takes points (points, coordinates) to fixed points.
        scale: Size of the window.
        tolerance: Largest rate at a fixed point.
        zero: Share of the largest eigenvalue, or of 1, below which one is a zero mode.

    Yields:
        Members (members,) of one point or continuum, and pairs of neighbours (lines, 2) on it, as
        indices of points; no pairs for a point.
    """
    chosen = _distinct(rests.x, SAME * scale)
    kinds = np.column_stack([_signs(rests.jacobian, zero), rests.x == 0])[chosen]
    alone, continua = [], []
    for kind in np.unique(kinds, axis=0):
        alike = chosen[(kinds == kind).all(axis=1)]
        if kind[1] == 0:  # no zero modes
            alone += alike.tolist()
            continue
        for members, pairs in _continua(_only(rests, alike), kind[:3], settle, tolerance, zero):
            points = rests.x[alike[members]]
            if np.ptp(points, axis=0).max() > EXTENT * scale:
                continua.append((alike[members], alike[pairs]))
            else:
                alone.append(int(alike[members[0]]))
    yield from continua
    on = np.concatenate([members for members, _ in continua] or [chosen[:0]])
    for one in alone:  # where a continuum ends, or changes its stability, is part of it
        distance = np.linalg.norm(rests.x[on] - rests.x[one], axis=1).min(initial=np.inf)
        if distance > END * scale:
            yield np.array([one]), np.empty((0, 2), int)


def _signs(jacobians: NDArray, zero: float) -> NDArray:
    """Number of eigenvalues that grow, vanish and shrink (points, 3)."""
    finite = np.isfinite(jacobians).all(axis=(1, 2), keepdims=True)
    values = np.linalg.eigvals(np.where(finite, jacobians, 0.0))
    size = np.abs(values)
    vanishes = size <= zero * np.maximum(1, size.max(axis=1, keepdims=True, initial=0))
    kinds = (~vanishes & (values.real > 0), vanishes, ~vanishes & (values.real <= 0))
    return np.stack([kind.sum(axis=1) for kind in kinds], axis=1)


def _distinct(points: NDArray, distance: float) -> NDArray:
    """One index of every cluster of points that are hardly apart."""
    if len(points) < 2:
        return np.arange(len(points))
    labels = fcluster(linkage(points, "single"), distance, "distance")
    return np.unique(labels, return_index=True)[1]


def _continua(
    found: Rest,
    signs: NDArray,
    settle: Callable[[NDArray], Rest],
    tolerance: float,
    zero: float,
) -> Iterator[tuple[NDArray, NDArray]]:
    points = found.x
    if len(points) == 1:
        yield np.array([0]), np.empty((0, 2), int)
        return
    pairs = np.column_stack(np.triu_indices(len(points), 1))
    pairs = pairs[_along(found, pairs, zero)]
    pairs, lengths = _tree(pairs, points)
    middle = points[pairs].mean(axis=1)
    rest = settle(middle)
    near = np.linalg.norm(rest.x - middle, axis=1) <= STRAIGHT * lengths
    alike = (_signs(rest.jacobian, zero) == signs).all(axis=1)
    lines = pairs[near & alike & (rest.residual <= tolerance)]
    graph = coo_array((np.ones(len(lines)), lines.T), shape=(len(points), len(points)))
    count, labels = connected_components(graph, directed=False)
    for label in range(count):
        yield np.flatnonzero(labels == label), lines[labels[lines[:, 0]] == label]


def _tree(pairs: NDArray, points: NDArray) -> tuple[NDArray, NDArray]:
    """The shortest of the pairs (pairs, 2) that join as much as all do, and their lengths."""
    lengths = np.linalg.norm(points[pairs[:, 1]] - points[pairs[:, 0]], axis=1)
    graph = coo_array((lengths, pairs.T), shape=(len(points), len(points)))
    tree = minimum_spanning_tree(graph).tocoo()
    return np.column_stack([tree.row, tree.col]), tree.data


def _only(rests: Rest, chosen: NDArray) -> Rest:
    return Rest(rests.x[chosen], rests.residual[chosen], rests.jacobian[chosen])


def _along(rests: Rest, pairs: NDArray, zero: float) -> NDArray:
    """Whether the lines (pairs,) leave both of their ends along zero modes."""
    change = rests.x[pairs[:, 1]] - rests.x[pairs[:, 0]]
    _, sizes, rows = np.linalg.svd(rests.jacobian)
    is_zero = sizes <= zero * np.maximum(1, sizes.max(axis=1, keepdims=True))
    across = np.where(is_zero[..., None], 0.0, rows)[pairs]  # (pairs, 2, modes, coordinates)
    off = np.linalg.norm(np.einsum("pemc,pc->pem", across, change), axis=2)
    return (off <= OFF * np.linalg.norm(change, axis=1)[:, None]).all(axis=1)
