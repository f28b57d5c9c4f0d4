"""Write an integrator of ensembles: one trajectory in each lane of a vector.

Every lane has its own time, step and tolerance. A lane whose trajectory ends takes the next one at
once; what a lane computes does not depend on the others.

A trajectory is integrated several times, each time with a smaller tolerance, until two runs agree:
local errors say nothing about how much the flow magnifies them. The difference, scaled down by how
much smaller the tolerance has become, is the estimate of the error of the last run.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from eigendyn.program.machine.builder import I8, I32, whole
from eigendyn.simulation.engines.lanes.method_switching import (
    emit_choice,
    emit_first_choice,
    emit_methods,
)
from eigendyn.simulation.engines.lanes.saving import emit_blank, emit_saving
from eigendyn.simulation.engines.lanes.stable_steps import (
    SELDOM,
    emit_first_disturbance,
    emit_look,
    longest,
)
from eigendyn.simulation.engines.lanes.step import (
    FORGIVEN,
    emit_error,
    emit_extra_stages,
    emit_factor,
    emit_first_step,
    emit_stages,
)
from eigendyn.simulation.engines.lanes.workspace import Frame

COMPLETED, DIVERGED, OUT_OF_STEPS, INACCURATE = 0, 1, 2, 4
CLOSER = 0.02  # tolerance of the second run over that of the first
ACCEPTED = 0.06  # estimated error, over the tolerance, of what is returned
TOLERATED = 0.25  # the same, where a further run has no room
AIM = 0.03  # estimated error, over the tolerance, that a further run is made for
SHORTEST = 1e-30  # step over the time span that ends a run


def emit_integrator(f: Frame) -> None:
    """Write the body of the function that `workspace.build_frame` has declared."""
    _prepare(f)
    with f.w.while_(lambda: _refill(f)):
        _step(f)
    f.w.at.ret_void()


def _prepare(f: Frame) -> None:
    """Let all lanes ask for a trajectory; their numbers are finite, as empty ones compute too."""
    w = f.w
    for name in ("time", "step", "taken", "rtol", "atol", "scale", "last_scale", "last_error"):
        f.put(name, w.spread(1.0))
    for name in ("active", "fresh"):
        f.put(name, w.spread(1.0))
    f.put("next_time", w.spread(float("inf")))
    emit_methods(f)
    for name in ("since", "mark", "tried", "patience", "fastest", "looked"):
        f.put(name, w.spread(0.0))
    with w.loop(w.lanes) as lane:
        f.put("run", whole(0), lane)
    with w.loop(f.coordinates) as i:
        w.store(w.spread(1.0), f.vectors["y"], i)
        w.store(w.spread(0.0), f.vectors["slopes"], i)
        w.store(w.spread(1.0), f.vectors["disturbance"], i)
    with w.loop(f.numbers["parameters"]) as i:
        w.store(w.spread(1.0), f.vectors["parameters"], i)


def _refill(f: Frame) -> Any:
    """Give lanes that ask for it a trajectory, or another run; say whether any lane has one."""
    w = f.w
    # Trajectories need very different numbers of steps. If lanes waited for the slowest among them,
    # most would idle; so each is refilled on its own, while the others are in the middle of theirs.
    fresh = w.at.fcmp_ordered("!=", f.get("fresh"), w.spread(0.0))
    bits = w.lanes_where(fresh)
    with w.at.if_then(w.at.icmp_unsigned("!=", bits, whole(0)), likely=False):
        with w.lanes_of(bits) as lane:
            with w.at.if_then(w.at.icmp_signed("==", f.get("run", lane), whole(0))):
                _take(f, lane)
            with w.at.if_then(w.at.fcmp_ordered("!=", f.get("active", lane), w.number(0.0))):
                _begin(f, lane)
        # evaluates the rates in all lanes at once; those that are under way keep their slopes
        emit_first_step(f, fresh)
        f.put("fresh", w.spread(0.0))
    active = w.at.fcmp_ordered("!=", f.get("active"), w.spread(0.0))
    return w.at.icmp_unsigned("!=", w.lanes_where(active), whole(0))


def _take(f: Frame, lane: Any) -> None:
    """Take the next trajectory from the counter that all threads share, or let the lane idle."""
    w = f.w
    # one counter for all threads: no trajectory is assigned before a lane is free for it
    position = w.at.atomic_rmw("add", f.arrays["taken"], whole(1), "monotonic")
    with w.at.if_else(w.at.icmp_signed("<", position, f.numbers["total"])) as (some, none):
        with some:
            trajectory = w.load(f.arrays["order"], position)
            f.put("trajectory", trajectory, lane)
            f.put("scale", w.load(f.arrays["scales"], trajectory), lane)
            f.put("total", whole(0), lane)
            row = w.at.mul(trajectory, f.numbers["parameters"])
            with w.loop(f.numbers["parameters"]) as i:
                value = w.load(f.arrays["sweeps"], w.at.add(row, i))
                w.store(value, w.lane(w.point(f.vectors["parameters"], i), lane))
        with none:
            f.put("active", w.number(0.0), lane)


def _begin(f: Frame, lane: Any) -> None:
    """Start a run: the state at the first time, which is saved as it is."""
    w, numbers = f.w, f.numbers
    row = w.at.mul(f.get("trajectory", lane), whole(f.coordinates))
    first = w.at.icmp_signed("!=", numbers["first"], whole(0))
    with w.loop(f.coordinates) as i:
        value = w.load(f.arrays["starts"], w.at.add(row, i))
        w.store(value, w.lane(w.point(f.vectors["y"], i), lane))
        emit_first_disturbance(f, lane, i, value)
        with w.at.if_then(first):
            saved = w.at.mul(w.at.add(row, i), numbers["saved"])
            w.store(value, f.arrays["values"], saved)
    f.put("time", numbers["begins"], lane)
    f.put("taken", w.number(0.0), lane)
    f.put("last_error", w.number(1.0), lane)
    f.put("fastest", w.number(0.0), lane)
    f.put("looked", w.number(SELDOM), lane)
    f.put("next", numbers["first"], lane)
    f.put("next_time", w.load(f.arrays["times"], numbers["first"]), lane)
    scale = f.get("scale", lane)
    f.put("rtol", w.mul(numbers["rtol"], scale), lane)
    f.put("atol", w.mul(w.mul(numbers["atol"], scale), w.number(FORGIVEN)), lane)
    emit_first_choice(f, lane)
    w.store(w.spread(0.0, f.block), w.lane(f.lanes["difference"], lane))


def _step(f: Frame) -> None:
    """One step in every lane, saved where it passes saved times, kept where it is accurate."""
    w, numbers = f.w, f.numbers
    active = w.at.fcmp_ordered("!=", f.get("active"), w.spread(0.0))
    time, wanted = f.get("time"), f.get("step")
    end = w.spread(numbers["ends"])
    left = w.sub(end, time)
    last = w.at.fcmp_ordered(">=", wanted, left)
    step = w.at.select(last, left, wanted)
    after = w.at.select(last, end, w.add(time, step))
    emit_stages(f, step)
    error = emit_error(f, step)
    accepted = w.at.and_(active, w.at.fcmp_ordered("<=", error, w.spread(1.0)))
    passed = w.at.fcmp_ordered("<=", f.get("next_time"), after)
    saves = w.lanes_where(w.at.and_(accepted, passed))
    # in memory, so that the numbers of one lane can be read
    steps, ends = w.room(w.vector, step), w.room(w.vector, after)
    with w.at.if_then(w.at.icmp_unsigned("!=", saves, whole(0))):
        emit_extra_stages(f, step)
        with w.lanes_of(saves) as lane:
            emit_saving(f, lane, w.load(w.lane(steps, lane)), w.load(w.lane(ends, lane)))
    final = f.tableau.last
    with w.loop(f.coordinates) as i:
        for place, new in (("y", w.load(f.vectors["y1"], i)), ("slopes", f.slope(final, i))):
            w.update(accepted, new, f.vectors[place], i)
    f.update("time", accepted, after)
    emit_look(f, active, step)
    emit_choice(f, active, w.smaller(w.mul(step, emit_factor(f, error, accepted)), longest(f)))
    f.put("step", w.smaller(f.get("step"), longest(f)))  # of the method that was chosen
    taken = w.add(f.get("taken"), w.spread(1.0))
    f.put("taken", taken)
    _judge(f, active, accepted, last, time, step, taken)


def _judge(
    f: Frame, active: Any, accepted: Any, last: Any, time: Any, step: Any, taken: Any
) -> None:
    """Find the lanes whose run has ended, and how."""
    w, numbers = f.w, f.numbers
    arrived = w.at.and_(accepted, last)
    span = w.sub(numbers["ends"], numbers["begins"])
    tiny = w.at.fcmp_ordered("<", step, w.spread(w.mul(span, w.number(SHORTEST))))
    # a step that is lost when it is added to the time would be tried for ever
    stands = w.at.fcmp_ordered("==", w.add(time, step), time)
    stuck = w.at.or_(tiny, stands)
    tired = w.at.fcmp_ordered(">=", taken, w.spread(numbers["most_steps"]))
    ended = w.at.and_(active, w.at.or_(arrived, w.at.or_(stuck, tired)))
    bits = w.lanes_where(ended)
    with w.at.if_then(w.at.icmp_unsigned("!=", bits, whole(0)), likely=False):
        arrived_bits, stuck_bits = w.lanes_where(arrived), w.lanes_where(stuck)
        with w.lanes_of(bits) as lane:

            def among(those: Any, lane: Any = lane) -> Any:
                return w.at.trunc(w.at.lshr(those, lane), ir.IntType(1))

            failure = w.at.select(among(stuck_bits), whole(DIVERGED), whole(OUT_OF_STEPS))
            outcome = w.at.select(among(arrived_bits), whole(COMPLETED), failure)
            f.put("outcome", outcome, lane)
            _finish(f, lane)


def _finish(f: Frame, lane: Any) -> None:
    """Return the trajectory, or ask for another run with a smaller tolerance."""
    w = f.w
    outcome, run = f.get("outcome", lane), f.get("run", lane)
    f.put("fresh", w.number(1.0), lane)
    taken = w.at.fptosi(f.get("taken", lane), f.lanes["total"].type.pointee.element)
    f.put("total", w.at.add(f.get("total", lane), taken), lane)
    scale = f.get("scale", lane)
    with w.at.if_then(w.at.icmp_signed("!=", outcome, whole(COMPLETED)), likely=False):
        emit_blank(f, lane, f.get("next", lane))
    # a first run has nothing to be compared with
    with w.at.if_else(w.at.icmp_signed("==", run, whole(0))) as (only, compared):
        with only:
            _again(f, lane, w.mul(scale, w.number(CLOSER)))
        with compared:
            estimate = _estimate(f, lane)
            w.store(estimate, f.arrays["estimates"], f.get("trajectory", lane))
            fine = w.at.fcmp_ordered("<=", estimate, w.number(ACCEPTED))
            with w.at.if_else(fine) as (accurate, not_yet):
                with accurate:
                    _return(f, lane, w.at.trunc(outcome, I8))
                with not_yet:
                    # below what is accepted, and far enough from this run to be compared with it
                    needed = w.div(w.number(AIM), estimate)
                    needed = w.smaller(w.larger(needed, w.number(1e-8)), w.number(CLOSER))
                    needed = w.mul(scale, needed)
                    possible = w.at.fcmp_ordered(">=", needed, f.numbers["floor"])
                    with w.at.if_else(possible) as (again, never):
                        with again:
                            _again(f, lane, needed)
                        with never:
                            # from there the method of order 8 goes on, if there is to be one
                            w.store(needed, f.arrays["scales"], f.get("trajectory", lane))
                            near = w.at.fcmp_ordered("<=", estimate, w.number(TOLERATED))
                            status = w.at.select(near, outcome, whole(INACCURATE))
                            _return(f, lane, w.at.trunc(status, I8))


def _estimate(f: Frame, lane: Any) -> Any:
    """The error of this run over the tolerance, from the difference to the run before."""
    w = f.w
    difference = w.room(w.kind, w.number(0.0))
    with w.loop(f.block) as k:
        value = w.load(w.lane(w.lane(f.lanes["difference"], lane), k))
        w.store(w.larger(value, w.load(difference)), difference)
    closer = w.div(f.get("scale", lane), f.get("last_scale", lane))
    # The error of the flow need not fall as fast as the tolerance of a step: it is taken to fall
    # as the power 3/4.
    root = w.sqrt(closer)
    estimate = w.mul(w.load(difference), w.mul(root, w.sqrt(root)))
    outcome = f.get("outcome", lane)
    # two runs that ended differently do not agree, however close they were until then
    same = w.at.icmp_signed("==", outcome, f.get("last_outcome", lane))
    same = w.at.or_(same, w.at.icmp_signed("==", outcome, whole(OUT_OF_STEPS)))
    return w.at.select(same, estimate, w.number(1e10))


def _again(f: Frame, lane: Any, scale: Any) -> None:
    w = f.w
    f.put("last_scale", f.get("scale", lane), lane)
    f.put("scale", scale, lane)
    f.put("last_next", f.get("next", lane), lane)
    f.put("last_outcome", f.get("outcome", lane), lane)
    f.put("run", w.at.add(f.get("run", lane), whole(1)), lane)


def _return(f: Frame, lane: Any, status: Any) -> None:
    """Write down how the trajectory ended, without what only one run has reached."""
    w = f.w
    trajectory = f.get("trajectory", lane)
    reached, before = f.get("next", lane), f.get("last_next", lane)
    fewer = w.at.icmp_signed("<", before, reached)
    with w.at.if_then(fewer, likely=False):
        emit_blank(f, lane, before)
    w.store(status, f.arrays["status"], trajectory)
    w.store(w.at.trunc(f.get("total", lane), I32), f.arrays["steps"], trajectory)
    f.put("run", whole(0), lane)
