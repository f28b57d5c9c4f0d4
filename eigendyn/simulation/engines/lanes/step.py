"""Write one Runge–Kutta step in every lane: stages, the new state, its error."""

from __future__ import annotations

from typing import Any

from eigendyn.program.machine.builder import whole
from eigendyn.simulation.engines.lanes.workspace import Frame
from eigendyn.simulation.engines.vanished import NOTHING

SAFETY = 0.85
NOW, BEFORE = 0.7, -0.4  # shares of the last two errors in the next step
LEAST_ERROR = 1e-4  # of a step, over what is allowed, that the next one is chosen by
LEAST = 0.2  # by which a step may shrink
FORGIVEN = 1e-3  # of the absolute tolerance, in a step of states that may rest at zero
ROUND_OFF = {8: 1e-13, 4: 1e-4}  # of a velocity, over what it moves: what is left of forces at rest


def emit_first_step(f: Frame, fresh: Any) -> None:
    """Slopes and a first step for lanes that begin: the time in which a state changes by itself."""
    w = f.w
    f.evaluate(f.get("time"), f.vectors["y"], f.vectors["y1"])
    span = w.spread(w.sub(f.numbers["ends"], f.numbers["begins"]))
    shortest = w.room(w.vector, span)
    rtol, atol = f.get("rtol"), f.get("atol")
    negligible = w.div(atol, rtol)
    with w.loop(f.coordinates) as i:
        slope = w.load(f.vectors["y1"], i)
        w.update(fresh, slope, f.vectors["slopes"], i)
        size = w.add(w.size_of(w.load(f.vectors["y"], i)), negligible)
        own = w.div(size, w.size_of(slope))
        w.store(w.smaller(own, w.load(shortest)), shortest)
    # errors of a step fall as h^order: the first is a share rtol^(1/order) of that time
    share = w.mul(w.rough_power(rtol, w.spread(1 / f.tableau.order)), w.spread(0.5))
    first = w.mul(share, w.load(shortest))
    first = w.larger(first, w.mul(span, w.spread(1e-10)))
    f.update("step", fresh, first)


def emit_stages(f: Frame, step: Any) -> None:
    """All slopes of a step, and the state after it."""
    tableau = f.tableau
    if f.is_short:
        _emit_stages_as_loop(f, step)
        return
    for index in range(1, tableau.last):
        _advance(f, f.weights("stage", index - 1), step, "argument")
        _evaluate(f, index, step, "argument")
    _advance(f, f.weights("stage", tableau.last - 1), step, "y1")
    _evaluate(f, tableau.last, step, "y1")


def _emit_stages_as_loop(f: Frame, step: Any) -> None:
    """As `emit_stages`, in a tenth of the code: rows of a_ij, b_j and c_i lie behind each other.

    No column is missing in them, as the more stable method needs every earlier slope.
    """
    w, places = f.w, f.places
    total = w.room(w.vector)
    with w.loop(f.tableau.last + 1, 1) as index:
        # the rows before have 1, 2, …, index − 1 columns
        before = w.at.lshr(w.at.mul(index, w.at.sub(index, whole(1))), whole(1))
        row = w.at.add(whole(places["stage", 0, 0]), before)
        with w.loop(f.coordinates) as i:
            slopes, weights = w.point(f.vectors["slopes"], i), w.point(f.vectors["method"], row)
            w.store(w.spread(0.0), total)
            with w.loop(index) as j:
                slope = w.load(slopes, w.at.mul(j, whole(f.coordinates)))
                term = w.mul(slope, w.load(weights, j))
                w.store(w.add(w.load(total), term), total)
            w.store(
                w.add(w.mul(step, w.load(total)), w.load(f.vectors["y"], i)), f.vectors["y1"], i
            )
        share = w.load(f.vectors["method"], w.at.add(whole(places["fraction", 0, 0] - 1), index))
        slopes = w.point(f.vectors["slopes"], w.at.mul(index, whole(f.coordinates)))
        f.evaluate(w.add(w.mul(step, share), f.get("time")), f.vectors["y1"], slopes)


def emit_extra_stages(f: Frame, step: Any) -> None:
    """Slopes that only the dense output needs, and its coefficients."""
    w, tableau = f.w, f.tableau
    for index in range(len(tableau.extra)):
        _advance(f, f.weights("extra", index), step, "argument")
        _evaluate(f, tableau.last + 1 + index, step, "argument")
    rows = [f.weights("bend", power) for power in range(len(tableau.bends))]
    with w.loop(f.coordinates) as i:
        slopes = [f.slope(j, i) for j in range(tableau.slopes)]
        change = w.sub(w.load(f.vectors["y1"], i), w.load(f.vectors["y"], i))
        first, last = (w.mul(step, slopes[j]) for j in (0, tableau.last))
        # Hermite's cubic through both ends is built from the change of the state itself, not from
        # the stages: so steps join in value and slope to round-off. What else the dense output has
        # is a multiple of θ² (1 − θ)², and vanishes there.
        bent = w.sub(w.add(first, last), w.add(change, change))
        dense = [first, w.sub(w.sub(change, first), bent), bent]
        dense += [w.mul(step, w.combine([(a, slopes[j]) for j, a in row])) for row in rows]
        for place, coefficient in enumerate(dense):
            w.store(coefficient, f.vectors["dense"], f.row(place, i))


def emit_error(f: Frame, step: Any) -> Any:
    """The error over what is allowed, in every lane; very large where a state is not finite.

    Errors are relative to the state, however small: a mode that has all but vanished may be
    recruited later, when that depends on every digit that it has kept. A state that passes through
    zero, as momentum makes it, is as large there as it changes in the step.
    """
    w, tableau = f.w, f.tableau
    rtol, atol = f.get("rtol"), f.get("atol")
    largest = [w.room(w.vector, w.spread(0.0)) for _ in tableau.errors]
    zero = w.room(w.vector, w.spread(0.0))
    modes = f.coordinates // len(f.moved)
    rows = [f.weights("error", row) for row in range(len(tableau.errors))]
    for state, moved in enumerate(f.moved):
        floor = w.spread(NOTHING[w.size])
        with w.loop((state + 1) * modes, state * modes) as i:
            new = w.load(f.vectors["y1"], i)
            size = w.larger(w.size_of(new), w.size_of(w.load(f.vectors["y"], i)))
            size = w.larger(size, w.mul(step, w.size_of(f.slope(0, i))))
            if moved is not None:  # the round-off of what moves another state cannot be avoided
                other = w.load(f.vectors["y"], w.at.add(i, whole((moved - state) * modes)))
                noise = w.mul(w.size_of(other), w.spread(ROUND_OFF[w.size]))
                floor = w.larger(atol, noise)
            scale = w.div(w.spread(1.0), w.add(w.mul(rtol, size), floor))
            for row, place in zip(rows, largest, strict=True):
                terms = [(a, f.slope(j, i)) for j, a in row]
                error = w.size_of(w.mul(w.combine(terms), scale))
                w.store(w.larger(error, w.load(place)), place)
                # `larger` loses NaN; 0 · error keeps it, and makes it of an infinity
                w.store(w.add(w.mul(error, w.spread(0.0)), w.load(zero)), zero)
    error = w.load(largest[0])
    if len(largest) == 2:
        other = w.load(largest[1])
        # e₁²/√(e₁² + e₂²/100), as in DOP853: neither estimate vanishes where the other does
        squares = w.add(w.mul(error, error), w.mul(w.spread(0.01), w.mul(other, other)))
        squares = w.larger(squares, w.spread(1e-30))
        error = w.div(w.mul(error, error), w.sqrt(squares))
    error = w.mul(error, step)
    finite = w.at.fcmp_ordered("==", w.load(zero), w.spread(0.0))
    return w.at.select(finite, w.smaller(error, w.spread(1e10)), w.spread(1e10))


def emit_factor(f: Frame, error: Any, accepted: Any) -> Any:
    """By how much the next step is longer.

    Where stability limits steps, errors swing and many steps are repeated, unless the error of the
    last step that was kept has a say.

    Source: Söderlind 2003, Digital filters in adaptive time-stepping: PI3040.
    """
    w = f.w
    (_, exponent), (_, growth), _ = f.weights("control", 0)
    error, last = w.larger(error, w.spread(1e-10)), f.get("last_error")
    now = w.rough_power(error, w.mul(exponent, w.spread(NOW)))
    before = w.rough_power(last, w.mul(exponent, w.spread(BEFORE)))
    factor = w.mul(w.mul(now, before), w.spread(SAFETY))
    kept = w.larger(error, w.spread(LEAST_ERROR))
    f.update("last_error", accepted, kept)
    return w.smaller(w.larger(factor, w.spread(LEAST)), growth)


def _advance(f: Frame, row: list[tuple[int, Any]], step: Any, target: str) -> None:
    w = f.w
    with w.loop(f.coordinates) as i:
        slope = w.combine([(a, f.slope(j, i)) for j, a in row])
        w.store(w.add(w.mul(step, slope), w.load(f.vectors["y"], i)), f.vectors[target], i)


def _evaluate(f: Frame, index: int, step: Any, states: str) -> None:
    """A slope at the time that belongs to it."""
    w = f.w
    share = dict(f.weights("fraction", 0)).get(index - 1, w.spread(0.0))
    time = w.add(w.mul(step, share), f.get("time"))
    slopes = w.point(f.vectors["slopes"], index * f.coordinates)
    f.evaluate(time, f.vectors[states], slopes)
