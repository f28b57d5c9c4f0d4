"""Write the code that evaluates a plan, stage by stage.

The loops over few modes are written out, those over many stay loops.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from llvmlite import ir

from eigendyn.program import AFTER, BEFORE, INSIDE, LEAVES
from eigendyn.program.machine import mathematics
from eigendyn.program.machine.builder import I64, Builder, counted, vector
from eigendyn.program.machine.chains import CHAINS, Chains
from eigendyn.program.machine.layout import Layout
from eigendyn.program.machine.passes import Stage


@dataclass(frozen=True)
class _Modes:
    """Neighbouring modes that are computed side by side.

    Args:
        first: The first of them.
        width: How many.
        chain: Which of the chains of a sum they belong to.
    """

    first: Any
    width: int
    chain: int


EVERY = _Modes(None, 1, 0)  # what is the same for all


@dataclass
class Emitter:
    """Writes the stages of a plan one after the other.

    Args:
        form: Shape of the code.
        v: Arithmetic at the place where the code is to stand.
        arrays: The function's arguments by name.
    """

    form: Layout
    v: Builder
    arrays: dict[str, Any]
    shared: dict[int, Any] = field(default_factory=dict)  # values that modes share, by place
    own: dict[Any, dict[int, Any]] = field(default_factory=dict)  # by mode, if it has its own code
    cells: dict[Any, Any] = field(default_factory=dict)  # variables in registers
    offsets: dict[int, int] = field(default_factory=dict)
    row: Any = None  # first number of the nodes at hand

    def write(self) -> None:
        """Write everything: before, inside and after the loop over nodes."""
        v, form = self.v, self.form
        self.offsets = form.offsets()[0]
        one = v.kind.as_pointer()
        for name in ("time", "x", "p", "out"):
            self.arrays[name] = v.at.bitcast(self.arrays[name], one)
        if form.is_unrolled:
            self._read_modes()
        self._phase(BEFORE)
        if not form.plan.averages:
            return
        self._clear_averages()
        with counted(v.at, self.arrays["rows"]) as index:
            size = form.columns * form.node_width
            self.row = v.at.mul(index, I64(size))
            self._phase(INSIDE)
        # a register holds a partial sum for each of its places, joined once, after all nodes
        for place in form.plan.averages:
            if not form.program.local[place]:
                self.shared[place] = self._total(self.v.at.load(self._cell(place, EVERY)))
        self._phase(AFTER)

    def _read_modes(self) -> None:
        """Read states and parameters of modes that have code of their own, for all of it."""
        program = self.form.program
        for mode in range(self.form.modes):
            own = self.own[mode] = {}
            for place in program.needed(program.rates):
                kind, _, value = program.operations[place]
                if kind in ("state", "parameter") and program.local[place]:
                    own[place] = self._leaf(kind, int(value), _Modes(mode, 1, 0))

    def _phase(self, phase: int) -> None:
        for stage in self.form.plan.stages:
            if stage.phase == phase:
                for place in stage.shared:
                    self.shared[place] = self._operation(place, EVERY, self.shared)
                self._stage(stage)

    def _stage(self, stage: Stage) -> None:
        """One loop over the modes."""
        program = self.form.program
        adds = stage.phase == INSIDE and stage.is_last
        ends = stage is self.form.plan.stages[-1]
        alone = [p for p in self.form.plan.averages if not program.local[p]] if adds else []
        for place in alone:
            cell = self._cell(place, EVERY)
            averaged = self.shared[program.operations[place].operands[0]]
            self.v.at.store(self.v.add(self.v.at.load(cell), averaged), cell)
        averages = [p for p in self.form.plan.averages if program.local[p]] if adds else []
        if not (stage.reductions or stage.kept or averages or ends):
            return
        operations = program.operations
        chains = Chains(self.v, {place: operations[place].kind for place in stage.reductions})
        for modes in self._every_mode(stage.phase, chains):
            own = self.own[modes.first] if self.form.is_unrolled else {}
            for place in stage.own:
                own[place] = self._operation(place, modes, own)
            for place in stage.kept:
                self._keep(place, modes, own[place])
            for place in stage.reductions:
                self._reduce(place, modes, own, chains)
            for place in averages:
                (averaged,) = program.operations[place].operands
                self._average(place, modes, self._value(averaged, modes, own))
            if ends:
                for state, place in enumerate(program.rates):
                    self._give(state, modes, self._value(place, modes, own))
        for place in stage.reductions:
            self.shared[place] = chains.total(place)

    def _every_mode(self, phase: int, chains: Chains) -> Iterator[_Modes]:
        """Every mode in turn, or as many side by side as registers hold, or a loop over them."""
        form = self.form
        if form.is_unrolled:
            for mode in range(form.modes):
                yield _Modes(mode, 1, mode % CHAINS)
            return
        width = form.register if form.across == "modes" else 1
        block = width * CHAINS
        whole = form.modes // block
        if whole:
            chains.open(width, width if width > 1 else form.shared_width(phase))
            with counted(self.v.at, I64(whole)) as index:
                first = self.v.at.mul(index, I64(block))
                for chain in range(CHAINS):
                    mode = self.v.at.add(first, I64(chain * width))
                    yield _Modes(mode, width, chain)
            chains.close()
        mode = whole * block
        while mode < form.modes:
            step = width if mode + width <= form.modes else 1
            yield _Modes(I64(mode), step, 0)
            mode += step

    def _reduce(self, place: int, modes: _Modes, own: dict, chains: Chains) -> None:
        (operand,) = self.form.program.operations[place].operands
        value = self._value(operand, modes, own)
        if self.form.across == "modes":
            value = self.v.widened(value, modes.width)
        chains.add(place, modes.width, modes.chain, value)

    def _operation(self, place: int, modes: _Modes, own: dict) -> Any:
        kind, operands, value = self.form.program.operations[place]
        if kind in LEAVES:
            return self._leaf(kind, int(value) if kind != "number" else value, modes)
        values = [self._value(operand, modes, own) for operand in operands]
        if kind == "add":
            return self.v.add(*values)
        if kind == "multiply":
            return self.v.mul(*values)
        if kind == "power":
            return mathematics.power(self.v, *values)
        return mathematics.FUNCTIONS[kind](self.v, *values)

    def _value(self, place: int, modes: _Modes, own: dict) -> Any:
        """A value that was computed before, or is read."""
        program = self.form.program
        if not program.local[place]:
            return self.shared[place]
        if place not in own:
            kind, _, value = program.operations[place]
            if kind in LEAVES:
                own[place] = self._leaf(kind, int(value), modes)
            else:
                own[place] = self._kept(place, modes)
        return own[place]

    def _leaf(self, kind: str, value: Any, modes: _Modes) -> Any:
        v, form = self.v, self.form
        if kind in ("number", "modes"):
            return v.number(float(form.modes if kind == "modes" else value))
        if kind == "time":
            return v.load(self.arrays["time"], 0, width=form.lanes)
        if kind == "parameter":
            first = form.parameter(value)
            if not form.program.parameter_modes[value]:
                return v.load(self.arrays["p"], first * form.lanes, width=form.lanes)
            place = self._of_mode(first, modes, form.lanes)
            return v.load(self.arrays["p"], place, width=modes.width * form.lanes)
        if kind == "state":
            place = self._of_mode(value * form.modes, modes, form.lanes)
            return v.load(self.arrays["x"], place, width=modes.width * form.lanes)
        column = 0 if kind == "weight" else form.column(value)
        width = form.node_width
        if kind == "node" and form.program.node_modes[value]:
            place = self._of_mode(column, modes, width)
            size = width if form.across == "nodes" else modes.width
        else:
            place, size = I64(column * width), width
        return v.load(self.arrays["nodes"], v.at.add(self.row, place), width=size)

    def _of_mode(self, first: int, modes: Any, stride: int) -> Any:
        """Place of a mode's number in an array that begins at another one."""
        if isinstance(modes.first, int):
            return I64((first + modes.first) * stride)
        place = self.v.at.add(modes.first, I64(first)) if first else modes.first
        return self.v.at.mul(place, I64(stride)) if stride > 1 else place

    def _slot(self, place: int, modes: _Modes) -> tuple[Any, int]:
        """Place of a mode's number in the workspace, and its width."""
        stride = self.form.stride(place)
        inside = self._of_mode(0, modes, stride)
        return self.v.at.add(inside, I64(self.offsets[place])), stride * modes.width

    def _keep(self, place: int, modes: _Modes, value: Any) -> None:
        if not self.form.is_unrolled:
            at, width = self._slot(place, modes)
            self.v.store(self.v.widened(value, width), self.arrays["workspace"], at)

    def _kept(self, place: int, modes: _Modes) -> Any:
        """An average, or what an earlier loop has kept."""
        is_average = self.form.program.operations[place].kind == "average"
        if self.form.is_unrolled:
            value = self.v.at.load(self._cell(place, modes))
        else:
            at, width = self._slot(place, modes)
            value = self.v.load(self.arrays["workspace"], at, width=width)
        return self._total(value) if is_average else value

    def _total(self, value: Any) -> Any:
        """A sum over nodes, from one for each place of a register."""
        return self.v.across(value, self.v.add) if self.form.across == "nodes" else value

    def _average(self, place: int, modes: _Modes, value: Any) -> None:
        if self.form.is_unrolled:
            cell = self._cell(place, modes)
            self.v.at.store(self.v.add(self.v.at.load(cell), value), cell)
        else:
            at, width = self._slot(place, modes)
            total = self.v.add(self.v.load(self.arrays["workspace"], at, width=width), value)
            self.v.store(total, self.arrays["workspace"], at)

    def _clear_averages(self) -> None:
        program = self.form.program
        for place in self.form.plan.averages:
            width = self.form.shared_width(INSIDE)
            if not program.local[place]:
                self.v.at.store(self.v.number(0.0, width), self._cell(place, EVERY))
                continue
            for modes in self._every_mode(AFTER, Chains(self.v, {})):
                if self.form.is_unrolled:
                    self.v.at.store(self.v.number(0.0, width), self._cell(place, modes))
                else:
                    at, size = self._slot(place, modes)
                    self.v.store(self.v.number(0.0, size), self.arrays["workspace"], at)

    def _cell(self, place: int, modes: _Modes) -> Any:
        """A variable for a sum over nodes."""
        width = self.form.shared_width(INSIDE)
        return self._variable((place, modes.first), vector(self.v.kind, width))

    def _variable(self, key: Any, kind: ir.Type) -> Any:
        if key not in self.cells:
            with self.v.at.goto_entry_block():
                self.cells[key] = self.v.at.alloca(kind)
        return self.cells[key]

    def _give(self, state: int, modes: _Modes, value: Any) -> None:
        place = self._of_mode(state * self.form.modes, modes, self.form.lanes)
        width = modes.width * self.form.lanes
        self.v.store(self.v.widened(value, width), self.arrays["out"], place)
