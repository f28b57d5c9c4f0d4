"""Where an ensemble integrator keeps what it works on: a workspace, lanes, the caller's arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from eigendyn.machine.tableau import Tableau
from eigendyn.machine.writer import I8, I32, I64, Writer, whole

NUMBERS = ("begins", "ends", "rtol", "atol", "floor", "most_steps")  # arguments, in this order
LANE_NUMBERS = (
    *("time", "step", "taken", "rtol", "atol", "scale", "last_scale", "active", "fresh"),
    *("next_time", "stage_time"),
)
LANE_COUNTS = ("trajectory", "next", "run", "last_next", "last_outcome", "outcome", "total")

LANE_FRACTIONS = ("difference", "allowed")  # of the saved values between two runs, the worst


@dataclass(frozen=True)
class Frame:
    """All places of one integrator.

    Args:
        w: Where its instructions are written.
        tableau: The method.
        rates: The right-hand side, a function of the module.
        coordinates: States × modes.
        parameters: Parameters of the right-hand side.
        arrays: The caller's arrays by name.
        numbers: The caller's numbers by name.
        vectors: In the workspace: y, y1, argument, slopes, dense, parameters.
        lanes: One number, or integer, for each lane, by name.
        block: Saved times in one vector.
    """

    w: Writer
    tableau: Tableau
    rates: ir.Function
    coordinates: int
    parameters: int
    arrays: dict[str, Any]
    numbers: dict[str, Any]
    vectors: dict[str, Any]
    lanes: dict[str, Any]
    block: int

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
        places = (lanes["stage_time"], states, self.vectors["parameters"], nodes, count, slopes)
        w.at.call(self.rates, places)

    def get(self, name: str, lane: Any | None = None) -> Any:
        """A number of every lane, or of one."""
        place = self.lanes[name]
        return self.w.load(place if lane is None else self.w.lane(place, lane))

    def put(self, name: str, value: Any, lane: Any | None = None) -> None:
        """Set a number of every lane, or of one."""
        place = self.lanes[name]
        self.w.store(value, place if lane is None else self.w.lane(place, lane))


def workspace(tableau: Tableau, coordinates: int, parameters: int) -> dict[str, int]:
    """Vectors that each part of the workspace has, in the order in which they lie there."""
    return {
        "y": coordinates,
        "y1": coordinates,
        "argument": coordinates,
        "slopes": tableau.slopes * coordinates,
        "dense": len(tableau.dense) * coordinates,
        "parameters": parameters,
    }


def build_frame(
    module: ir.Module,
    rates: ir.Function,
    tableau: Tableau,
    coordinates: int,
    parameters: int,
    lanes: int,
    kind: ir.Type,
    block: int,
) -> Frame:
    """Declare the integrator, name its arguments, and make room for its lanes."""
    number, byte, short, long = (t.as_pointer() for t in (kind, I8, I32, I64))
    arrays = {
        "starts": number,
        "sweeps": number,
        "nodes": number,
        "times": number,
        "order": long,
        "taken": long,
        "scales": number,
        "estimates": number,
        "values": number,
        "status": byte,
        "steps": short,
        "workspace": number,
    }
    counts = ("node_count", "first", "saved", "total")
    types = [*arrays.values(), *(I64 for _ in counts), *(kind for _ in NUMBERS)]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), types), "integrate")
    w = Writer(function, kind, lanes)
    names = [*arrays, *counts, *NUMBERS]
    given = dict(zip(names, function.args, strict=True))
    for name in arrays:
        if name not in ("taken", "order", "nodes", "times"):
            given[name].add_attribute("noalias")
    place = w.at.bitcast(given["workspace"], w.vector.as_pointer())
    vectors, offset = {}, 0
    for name, size in workspace(tableau, coordinates, parameters).items():
        vectors[name] = w.point(place, offset)
        offset += size
    counts_of = ir.ArrayType(I64, lanes)
    fractions_of = ir.ArrayType(ir.VectorType(kind, block), lanes)
    return Frame(
        w=w,
        tableau=tableau,
        rates=rates,
        coordinates=coordinates,
        parameters=parameters,
        arrays={name: given[name] for name in arrays},
        numbers={name: given[name] for name in (*counts, *NUMBERS)},
        vectors=vectors,
        lanes={
            **{name: w.room(w.vector) for name in LANE_NUMBERS},
            **{name: w.room(counts_of) for name in LANE_COUNTS},
            **{name: w.room(fractions_of) for name in LANE_FRACTIONS},
        },
        block=block,
    )
