"""Lay out an ensemble integrator's workspace, its lanes and the caller's arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llvmlite import ir

from eigendyn.program.machine.builder import I8, I32, I64, Builder, whole
from eigendyn.program.machine.rates import rates_type
from eigendyn.simulation.engines.runge_kutta.tableau import Place, Tableau, coefficients, places

POINTERS = (
    *("rates", "starts", "sweeps", "nodes", "times", "order", "taken", "scales", "estimates"),
    *("values", "status", "steps", "workspace", "own"),
)  # arguments, in this order, then
WRITTEN = ("scales", "estimates", "values", "status", "steps", "workspace", "own")
WHOLE = ("parameters", "node_count", "first", "saved", "total")
NUMBERS = ("begins", "ends", "rtol", "atol", "floor", "most_steps")
LANE_NUMBERS = (
    *("time", "step", "taken", "rtol", "atol", "scale", "last_scale", "active", "fresh"),
    *("next_time", "stage_time", "last_error"),
    *("method", "since", "mark", "tried", "patience", "fastest", "looked"),
)
LANE_COUNTS = ("trajectory", "next", "run", "last_next", "last_outcome", "outcome", "total")

APART = 16  # numbers; parts of the workspace begin at multiples of it
LANE_BLOCKS = ("difference",)  # of the saved values between two runs, the worst


@dataclass(frozen=True)
class Frame:
    """All places of one integrator.

    Args:
        w: Where its instructions are written.
        methods: Two of the same shape, of which each lane uses one.
        coordinates: States × modes.
        arrays: The caller's arrays by name, and the numbers of both "methods".
        numbers: The caller's numbers by name.
        vectors: In the workspace, by name.
        lanes: One number, or integer, for each lane, by name.
        block: Saved times in one vector.
        moved: For each state, the place of the one that it is the velocity of: it may rest at
            zero, where only noise is left of it.
        is_short: Whether the code shall be short, to be compiled sooner, where it may be slower.
    """

    w: Builder
    methods: tuple[Tableau, Tableau]
    coordinates: int
    arrays: dict[str, Any]
    numbers: dict[str, Any]
    vectors: dict[str, Any]
    lanes: dict[str, Any]
    block: int
    moved: tuple[int | None, ...]
    is_short: bool

    @property
    def tableau(self) -> Tableau:
        """The first method, whose shape is that of both."""
        return self.methods[0]

    @cached_property
    def places(self) -> dict[Place, int]:
        """Where the numbers of a lane's method stand."""
        return places(self.methods)

    def weights(self, name: str, row: int) -> list[tuple[int, Any]]:
        """Columns of a row of coefficients in which not all methods are zero, by lane."""
        method = self.vectors["method"]
        return [
            (column, self.w.load(method, index))
            for (group, of, column), index in self.places.items()
            if (group, of) == (name, row)
        ]

    def slope(self, index: int, coordinate: Any) -> Any:
        """A slope of one coordinate, in every lane."""
        return self.w.load(self.vectors["slopes"], self.row(index, coordinate))

    def row(self, index: int, coordinate: Any) -> Any:
        """Position of a coordinate in the row so far down."""
        return self.w.at.add(whole(index * self.coordinates), whole(coordinate))

    def evaluate(self, time: Any, states: Any, slopes: Any) -> None:
        """Call the right-hand side in every lane."""
        w, lanes = self.w, self.lanes
        w.store(time, lanes["stage_time"])
        nodes, count = self.arrays["nodes"], self.numbers["node_count"]
        own, parameters = self.arrays["own"], self.vectors["parameters"]
        places = (lanes["stage_time"], states, parameters, nodes, count, own, slopes)
        w.at.call(self.arrays["rates"], places)

    def get(self, name: str, lane: Any | None = None) -> Any:
        """A number of every lane, or of one."""
        place = self.lanes[name]
        return self.w.load(place if lane is None else self.w.lane(place, lane))

    def update(self, name: str, condition: Any, value: Any) -> None:
        """Set a number of the lanes where a condition holds."""
        self.w.update(condition, value, self.lanes[name])

    def put(self, name: str, value: Any, lane: Any | None = None) -> None:
        """Set a number of every lane, or of one."""
        place = self.lanes[name]
        self.w.store(value, place if lane is None else self.w.lane(place, lane))


def workspace(methods: tuple[Tableau, Tableau], coordinates: int) -> dict[str, int]:
    """Vectors that each part of the workspace has, in the order in which they lie there.

    Behind them lie the parameters, of which each right-hand side has its own number.

    Args:
        methods: Two of the same shape.
        coordinates: States × modes.
    """
    tableau = methods[0]
    return {
        "y": coordinates,
        "y1": coordinates,
        "argument": coordinates,
        "disturbance": coordinates,
        "slopes": tableau.slopes * coordinates,
        "dense": len(tableau.dense) * coordinates,
        "method": len(places(methods)),
    }


def padded(vectors: int, lanes: int) -> int:
    """Vectors up to where the next part of the workspace begins, on a cache line of its own."""
    apart = max(1, APART // lanes)
    return -(-vectors // apart) * apart


def room_for(parts: dict[str, int], lanes: int) -> int:
    """Numbers in a workspace."""
    return sum(padded(size, lanes) for size in parts.values()) * lanes


def build_frame(
    module: ir.Module,
    methods: tuple[Tableau, Tableau],
    parts: dict[str, int],
    lanes: int,
    kind: ir.Type,
    block: int,
    moved: tuple[int | None, ...],
    is_short: bool,
) -> Frame:
    """Declare the function `integrate`, name its arguments, and make room for its lanes.

    Args:
        module: Where to.
        methods: Two of the same shape, the second one the more stable.
        parts: Parts of the workspace, those of `workspace`; the parameters follow.
        lanes: Trajectories side by side in one vector.
        kind: Double or float.
        block: Saved times in one vector.
        moved: For each state, the place of the one that it is the velocity of.
        is_short: Whether the code shall be short.
    """
    elements = {"order": I64, "taken": I64, "status": I8, "steps": I32}
    pointers = [elements.get(name, kind).as_pointer() for name in POINTERS]
    pointers[POINTERS.index("rates")] = rates_type(kind, lanes).as_pointer()
    types = [*pointers, *(I64 for _ in WHOLE), *(kind for _ in NUMBERS)]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), types), "integrate")
    w = Builder(ir.IRBuilder(function.append_basic_block("entry")), kind, lanes)
    names = [*POINTERS, *WHOLE, *NUMBERS]
    given = dict(zip(names, function.args, strict=True))
    for name in WRITTEN:
        given[name].add_attribute("noalias")
    place = w.at.bitcast(given["workspace"], w.vector.as_pointer())
    vectors, offset = {}, 0
    for name, size in parts.items():
        vectors[name] = w.point(place, offset)
        offset += padded(size, lanes)
    vectors["parameters"] = w.point(place, offset)
    # the numbers of the first method, then those of the second
    known = places(methods)
    table = [[one.get(place, 0.0) for place in known] for one in map(coefficients, methods)]
    counts_of = ir.ArrayType(I64, lanes)
    blocks_of = ir.ArrayType(ir.VectorType(kind, block), lanes)
    return Frame(
        w=w,
        methods=methods,
        coordinates=parts["y"],
        arrays={name: given[name] for name in POINTERS} | {"methods": w.constants(table)},
        numbers={name: given[name] for name in (*WHOLE, *NUMBERS)},
        vectors=vectors,
        lanes={
            **{name: w.room(w.vector) for name in LANE_NUMBERS},
            **{name: w.room(counts_of) for name in LANE_COUNTS},
            **{name: w.room(blocks_of) for name in LANE_BLOCKS},
        },
        block=block,
        moved=moved,
        is_short=is_short,
    )
