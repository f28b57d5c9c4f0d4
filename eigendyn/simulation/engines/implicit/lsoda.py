r"""Integrate gradient flows with LSODA, which turns implicit where dynamics are stiff.

Under a loss that does not change when all representations are scaled, weight decay shrinks every
mode while the forces between them grow like 1/Σv: in the end they hold modes together a hundred
million times faster than anything changes. States are counted there in what decay alone, or the
forgetting of an average, would make of them, so that nothing is left to follow; `scale_free` says
how the forces stay accurate. Errors are relative to each state, since a small mode may come back;
those of a velocity, which is interpolated between steps, to what it moves in a unit of time, if
that is more. Where the round-off of stiff rates moves states by more than a tenth of that
(`noise`), a step may err by ten times what it moves them; whether the whole is accurate is judged
by two runs, as ever. Where not even the finest ones agree, two more begin with explicit steps
(`solver`).

Source: Petzold 1983, Automatic selection of methods for solving stiff and nonstiff systems of
ordinary differential equations (LSODA), as SciPy has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import OdeSolver

from eigendyn.program import Program
from eigendyn.program.averaging import Nodes
from eigendyn.results.trajectory import (
    COMPLETED,
    DIVERGED,
    INACCURATE,
    INVALID,
    OUT_OF_STEPS,
    Batch,
    Numbers,
    of_row,
    of_rows,
)
from eigendyn.simulation.engines.implicit.noise import moved_by_round_off
from eigendyn.simulation.engines.implicit.scale_free import AVERAGES, Dynamics
from eigendyn.simulation.engines.implicit.solver import Rates, steps
from eigendyn.simulation.engines.lanes.step import ROUND_OFF
from eigendyn.simulation.engines.until_agree import CLOSER, until_two_agree

STRICTER = 0.2  # difference of two runs, over the tolerance: errors of LSODA fall irregularly …
# … and tolerance of the first run, over the one asked for
RTOL = 1e-10
NEAR = 1e-5  # relative distance of the states whose rates make up a Jacobian
FINEST = 3e-14  # relative tolerance that LSODA takes
CANCELS = 16 * float(np.finfo(float).eps)  # relative error of states, of which rates are made up
SLOW = 1e-3  # per unit of time, above which nothing is looked at more closely
ALIKE = 1e-4  # of the fastest, what brings back every mode
SUNK = 1e-100  # largest mode, below which all that is left is decay
NOTHING = 1e-120  # absolute error allowed to a state that is relative to itself
ABOVE_NOISE = 10.0  # times what round-off moves, that a step may err: implicit steps converge then
FORGIVEN = 1e-3  # of the absolute tolerance, in a step of states that pass through zero

EXPLICIT = 2000  # steps of order 8, where those of LSODA do not agree …
SPACED = (64.0, 8.0, 1.0)  # … and tolerances of these runs over the finest: differences fall as far


def implicit_ensemble(
    program: Program,
    nodes: Nodes,
    starts: NDArray,
    times: NDArray,
    parameters: Numbers,
    *,
    rtol: float = RTOL,
    atol: float = 1e-12,
    max_steps: int = 100_000,
) -> Batch:
    """Integrate trajectories one after the other, each until two runs of it agree.

    Arguments, results and errors are those of `compiled_ensemble`.
    """

    def judged(
        starts: NDArray, parameters: Numbers, explicit: int, shares: Sequence[float]
    ) -> Batch:
        def run(starts: NDArray, numbers: Mapping, rtol: float, atol: float) -> Batch:
            count = len(starts)
            values = np.full((*starts.shape, len(times)), np.nan)
            status, taken = np.zeros(count, np.int8), np.zeros(count, np.int32)
            for row, start in enumerate(starts):
                own = of_row(numbers, row)
                one = _Run(program, nodes, own, times, rtol, atol, max_steps, explicit)
                status[row], taken[row] = one.follow(start, values[row])
            return Batch(times, values, status, taken)

        return until_two_agree(
            run,
            starts,
            parameters,
            rtol=rtol,
            atol=atol,
            moved=program.moved,
            shares=[STRICTER * share for share in shares],
            at_once=STRICTER,
        )

    shares = _shares(FINEST / (STRICTER * rtol))
    found = judged(starts, parameters, 0, shares)
    values, status, taken = found.values, found.status, found.steps
    at_end = np.isfinite(values[..., -1]).all(axis=(1, 2))
    left = np.flatnonzero((status == INACCURATE) & at_end)
    if len(left):
        numbers = of_rows(parameters, left)
        again = judged(starts[left], numbers, EXPLICIT, [apart * shares[-1] for apart in SPACED])
        values[left], status[left], taken[left] = again.values, again.status, again.steps
    return replace(found, values=values, status=status, steps=taken)


def _shares(finest: float) -> list[float]:
    """Tolerances of runs over the one asked for; no two are the same to the solver."""
    near = [4 * finest, finest]
    return [share for share in (1.0, CLOSER) if share > 3 * near[0]] + near


@dataclass(frozen=True)
class _Run:
    """One run, with tolerances of a step."""

    program: Program
    nodes: Nodes
    parameters: Mapping[str, float]
    times: NDArray
    rtol: float
    atol: float
    max_steps: int
    explicit: int

    def follow(self, start: NDArray, values: NDArray) -> tuple[int, int]:
        """Write down the states (states, modes, times), as far as they are finite.

        Returns:
            How it ended, and the steps taken.
        """
        if not np.isfinite(start).all() or (start[0] < 0).any():
            return INVALID, 0
        dynamics = Dynamics(self.program, self.nodes, self.parameters, start)
        begin, size = float(self.times[0]), start.shape
        shrinks, slowed_below = dynamics.shrinks, dynamics.slowed_below(start)

        slopes = np.full((start.size, start.size), np.nan)  # of the rates, when last looked at
        looks = [0]  # how often they were

        def rates(time: float, counted: NDArray) -> NDArray:
            scale = np.exp(-shrinks * (time - begin))
            x = counted.reshape(size)
            return (dynamics(time, x * scale, slowed_below) / scale + shrinks * x).ravel()

        def jacobian(time: float, counted: NDArray) -> NDArray:
            # differences relative to each state, however small a mode has become
            near = np.maximum(NEAR * np.abs(counted), NOTHING)
            columns = [
                (rates(time, counted + step) - rates(time, counted - step)) / (2 * length)
                for step, length in zip(np.diag(near), near, strict=True)
            ]
            slopes[:] = np.stack(columns, axis=1)
            looks[0] += 1
            return slopes.copy()  # the solver may write on its own

        moved = self.program.moved
        crosses = any(place is not None for place in moved)
        noise = [0.0 if place is None else ROUND_OFF[8] * np.abs(start[place]) for place in moved]
        least = np.full(size[1], FORGIVEN * self.atol if crosses else NOTHING)
        floors = np.concatenate([np.maximum(n, least) for n in noise])
        rtol = max(self.rtol, FINEST)
        atol = floors.copy()
        decays = float(shrinks.max(initial=0))
        values[..., 0] = start
        taken, saved, looked = 0, 1, 0
        options = {"rtol": rtol, "atol": atol, "explicit": self.explicit}
        for solver in steps(rates, jacobian, self.times, start.ravel(), **options):
            taken += 1
            if solver.status == "failed" or not np.isfinite(solver.y).all():
                return DIVERGED, taken
            if taken >= self.max_steps:
                return OUT_OF_STEPS, taken
            reached = int(np.searchsorted(self.times, solver.t, side="right"))
            if reached > saved:
                passed = self.times[saved:reached]
                counted = solver.dense_output()(passed).reshape(*size, -1)
                values[..., saved:reached] = counted * np.exp(
                    -shrinks[..., None] * (passed - begin)
                )
                saved = reached
            if self._is_lost(solver, rates, start):
                return INACCURATE, taken
            if shrinks.any() and self._only_decays(solver, rates, jacobian, slopes, shrinks):
                later = self.times[saved:] - begin
                counted = solver.y.reshape(*size, 1)
                values[..., saved:] = counted * np.exp(-shrinks[..., None] * later)
                break
            if not shrinks.any() and self._fade(dynamics, solver, saved, values):
                break
            if decays > 0 and looks[0] > looked:
                looked = looks[0]
                moved_by = moved_by_round_off(rates, slopes, solver.t, solver.y, 1 / decays)
                # In place: the solver reads this array at every step, and need not start afresh.
                atol[:] = np.maximum(floors, ABOVE_NOISE * moved_by)
        return COMPLETED, taken

    def _is_lost(self, solver: OdeSolver, rates: Rates, start: NDArray) -> bool:
        """Whether a mode grows again that has sunk so deep that its size is not known any more.

        It is lifted to the least size that is, and has to have the time to come back.
        """
        states = solver.y.reshape(start.shape)
        gone = (np.abs(states[0]) < NOTHING) & (start[0] != 0)
        if not gone.any():
            return False
        lifted = states.copy()
        lifted[0, gone] = NOTHING
        growth = rates(solver.t, lifted.ravel())[: start.shape[1]] / NOTHING
        return bool((growth[gone] * (self.times[-1] - solver.t) > -np.log(NOTHING)).any())

    def _fade(self, dynamics: Dynamics, solver: OdeSolver, saved: int, values: NDArray) -> bool:
        """Let all states go on at their rates of decay, where no mode is left, and say whether.

        Eigenvalues counted in the largest one are 0/0 where its square is no number any more.
        """
        states = solver.y.reshape(values.shape[:2])
        if np.abs(states[0]).max() > SUNK:
            return False
        rates = dynamics(float(solver.t), states)
        shares = np.divide(rates, states, out=np.zeros_like(rates), where=states != 0)
        moves = np.array([[place is not None] for place in self.program.moved])
        if not (np.isfinite(shares).all() and (moves | (shares <= 0)).all()):
            return False
        later = self.times[saved:] - solver.t
        values[..., saved:] = states[..., None] * np.exp(np.minimum(shares, 0)[..., None] * later)
        return True

    def _only_decays(
        self,
        solver: OdeSolver,
        rates: Rates,
        jacobian: Rates,
        slopes: NDArray,
        shrinks: NDArray,
    ) -> bool:
        """Whether forces without a scale cancel in every mode that has not sunk, but for round-off.

        They cancel at every scale then, and decay is all that is left. Modes that come back much
        more slowly than others may still be on their way.
        """
        states, found = solver.y, rates(solver.t, solver.y)
        size = (len(shrinks), states.size // len(shrinks))
        least = FORGIVEN * self.atol * np.abs(states[: size[1]]).max()
        sunk = (np.abs(states) < least) & (found * states <= 0)
        if not (sunk | (np.abs(found) <= SLOW * np.abs(states))).all():
            return False
        if np.isnan(slopes).any():  # explicit steps, which need none
            jacobian(solver.t, states)
        cancels = np.abs(found) <= CANCELS * np.abs(slopes) @ np.abs(states)
        # What an average is made of sinks faster than it forgets, and is felt less and less.
        averages = np.array([[name in AVERAGES] for name in self.program.states])
        forgets = (averages * shrinks * np.ones(size)).ravel()
        cancels |= np.abs(found) < CANCELS * forgets * np.abs(states)
        returns = np.abs(np.diag(slopes)).reshape(size).max(axis=0)[~sunk[: size[1]]]
        return bool((cancels | sunk).all() and returns.min() >= ALIKE * returns.max())
