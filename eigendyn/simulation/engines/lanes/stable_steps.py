"""Keep steps as short as is stable, by the rate at which the fastest disturbance decays.

A component that has decayed shows neither in the states nor in the error of a step, until steps
that are too long blow it up again: to a hundred times the tolerance at their ends, and to ten
thousand times inside them, where the dense output follows every stage. So its rate is measured: a
small disturbance is kept beside the trajectory, and is turned towards the fastest one by the rates
in the disturbed state, now and then, and after every step that comes near to what is stable.

Source: Sommeijer, Shampine and Verwer 1998, RKC, for the nonlinear power method.
"""

from __future__ import annotations

from typing import Any

from eigendyn.program.machine.builder import I1, whole
from eigendyn.simulation.engines.lanes.workspace import Frame

SMALL = 1e-6  # disturbance, over the largest state
MOST = 0.01  # of a state that a disturbance may change
NEAR = 0.3  # of the longest stable step, from which on every step is looked at
SELDOM = 4.0  # steps from one look to the next otherwise
RESTS = 0.8  # of the longest stable step, from which on it is stability that limits steps


def emit_first_disturbance(f: Frame, lane: Any, i: Any, value: Any) -> None:
    """Disturb one coordinate of a trajectory that begins, with a sign that alternates."""
    w = f.w
    # with signs alike, equal modes would be disturbed alike, and what parts them would not show
    odd = w.at.trunc(i, I1)
    signed = w.at.select(odd, w.sub(w.number(0.0), value), value)
    w.store(signed, w.lane(w.point(f.vectors["disturbance"], i), lane))


def emit_look(f: Frame, active: Any, step: Any) -> None:
    """Measure the rate of the fastest disturbance, in the lanes where it is time to.

    Args:
        f: The integrator; its states and their slopes are those after the step.
        active: Lanes that have a trajectory.
        step: Length of the step.
    """
    w = f.w
    since = w.add(f.get("looked"), w.spread(1.0))
    near = w.at.fcmp_ordered(">", step, w.mul(longest(f), w.spread(NEAR)))
    due = w.at.and_(active, w.at.or_(near, w.at.fcmp_ordered(">=", since, w.spread(SELDOM))))
    f.put("looked", w.at.select(due, w.spread(0.0), since))
    with w.at.if_then(w.at.icmp_unsigned("!=", w.lanes_where(due), whole(0))):
        # One step of the power method: (f(y + d) − f(y)) is J d, and takes the place of d. Only its
        # direction is kept, which turns to the fastest one from look to look; its size is set anew,
        # and cut in each coordinate so that no state changes its sign.
        state, own = _largest(f, "y"), _largest(f, "disturbance")
        share = w.div(w.mul(state, w.spread(SMALL)), own)
        with w.loop(f.coordinates) as i:
            y = w.load(f.vectors["y"], i)
            most = w.mul(w.size_of(y), w.spread(MOST))
            change = w.mul(w.load(f.vectors["disturbance"], i), share)
            change = w.larger(w.smaller(change, most), w.sub(w.spread(0.0), most))
            w.store(w.add(y, change), f.vectors["argument"], i)
        # the second row of slopes is free between two steps
        f.evaluate(
            f.get("time"), f.vectors["argument"], w.point(f.vectors["slopes"], f.coordinates)
        )
        moved, answer = (w.room(w.vector, w.spread(0.0)) for _ in range(2))
        with w.loop(f.coordinates) as i:
            change = w.sub(w.load(f.vectors["argument"], i), w.load(f.vectors["y"], i))
            rates = w.sub(f.slope(1, i), f.slope(0, i))
            for place, value in ((moved, change), (answer, rates)):
                w.store(w.larger(w.size_of(value), w.load(place)), place)
        fastest = w.div(w.load(answer), w.load(moved))
        # where the rates do not change, or have no value, the last estimate stays
        counts = w.at.and_(due, w.at.fcmp_ordered("<", fastest, w.spread(float("inf"))))
        counts = w.at.and_(counts, w.at.fcmp_ordered(">", fastest, w.spread(0.0)))
        f.update("fastest", counts, fastest)
        with w.loop(f.coordinates) as i:
            rates = w.sub(f.slope(1, i), f.slope(0, i))
            w.update(counts, rates, f.vectors["disturbance"], i)


def longest(f: Frame) -> Any:
    """The longest stable step of every lane's method."""
    stable = f.weights("control", 0)[2][1]
    return f.w.div(stable, f.get("fastest"))


def _largest(f: Frame, vector: str) -> Any:
    w = f.w
    largest = w.room(w.vector, w.spread(0.0))
    with w.loop(f.coordinates) as i:
        w.store(w.larger(w.size_of(w.load(f.vectors[vector], i)), w.load(largest)), largest)
    return w.load(largest)
