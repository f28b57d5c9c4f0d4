"""Save a trajectory at times inside a step, by the dense output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from eigendyn.program.machine.builder import I32, whole
from eigendyn.simulation.engines.lanes.workspace import Frame

Write = Callable[[Frame, Any, Any, Any], Any]


def emit_saving(f: Frame, lane: Any, step: Any, end: Any) -> None:
    """Save one lane's trajectory at all times up to the end of its step.

    From the second run on, compare with what the run before has saved there.

    Args:
        f: The integrator.
        lane: Which lane.
        step: Length of its step.
        end: Time at its end.
    """
    w = f.w
    pointer, saved = f.arrays["times"], f.numbers["saved"]
    begin = f.get("time", lane)
    inverse = w.div(w.number(1.0), step)
    again = w.at.icmp_signed(">", f.get("run", lane), whole(0))

    def more() -> Any:
        return w.at.fcmp_ordered("<=", f.get("next_time", lane), end)

    with w.while_(more):
        position = f.get("next", lane)
        # behind the last saved time stand infinities, so that a whole vector can always be read
        times = w.load(pointer, position, width=f.block)
        inside = w.at.fcmp_ordered("<=", times, w.spread(end, f.block))
        share = w.mul(w.sub(times, w.spread(begin, f.block)), w.spread(inverse, f.block))
        if f.is_short:  # right everywhere, and in a first run compared with nothing that matters
            _save(f, lane, position, share, inside, _compare_and_mask)
        else:
            fits = w.at.icmp_signed("<=", w.at.add(position, whole(f.block)), saved)
            with w.at.if_else(fits) as (row_goes_on, row_ends):
                with row_goes_on, w.at.if_else(again) as (later, first):
                    with later:
                        _save(f, lane, position, share, inside, _compare_and_blend)
                    with first:
                        _save(f, lane, position, share, inside, _overwrite)
                with row_ends:
                    _save(f, lane, position, share, inside, _compare_and_mask)
        position = w.at.add(position, _count(f, inside))
        f.put("next", position, lane)
        f.put("next_time", w.load(pointer, position), lane)


def emit_blank(f: Frame, lane: Any, position: Any) -> None:
    """No number at any saved time from this position on."""
    w = f.w
    values, saved = f.arrays["values"], f.numbers["saved"]
    base = w.at.mul(f.get("trajectory", lane), whole(f.coordinates))
    with w.loop(f.coordinates) as i:
        row = w.at.mul(w.at.add(base, i), saved)
        with w.loop(saved, position) as k:
            w.store(w.number(float("nan")), values, w.at.add(row, k))


def _save(f: Frame, lane: Any, position: Any, share: Any, inside: Any, write: Write) -> None:
    """Evaluate the dense output of one lane at a vector of times, and write it down.

    Each way to write returns what was there, or nothing. The largest difference to it, in units of
    what is allowed, is kept roughly: dividing takes as long as everything else here.
    """
    w, block = f.w, f.block
    vector = ir.VectorType(w.kind, block)
    powers = len(f.tableau.dense)
    beyond = w.mul(share, w.sub(w.spread(1.0, block), share))
    beyond = w.mul(beyond, beyond)
    base = w.at.mul(f.get("trajectory", lane), whole(f.coordinates))
    worst = w.lane(f.lanes["difference"], lane)
    largest = w.room(vector, w.load(worst))
    rtol, atol = (w.spread(f.numbers[name], block) for name in ("rtol", "atol"))
    with w.loop(f.coordinates) as i:

        def coefficient(power: int, i: Any = i) -> Any:
            place = w.point(f.vectors["dense"], f.row(power, i))
            return w.spread(w.load(w.lane(place, lane)), block)

        def polynomial(first: int, end: int) -> Any:
            value = coefficient(end - 1)
            for place in reversed(range(first, end - 1)):
                value = w.add(w.mul(value, share), coefficient(place))
            return value

        start = w.load(w.lane(w.point(f.vectors["y"], i), lane))
        value = w.add(w.mul(polynomial(0, 3), share), w.spread(start, block))
        value = w.add(w.mul(polynomial(3, powers), beyond), value)
        row = w.at.add(w.at.mul(w.at.add(base, i), f.numbers["saved"]), position)
        place = w.at.bitcast(w.point(f.arrays["values"], row), vector.as_pointer())
        before = write(f, value, place, inside)
        if before is not None:
            difference = w.size_of(w.sub(value, before))
            allowed = w.add(w.mul(w.size_of(value), rtol), atol)
            share_of = w.mul(difference, w.rough_inverse(allowed))
            w.store(w.larger(share_of, w.load(largest)), largest)
    w.store(w.load(largest), worst)


def _overwrite(f: Frame, value: Any, place: Any, inside: Any) -> None:  # noqa: ARG001
    """What is written too far will be overwritten, by a later step or by `emit_blank`."""
    f.w.at.store(value, place, align=f.w.size)


def _compare_and_blend(f: Frame, value: Any, place: Any, inside: Any) -> Any:
    """As quick as that on processors whose stores with a mask are slow."""
    before = f.w.update(inside, value, f.w.at.bitcast(place, f.w.kind.as_pointer()))
    return f.w.at.select(inside, before, value)


def _compare_and_mask(f: Frame, value: Any, place: Any, inside: Any) -> Any:
    """Touches nothing behind the row: other threads write there."""
    before = _masked_load(f, place, inside, value)
    _masked_store(f, value, place, inside)
    return before


def _name(f: Frame) -> str:
    return f"v{f.block}f{8 * f.w.size}.p0"


def _masked_load(f: Frame, place: Any, inside: Any, other: Any) -> Any:
    values = (place, I32(f.w.size), inside, other)
    load = f.w.declare(f"llvm.masked.load.{_name(f)}", other.type, [v.type for v in values])
    return f.w.at.call(load, values)


def _masked_store(f: Frame, value: Any, place: Any, inside: Any) -> None:
    values = (value, place, I32(f.w.size), inside)
    store = f.w.declare(f"llvm.masked.store.{_name(f)}", ir.VoidType(), [v.type for v in values])
    f.w.at.call(store, values)


def _count(f: Frame, inside: Any) -> Any:
    bits = f.w.lanes_where(inside)
    return f.w.call("ctpop", bits)
