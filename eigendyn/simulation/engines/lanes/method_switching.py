"""Switch every lane between an accurate method and a more stable one.

Where a method of high order is kept from longer steps by its stability alone, a stable one takes
over, and the other way round. A lane tries the other method where its step has not doubled over
many steps. If the step falls below what it was, it returns, and waits twice as long.
"""

from __future__ import annotations

from typing import Any

from eigendyn.program.machine.builder import whole
from eigendyn.simulation.engines.lanes.stable_steps import RESTS, longest
from eigendyn.simulation.engines.lanes.workspace import Frame

PATIENCE = 12.0  # steps before the other method is tried
WORTH = 2.0  # by how much a step must have grown for its method to stay


def emit_choice(f: Frame, active: Any, step: Any) -> None:
    """Find the lanes that are to use the other method from the next step on.

    Args:
        f: The integrator.
        active: Lanes that have a trajectory.
        step: Length of the next step.
    """
    w = f.w
    zero, one = w.spread(0.0), w.spread(1.0)

    def holds(name: str) -> Any:
        return w.at.fcmp_ordered("!=", f.get(name), zero)

    mark, since, tried, second = (
        f.get("mark"),
        w.add(f.get("since"), one),
        holds("tried"),
        holds("method"),
    )
    # `mark` is the step at the last decision, against which a method is judged
    due = w.at.fcmp_ordered(">=", since, f.get("patience"))
    shorter = w.at.fcmp_ordered("<", step, mark)
    grown = w.at.fcmp_ordered(">=", step, w.mul(mark, w.spread(WORTH)))
    # The stable method begins with short steps, as its order is 2, and has its whole trial to
    # lengthen them; the accurate one is given up as soon as its step falls below the mark.
    fails = w.at.and_(w.at.and_(tried, shorter), w.at.or_(due, w.at.not_(second)))
    tries = w.at.and_(w.at.and_(due, w.at.not_(tried)), w.at.not_(grown))
    # only where stability limits the steps is the stable method worth a trial
    rests = w.at.fcmp_ordered(">=", step, w.mul(longest(f), w.spread(RESTS)))
    tries = w.at.and_(tries, w.at.or_(second, rests))
    ends = w.at.or_(due, fails)
    f.put("since", w.at.select(ends, zero, since))
    f.update("mark", ends, w.larger(step, w.at.select(fails, mark, zero)))
    # after a failed trial the old method goes on with the step that it had
    f.put("step", w.at.select(fails, mark, step))
    waits = w.at.select(w.at.and_(due, tried), w.spread(PATIENCE), f.get("patience"))
    f.put("patience", w.at.select(fails, w.mul(f.get("patience"), w.spread(2.0)), waits))
    f.put("tried", w.at.select(tries, one, w.at.select(ends, zero, f.get("tried"))))
    # Both methods run through the same instructions, and a lane's method is a column of numbers in
    # memory: to switch a lane is to overwrite its column, which happens rarely.
    bits = w.lanes_where(w.at.and_(active, w.at.or_(tries, fails)))
    with (
        w.at.if_then(w.at.icmp_unsigned("!=", bits, whole(0)), likely=False),
        w.lanes_of(bits) as lane,
    ):
        _use(f, lane, w.sub(w.number(1.0), f.get("method", lane)))


def emit_first_choice(f: Frame, lane: Any) -> None:
    """The first method, where a run begins."""
    w = f.w
    for name, value in (("since", 0.0), ("mark", 0.0), ("tried", 0.0), ("patience", PATIENCE)):
        f.put(name, w.number(value), lane)
    other = w.at.fcmp_ordered("!=", f.get("method", lane), w.number(0.0))
    with w.at.if_then(other, likely=False):
        _use(f, lane, w.number(0.0))


def emit_methods(f: Frame) -> None:
    """The first method in every lane."""
    w = f.w
    with w.loop(len(f.places)) as index:
        w.store(w.spread(w.load(f.arrays["methods"], index)), f.vectors["method"], index)
    f.put("method", w.spread(0.0))


def _use(f: Frame, lane: Any, method: Any) -> None:
    """Give one lane the numbers of a method."""
    w = f.w
    f.put("method", method, lane)
    is_second = w.at.fcmp_ordered("!=", method, w.number(0.0))
    first = f.arrays["methods"]
    chosen = w.at.select(is_second, w.point(first, len(f.places)), first)
    with w.loop(len(f.places)) as index:
        value = w.load(chosen, index)
        w.store(value, w.lane(w.point(f.vectors["method"], index), lane))
