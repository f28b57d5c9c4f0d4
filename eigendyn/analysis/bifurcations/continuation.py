"""Follow branches of fixed points over a parameter by pseudo-arclength continuation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm.auto import tqdm

from eigendyn.analysis.bifurcations.anywhere import rests_anywhere
from eigendyn.analysis.bifurcations.arclength import distance
from eigendyn.analysis.bifurcations.branches import FILLS, Branch, follow, single
from eigendyn.analysis.bifurcations.curve import Curve, Reading, curve_through, stands_alone
from eigendyn.analysis.bifurcations.ends import Limits
from eigendyn.analysis.bifurcations.family import Family, family, vanished_modes
from eigendyn.analysis.bifurcations.special_points import SpecialPoint
from eigendyn.analysis.bifurcations.switching import leaving
from eigendyn.analysis.fixed_points.fixed_points import check_window, find_fixed_points
from eigendyn.analysis.fixed_points.newton import Dynamics, check_parameters
from eigendyn.analysis.plane.slice import Slice
from eigendyn.analysis.system import DynamicalSystem
from eigendyn.errors import InvalidSetting
from eigendyn.settings.checks import check_whole
from eigendyn.settings.states import DEGREES, MOVES

LARGEST = 2.0  # variance at the upper corner of the usual window
STEP = 0.02  # longest step, in units of the window and the parameter's range
SLICES = 5  # values of the parameter at which fixed points are sought
ON = 1e-3  # distance from a branch, in units of the step's, at which a point is on it
SAME = 1e-4  # distance, in units of the window and the range, at which special points are one
BESIDE = 1e-6  # largest rate of a start that is taken to a fixed point nearby
MOST = 5_000  # points of one direction of a branch
MOST_BRANCHES = 40
PATIENCE = 2.0  # s without a progress bar
KNOWN = (DynamicalSystem, Slice)  # systems that say what they are


@dataclass(frozen=True, eq=False)
class Diagram:
    """How the fixed points of a system depend on a parameter.

    Args:
        driven: Names of the parameters that are driven together; mostly one.
        between: Smallest and largest value.
        names: Name of every coordinate.
        branches: The branches.
        special_points: Those of all branches, each once, by their parameter.
        unfollowed: Number of branches that were seen to leave others, and not followed any more.
        slices: Number of values of the parameter at which fixed points were sought; 0 if a start
            was given.
        title: Which system it is, and its numbers that are not the usual ones; empty for `Dynamics`
            of one's own.
    """

    driven: tuple[str, ...]
    between: tuple[float, float]
    names: tuple[str, ...]
    branches: tuple[Branch, ...]
    special_points: tuple[SpecialPoint, ...]
    unfollowed: int
    slices: int = 0
    title: str = ""

    @property
    def partial(self) -> bool:
        """Whether a branch ends for a numerical reason, or was not followed."""
        return self.unfollowed > 0 or any(branch.partial for branch in self.branches)


def continue_fixed_points(
    system: Dynamics,
    parameter: str | Sequence[str],
    between: Sequence[float],
    *,
    window: tuple[ArrayLike, ArrayLike] | None = None,
    start: ArrayLike | None = None,
    slices: int = SLICES,
    starts: int = 64,
    seed: int = 0,
    step: float = STEP,
    tolerance: float = 1e-10,
    progress: bool = False,
    **parameters: float,
) -> Diagram:
    r"""Follow fixed points f(x, μ) = 0 as a parameter μ changes, by pseudo-arclength.

    Branches begin at the fixed points that a search finds at a few values of the parameter, at
    those that another finds at any value, and where other branches cross. Special points are
    bracketed and refined along them. Where quantities are conserved, a branch stays on the level of
    its start. s and −s are the same, so that a branch ends where a mode vanishes: what is
    transcritical in its variance.

    Args:
        system: A `DynamicalSystem`, a plane of one, or any `Dynamics`.
        parameter: Name of the parameter, or of several that change together, as in
            ("weight_decay", "predictor_decay").
        between: Smallest and largest value.
        window: Lower and upper corner (coordinates,) in which branches are followed; None is
            `usual_window`.
        start: A fixed point (coordinates,) at the system's own value of the parameter, or at that
            given in `parameters`: then only the branches that hang together with it are followed.
        slices: Number of values of the parameter at which fixed points are sought.
        starts: Starts of each search.
        seed: Seed of these.
        step: Longest step, in units of the window and the parameter's range.
        tolerance: Largest absolute rate at a fixed point.
        progress: Show a progress bar on standard error if it takes more than 2 s.
        parameters: Numbers by name, in the place of the system's own.

    Returns:
        The branches, each with the reason why it ends; that a branch could not be followed is one.

    Raises:
        UnknownName: A parameter that the system does not have.
        InvalidSetting: An empty range or window, a start that is no fixed point, or no fixed point
            to follow.

    Source: Keller 1977 for pseudo-arclength continuation.

    Examples:
        >>> system = eigendyn.dynamical_system("euclidean", 1, sigma1=0)
        >>> diagram = eigendyn.continue_fixed_points(system, "weight_decay", (0.05, 0.4))
        >>> [(point.kind, round(point.parameter, 6)) for point in diagram.special_points]
        [('saddle-node', 0.25)]
    """
    check_parameters(system, parameters, continue_fixed_points)
    slices = check_whole("slices", slices, 1)
    corners = usual_window(system) if window is None else window
    low, high = check_window(*corners, len(system.names))
    member = family(system, parameter, between, (low, high), parameters)
    limits = Limits(low, high, step, MOST)
    slices = 1 if member.levels else slices  # every other value would bring other levels
    if start is None:
        first = _searched(member, limits, slices, starts, seed, tolerance)
    else:
        first = [_given(member, limits, start, tolerance)]
    branches: list[Branch] = []
    unfollowed = 0
    for curve, reading in tqdm(first, unit="start", delay=PATIENCE, disable=not progress):
        unfollowed += _grow(branches, curve, reading, limits)
    if not branches:
        message = (
            f"There must be a fixed point to follow, and none was found in the window for "
            f"{', '.join(member.driven)} from {member.low:g} to {member.high:g}. Try a wider "
            "window or another range."
        )
        raise InvalidSetting(message)
    if all(branch.ended == (FILLS, FILLS) for branch in branches):
        message = (
            "Fixed points must be isolated to be followed, and here they fill lines that no "
            "conserved quantity parts. Try decay of encoder and predictor alike, or another "
            "parameter."
        )
        raise InvalidSetting(message)
    return Diagram(
        driven=member.driven,
        between=(member.low, member.high),
        names=tuple(system.names),
        branches=tuple(branches),
        special_points=_distinct(branches, high - low, member.high - member.low),
        unfollowed=unfollowed,
        slices=slices if start is None else 0,
        title=system.title(parameters, member.driven) if isinstance(system, KNOWN) else "",
    )


def usual_window(system: Dynamics) -> tuple[NDArray, NDArray]:
    """Corners of a window that holds variances up to 2, and what belongs to them."""
    states = [name.rpartition("_")[0] for name in system.names]
    low = [-1.0 if state in MOVES else 0.0 for state in states]
    high = [LARGEST ** (DEGREES.get(state, 1.0) / 2) for state in states]
    return np.array(low), np.array(high)


def _searched(
    member: Family, limits: Limits, slices: int, starts: int, seed: int, tolerance: float
) -> Iterator[tuple[Curve, Reading]]:
    """Fixed points at a few values of the parameter, then at any, isolated ones first.

    Where quantities are conserved, slices are all: other points would bring other levels.
    """
    aside: list[tuple[Curve, Reading]] = []
    width = (member.high - member.low) / slices
    for value in member.low + width * (np.arange(slices) + 0.5):  # at 0 they often fill lines
        found = find_fixed_points(
            member.system,
            limits.low,
            limits.high,
            starts=starts,
            seed=seed,
            tolerance=tolerance,
            **member.at(float(value)),
        )
        for point in found.found:
            curve, reading = _begin(member, limits, point.x, float(value), tolerance)
            if reading is None:
                continue
            if stands_alone(curve, reading):
                yield curve, reading
            else:
                aside.append((curve, reading))
    if not member.levels:
        anywhere = rests_anywhere(member, limits.low, limits.high, starts, seed, tolerance)
        for x, value in anywhere:
            curve, reading = _begin(member, limits, x, value, tolerance)
            if reading is not None and stands_alone(curve, reading):
                yield curve, reading
    yield from aside


def _given(
    member: Family, limits: Limits, start: ArrayLike, tolerance: float
) -> tuple[Curve, Reading]:
    """Check that a start is a fixed point."""
    x = np.asarray(start, float)
    name = member.driven[0]
    value = float(member.others[name])
    if x.shape != (len(member.system.names),) or not member.low <= value <= member.high:
        message = (
            f"A start needs {len(member.system.names)} coordinates and a {name} in the range "
            f"{member.low:g}, {member.high:g}; this one has the shape {x.shape} and {name} = "
            f"{value:g}. Try {name}={(member.low + member.high) / 2:g} with its fixed point."
        )
        raise InvalidSetting(message)
    rate = float(np.abs(member.linearise(x, value)[0][: len(x)]).max())
    curve, reading = _begin(member, limits, x, value, tolerance)
    if not rate <= BESIDE or reading is None:
        message = (
            f"A start must be a fixed point, and the largest rate at {x.tolist()} with {name} = "
            f"{value:g} is {rate:.3g}. Try one of `fixed_points`."
        )
        raise InvalidSetting(message)
    return curve, reading


def _begin(
    member: Family, limits: Limits, x: NDArray, value: float, tolerance: float
) -> tuple[Curve, Reading | None]:
    curve = curve_through(member, x, value, np.maximum(limits.high - limits.low, 1e-300), tolerance)
    return curve, curve.at_parameter(x, value)


def _grow(branches: list[Branch], curve: Curve, start: Reading, limits: Limits) -> int:
    """Follow a branch, and all that cross it, unless they are known; count those left over."""
    if not stands_alone(curve, start):
        if not any(_is_on(curve, b, start) or b.ended == (FILLS, FILLS) for b in branches):
            branches.append(single(curve, start, FILLS))
        return 0
    waiting = [(curve, start)]
    while waiting and len(branches) < MOST_BRANCHES:
        curve, start = waiting.pop(0)
        if _is_mirrored(curve, start) or any(_is_on(curve, b, start) for b in branches):
            continue
        branch = follow(curve, start, limits)
        special = []
        for one in branch.special_points:
            others = leaving(curve, one, limits)
            special.append(replace(one, kind=others.kind))
            waiting.extend(others.starts)
        branches.append(replace(branch, special_points=tuple(special)))
    return len(waiting)


def _is_mirrored(curve: Curve, point: Reading) -> bool:
    """Whether a singular value is negative: the same branch is on its positive side."""
    states = [name.rpartition("_")[0] for name in curve.family.system.names]
    return bool((point.x[np.equal(states, "singular_value")] < 0).any())


def _is_on(curve: Curve, branch: Branch, point: Reading) -> bool:
    """Whether a point is on a branch: nearer to one of its chords than steps are long."""
    vanished = vanished_modes(curve.family.system.names, branch.x[len(branch.x) // 2])
    if vanished.keys() != curve.vanished.keys():
        return False
    line = np.column_stack([branch.x / curve.size, branch.parameter / curve.span])
    at = np.append(point.x / curve.size, point.value / curve.span)
    return distance(line, at) <= ON


def _distinct(branches: Sequence[Branch], size: NDArray, span: float) -> tuple[SpecialPoint, ...]:
    """Special points of all branches, each once: that whose bracket holds its parameter."""
    found: list[SpecialPoint] = []
    everything = [one for branch in branches for one in branch.special_points]
    everything.sort(key=_preference)
    for one in everything:
        alike = (
            other.kind == one.kind
            and abs(other.parameter - one.parameter) <= SAME * span
            and (np.abs(other.x - one.x) <= SAME * size).all()
            for other in found
        )
        if not any(alike):
            found.append(one)
    return tuple(sorted(found, key=lambda one: (one.parameter, *one.x)))


def _preference(one: SpecialPoint) -> tuple[bool, bool, float]:
    """Refined ones first, then those between whose bracket's ends the parameter lies."""
    low, high = sorted(one.bracket[:, 0])
    return (
        not one.refined,
        not low < one.parameter < high,
        float(np.abs(np.real(one.eigenvalues)).min()),
    )
