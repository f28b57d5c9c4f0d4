r"""Integrate gradient flows with LSODA, which turns implicit where dynamics are stiff.

Under a loss that does not change when all representations are scaled, weight decay shrinks every
mode while the forces between them grow like 1/Σv: in the end they hold modes together a billion
times faster than anything changes. Three things keep that accurate:

- States are counted in what decay alone would make of them, so that nothing is left to follow where
  forces hold the modes in place; `scale_free` says how the forces stay accurate.
- Errors are relative to each state, since a small mode may come back.
- Where all modes sink together, nothing comes back: errors are relative to the largest mode, down
  to the absolute tolerance.

Source: Petzold 1983, Automatic selection of methods for solving stiff and nonstiff systems of
ordinary differential equations (LSODA), as SciPy has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import LSODA

from eigendyn.averaging import Nodes
from eigendyn.integrate.agreement import until_two_agree
from eigendyn.integrate.scale_free import Dynamics
from eigendyn.program import Program
from eigendyn.trajectory import BATCH_STATUSES, Batch

LARGEST = 2048  # states × modes, beyond which a Jacobian takes too much time and memory
NEAR = 1e-5  # relative distance of the states whose rates make up a Jacobian
LOOSEST = 1e-4  # relative tolerance, however little is left
FINEST = 1e-13  # relative tolerance that LSODA takes
STAGE = 10.0  # by which the largest mode falls before tolerances are looked at again
NOTHING = 1e-290  # absolute error allowed to a state that is relative to itself
FORGIVEN = 1e-3  # of the absolute tolerance, in a step of states that pass through zero
SINKING = ("singular_value", "target_value", "correlation_value", "velocity")
COMPLETED, DIVERGED, OUT_OF_STEPS, INVALID = (
    BATCH_STATUSES.index(name)
    for name in ("completed", "diverged", "out-of-steps", "invalid-start")
)


def implicit_ensemble(
    program: Program,
    nodes: Nodes,
    starts: NDArray,
    times: NDArray,
    parameters: Mapping[str, ArrayLike],
    *,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    max_steps: int = 100_000,
) -> Batch:
    """Integrate trajectories one after the other, each until two runs of it agree.

    Args:
        program: The right-hand side.
        nodes: Where its averages are taken; none if it takes none.
        starts: States at the first time (trajectories, states, modes).
        times: Increasing times to save (times,), learning rate × step.
        parameters: By name, one number or one for each trajectory (trajectories,).
        rtol: Error allowed, relative to the state.
        atol: Error allowed, absolute.
        max_steps: Adaptive steps of a run after which to give up.

    Returns:
        The batch; `BATCH_STATUSES` says how each trajectory ended.

    Raises:
        NoProgram: A function that there is no machine code for.
    """

    def run(starts: NDArray, numbers: Mapping, rtol: float, atol: float) -> Batch:
        count = len(starts)
        table = {name: np.broadcast_to(value, count) for name, value in numbers.items()}
        values = np.full((*starts.shape, len(times)), np.nan)
        status, steps = np.zeros(count, np.int8), np.zeros(count, np.int32)
        for row, start in enumerate(starts):
            own = {name: float(value[row]) for name, value in table.items()}
            one = _Run(program, nodes, own, times, rtol, atol, max_steps)
            status[row], steps[row] = one.follow(start, values[row])
        return Batch(times, values, status, steps)

    return until_two_agree(run, starts, parameters, rtol=rtol, atol=atol)


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

    def follow(self, start: NDArray, values: NDArray) -> tuple[int, int]:
        """Write down the states (states, modes, times), as far as they are finite.

        Returns:
            How it ended, and the steps taken.
        """
        if not np.isfinite(start).all() or (start[0] < 0).any():
            return INVALID, 0
        dynamics = Dynamics(self.program, self.nodes, self.parameters, start)
        values[..., 0] = start
        states, time, saved, steps, floor = start, float(self.times[0]), 1, 0, 0.0
        while time < self.times[-1]:
            largest = float(np.abs(states[0]).max())
            if largest > floor:
                floor = dynamics.slowed_below(states)
            stage = self._stage(dynamics, states, time, floor)
            solver = stage.solver
            while solver.status == "running" and largest / STAGE < stage.largest < largest * STAGE:
                solver.step()
                steps += 1
                if solver.status == "failed" or not np.isfinite(solver.y).all():
                    return DIVERGED, steps
                if steps >= self.max_steps:
                    return OUT_OF_STEPS, steps
                reached = int(np.searchsorted(self.times, solver.t, side="right"))
                if reached > saved:
                    passed = self.times[saved:reached]
                    values[..., saved:reached] = stage.states(passed, solver.dense_output()(passed))
                    saved = reached
            states = stage.states(np.array([solver.t]), solver.y)[..., 0]
            time = float(solver.t)
        return COMPLETED, steps

    def _stage(self, dynamics: Dynamics, states: NDArray, time: float, floor: float) -> _Stage:
        """Begin anew, with tolerances for states of this size."""
        shrinks = dynamics.shrinks
        stage = _Stage(shrinks, states.shape, time)

        def rates(time: float, y: NDArray) -> NDArray:
            x = y.reshape(states.shape)
            scale = stage.scale(time)
            return (dynamics(time, x * scale, floor) / scale + shrinks * x).ravel()

        def jacobian(time: float, y: NDArray) -> NDArray:
            near = np.maximum(NEAR * np.abs(y), NOTHING)
            columns = [
                (rates(time, y + step) - rates(time, y - step)) / (2 * size)
                for step, size in zip(np.diag(near), near, strict=True)
            ]
            return np.stack(columns, axis=1)

        crosses = any("velocity" in name for name in self.program.states)
        left = self.atol / max(float(np.abs(states[0]).max()), self.atol)
        sinking = np.array([[name in SINKING] for name in self.program.states])
        loosened = np.where(sinking, min(left, LOOSEST), 0.0) * np.abs(states)
        stage.solver = LSODA(
            rates,
            time,
            states.ravel(),
            float(self.times[-1]),
            rtol=max(self.rtol, FINEST),
            atol=(FORGIVEN * self.atol if crosses else NOTHING) + loosened.ravel(),
            jac=jacobian,
        )
        return stage


@dataclass
class _Stage:
    """A part of a run in which states are counted in what decay alone would make of them.

    Args:
        shrinks: Rates (states, 1) of that decay.
        shape: (states, modes).
        begin: Time at which the stage begins.
        solver: What steps.
    """

    shrinks: NDArray
    shape: tuple[int, ...]
    begin: float
    solver: LSODA = field(init=False)

    def scale(self, time: float) -> NDArray:
        """What decay alone makes of a state (states, 1)."""
        return np.exp(-self.shrinks * (time - self.begin))

    def states(self, times: NDArray, counted: NDArray) -> NDArray:
        """States (states, modes, times) from what the solver counts (states × modes, times)."""
        scale = np.exp(-self.shrinks[..., None] * (times - self.begin))
        return counted.reshape(*self.shape, -1) * scale

    @property
    def largest(self) -> float:
        """Size of the largest mode now."""
        own = np.abs(self.solver.y[: self.shape[1]]).max()
        return float(own * self.scale(self.solver.t)[0, 0])
