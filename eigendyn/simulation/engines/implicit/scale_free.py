r"""Evaluate forces that have no scale accurately, however small the modes have become.

If a loss does not change when all representations are scaled, its forces F_m = ds_m/dt + ω s_m
keep their directions and grow without bound as modes shrink. Three things are lost in numbers then,
and restored here.

- Where forces cancel in every mode at the start, and at any scale of its states, as the mean-field
  loss of a predictor that is a multiple of the identity has it, their round-off is taken for zero.
- Σ_m λ_m^k s_m F_m/d_m = 0 in every state, with k = β of the family δ/λ^β and the signal d of a
  mode's component, 1 for white inputs. What is computed is the
  round-off ε of its terms, which moves the modes' common scale by ε/Σv per unit of time. It is
  taken out of the forces.
- Forces that act `FASTEST` times in a unit of time hold modes where they cancel. That they act
  faster still as modes shrink further moves them by less than 1/FASTEST of their size: from there
  on they act as fast as at the scale where that was reached. A learned predictor p that what is
  left of these forces moves, p F_p ∝ s F, is moved less by as much as they were slowed; one whose
  size moves nothing else has such a scale of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.program import Program
from eigendyn.program.averaging import Nodes
from eigendyn.program.machine.single import OneField, rates_of_one
from eigendyn.settings.states import DEGREES, MOVES

FASTEST = 1e8  # per unit of time
DRIVEN = {moved: velocity for velocity, moved in MOVES.items()}
DECAYS = {"singular_value": "weight_decay", "predictor_value": "predictor_decay"}
AVERAGES = {"target_value": "ema", "correlation_value": "correlation_momentum"}
EXPONENTS = (-0.5, 2.0)  # between which k is looked for
CANCELS = 1e-9  # of what is added, up to which a sum is zero but for the closure's error
TRIALS = 3  # states that are looked at
HALVINGS = 45  # of the range of k: below 1e-13. Importing scipy takes longer than all of them
DRAWS = 8  # states that differ from one in their last digits …
UNITS = 4  # … by so many units
EPSILON = float(np.finfo(float).eps)
APART = 0.3  # how far these are from the start, in logarithms
NO_FLOORS: Mapping[str, float] = MappingProxyType({})  # forces grow however small states are
SCALED = 0.5  # scale at which directions of forces are compared


@dataclass(frozen=True)
class Dynamics:
    """The rates of a program, which knows what drives each state.

    Args:
        program: The right-hand side.
        nodes: Where its averages are taken; none if it takes none.
        parameters: One number for each of the program's parameters.
        start: States (states, modes), near which the forces are looked at.
    """

    program: Program
    nodes: Nodes
    parameters: Mapping[str, Any]
    start: NDArray

    def __call__(
        self, time: float, states: NDArray, floors: Mapping[str, float] = NO_FLOORS
    ) -> NDArray:
        """Rates (states, modes), with the forces of a state's floor where the state is smaller."""
        # All that is no force is linear, and scales as the states do.
        scale, slowed = np.ones((len(states), 1)), 0.0
        for state, floor in floors.items():
            largest = np.abs(states[self._place(state)]).max()
            if 0 < largest < floor:
                scale *= (floor / largest) ** self._scaled_with(state)
                slowed = 1 - (largest / floor) ** self._degree[state]
        rates = self._balanced(time, states * scale)
        if slowed and self._is_followed:
            left = self._force("predictor_value", rates, states * scale)
            self._push("predictor_value", rates, -slowed * left)
        return rates / scale

    def fastest(self, states: NDArray, state: str = "singular_value") -> float:
        """How many times forces on a state act in a unit of time, about: if it is 10 % off."""
        place, moved = self._place(state), states.copy()
        moved[place] *= 1 + 0.1 * (-1.0) ** np.arange(states.shape[1])
        found = self._rates(0.0, moved)
        with np.errstate(all="ignore"):
            acts = np.abs(self._force(state, found, moved) / moved[place])
        return 10 * float(np.max(acts, initial=0.0, where=np.isfinite(acts)))

    def slowed_below(self, states: NDArray) -> dict[str, float]:
        """The largest of each state at which forces on it act `FASTEST` times in a unit of time."""
        if self.exponent is None:
            return {}
        limited = ["singular_value"]
        if self._place("predictor_value") is not None and self._goes_by_itself:
            limited.append("predictor_value")
        speeds = {state: self.fastest(states, state) for state in limited}
        return {
            state: float(
                np.abs(states[self._place(state)]).max()
                * (speed / FASTEST) ** (1 / self._degree[state])
            )
            for state, speed in speeds.items()
            if speed > 0
        }

    @cached_property
    def _degree(self) -> dict[str, float]:
        """The d with which forces on a state act 2^d times as fast where it is half as large."""
        found = {}
        for state in (state for state in DRIVEN if self._place(state) is not None):
            with_it = self._scaled_with(state)
            now, before = (self.fastest(self.start * size**with_it, state) for size in (1.0, 2.0))
            found[state] = float(np.log2(now / before)) if 0 < before < now else np.inf
        return found

    def _scaled_with(self, state: str) -> NDArray:
        """Powers (states, 1) of a state's size that the states go with: a predictor goes alone."""
        if state == "singular_value":
            return self._degrees
        return np.array([[float(name == state)] for name in self.program.states])

    @cached_property
    def _goes_by_itself(self) -> bool:
        """Whether a learned predictor's size moves the modes neither directly nor by its forces."""
        if self._is_followed:
            return False
        states = self._trials[0]
        other = states * SCALED ** self._scaled_with("predictor_value")
        ours, theirs = (
            self._force("singular_value", self._rates(0.0, one), one) for one in (states, other)
        )
        return bool(np.abs(ours - theirs).max() <= CANCELS * np.abs(ours).max())

    @cached_property
    def exponent(self) -> float | None:
        """The k of Σ λ^k s F/d = 0, if it and the directions of the forces know no scale."""
        if self._is_free:
            return 0.0
        trials = self._trials
        k = 0.0  # also without a predictor, where λ = 1 and every k does as well
        if not self._cancels(trials, k):
            found = self._root(trials[0])
            if found is None:
                return None
            k = found
        known = self._cancels(trials, k) and all(map(self._keeps_direction, trials))
        return k if known else None

    @cached_property
    def _trials(self) -> list[NDArray]:
        """States near the start, where forces are looked at."""
        rng = np.random.default_rng(0)
        shape = (TRIALS, *self.start.shape)
        return list(self.start * np.exp(rng.normal(0, APART, shape)))

    @cached_property
    def _is_free(self) -> bool:
        """Whether forces are nothing but round-off at the start, whatever the scale of a state.

        All that is left decays then, each state at its own rate, and forces stay zero.
        """
        velocities = DRIVEN.values() if "momentum" in self.parameters else ()
        if not {*self.program.states} <= {*DRIVEN, *AVERAGES, *velocities}:
            return False  # a model's own states may drive others later, whatever they begin with
        rng = np.random.default_rng(0)
        scales = np.exp(rng.normal(0, APART, (TRIALS, len(self.start), 1)))
        return all(map(self._are_round_off, (self.start, *self.start * scales)))

    def _are_round_off(self, states: NDArray) -> bool:
        """Whether forces change by about all that they are with the last digits of the states."""
        rng = np.random.default_rng(0)
        units = EPSILON * rng.integers(-UNITS, UNITS + 1, (DRAWS, *states.shape))
        near = states * (1 + units)
        driven = [state for state in DRIVEN if self._place(state) is not None]
        here, *there = (
            np.stack([self._force(state, self._rates(0.0, one), one) for state in driven])
            for one in (states, *near)
        )
        return bool((np.abs(here) <= UNITS * np.ptp(there, axis=0)).all())

    @cached_property
    def _is_followed(self) -> bool:
        """Whether a learned predictor is moved by what moves the modes: p F_p = κ s F_s."""
        place = self._place("predictor_value")
        if place is None:
            return False
        states = self._trials[0]
        found = self._rates(0.0, states)
        moves = states[0] * self._force("singular_value", found, states) / self._signal
        drives = states[place] * self._force("predictor_value", found, states)
        expected = self.parameters["predictor_rate"] * moves
        return bool(np.abs(drives - expected).max() < CANCELS * np.abs(drives).max())

    def _cancels(self, trials: list[NDArray], k: float) -> bool:
        return all(abs(self._rest(states, k)) < CANCELS for states in trials)

    def _root(self, states: NDArray) -> float | None:
        """The k with which the sum cancels in a state, by halving."""
        sides = [self._rest(states, k) for k in EXPONENTS]
        if not (np.isfinite(sides).all() and sides[0] * sides[1] < 0):
            return None
        low, high = EXPONENTS
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            same = self._rest(states, middle) * sides[0] > 0
            low, high = (middle, high) if same else (low, middle)
        return round(low, 9)

    def _rest(self, states: NDArray, k: float) -> float:
        """Σ λ^k s F/d over the sum of its terms' sizes."""
        found = self._rates(0.0, states)
        with np.errstate(all="ignore"):
            force = self._force("singular_value", found, states) / self._signal
            terms = found[-1] ** k * states[0] * force
            return float(np.nansum(terms) / np.nansum(np.abs(terms)))

    def _keeps_direction(self, states: NDArray) -> bool:
        """Whether forces have the same direction at another scale of representations, or of λ."""
        predictor = np.array([[float(name == "predictor_value")] for name in self.program.states])
        each = [states, *(states * SCALED**degrees for degrees in (self._degrees, predictor))]
        forces = [self._force("singular_value", self._rates(0.0, one), one) for one in each]
        ours, *theirs = (force / np.abs(force).max() for force in forces)
        return all(np.abs(ours - other).max() < CANCELS for other in theirs)

    def _balanced(self, time: float, states: NDArray) -> NDArray:
        """Rates with forces whose sum cancels."""
        found = self._rates(time, states)
        rates, eigenvalue = found[:-1], np.abs(found[-1])
        if self.exponent is None:
            return rates
        for state in (state for state in DRIVEN if self._place(state) is not None):
            place = self._place(state)
            if self._is_free:
                self._release(state, rates, states)
                continue
            if state == "predictor_value" and self._is_followed:
                self._follow(rates, states)
                continue
            # λ_m is the size of the terms that F_m is made of, but for a common factor.
            pace = self._signal if state == "singular_value" else 1.0
            lever = eigenvalue**self.exponent * states[place] / pace
            size = eigenvalue ** (1 - self.exponent) * np.abs(states[place]) * pace
            whole = lever @ size
            if whole > 0:
                change = (lever @ self._force(state, found, states) / whole) * size
                self._push(state, rates, -change)
        return rates

    def _follow(self, rates: NDArray, states: NDArray) -> None:
        """Let κ s F_s drive a learned predictor, p F_p, to the last digit.

        What is computed differs from it by the round-off of forces that act a hundred million times
        in a unit of time, and s² − p²/κ, which decay alone changes, would drift.
        """
        value = states[self._place("predictor_value")]
        moves = states[0] * self._force("singular_value", rates, states) / self._signal
        drive = self.parameters["predictor_rate"] * moves
        wanted = np.divide(drive, value, out=np.zeros_like(value), where=value != 0)
        left = np.where(value != 0, wanted - self._force("predictor_value", rates, states), 0.0)
        self._push("predictor_value", rates, left)

    def _push(self, state: str, rates: NDArray, force: NDArray) -> None:
        """Add a force on a state to its rate, or its velocity's."""
        velocity = self._velocity(state)
        if velocity is None:
            rates[self._place(state)] += force
        else:
            rates[velocity] += force / self._inertia

    def _release(self, state: str, rates: NDArray, states: NDArray) -> None:
        """Let a state do what it does without a force."""
        velocity, decay = self._velocity(state), self.parameters.get(DECAYS[state], 0.0)
        drive = -decay * states[self._place(state)]
        if velocity is None:
            rates[self._place(state)] = drive
        else:
            friction = (1 - self.parameters["momentum"]) * states[velocity]
            rates[velocity] = (drive - friction) / self._inertia

    def _force(self, state: str, found: NDArray, states: NDArray) -> NDArray:
        """What drives a state: all of its rate but decay and momentum."""
        place, velocity = self._place(state), self._velocity(state)
        drive = found[place]
        if velocity is not None:
            friction = (1 - self.parameters["momentum"]) * states[velocity]
            drive = self._inertia * found[velocity] + friction
        return drive + self.parameters.get(DECAYS[state], 0.0) * states[place]

    @property
    def _signal(self) -> Any:
        """What forces on singular values of whitened components are multiplied by, per mode."""
        return np.ravel(self.parameters.get("signal", 1.0))

    @property
    def _inertia(self) -> float:
        """η(1 + μ)/2, what a velocity's rate is multiplied by to give drive less friction."""
        return self.parameters["learning_rate"] * (1 + self.parameters["momentum"]) / 2

    def _velocity(self, state: str) -> int | None:
        """Place of a state's heavy-ball velocity; that of a model may be another one."""
        return self._place(DRIVEN[state]) if "momentum" in self.parameters else None

    def _place(self, state: str) -> int | None:
        names = self.program.states
        return names.index(state) if state in names else None

    @cached_property
    def _degrees(self) -> NDArray:
        return np.array([[DEGREES.get(name, 0.0)] for name in self.program.states])

    @cached_property
    def shrinks(self) -> NDArray:
        """Rates (states, 1) at which states decay where forces cancel; else zero.

        What decays faster than an average forgets leaves it behind, at a rate of its own.
        """
        representation, predictor = (self._fades(state) for state in DRIVEN)
        numbers = [
            self._counted(name, DEGREES[name] * representation) if name in DEGREES else predictor
            for name in self.program.states
        ]
        return np.array(numbers)[:, None] * (self.exponent is not None)

    def _counted(self, state: str, decay: float) -> float:
        """Rate at which a state decays that goes with representations, or is left behind by them.

        On a schedule an average forgets more and more slowly: left behind, it is not counted.
        """
        kept = AVERAGES.get(state)
        if kept is None or kept not in self.parameters:
            return decay
        forgets = (1 - self.parameters[kept]) / self.parameters["learning_rate"]
        if forgets >= decay:
            return decay
        return 0.0 if "duration" in self.parameters else forgets

    def _fades(self, state: str) -> float:
        """Rate r of e^(−rt), in which a state decays that nothing drives.

        With momentum μ, ds/dt = u and m du/dt = −ω s − (1 − μ) u, m = η(1 + μ)/2, are so for
        m r² − (1 − μ) r + ω = 0, whose smaller solution lasts longer.
        """
        decay = self.parameters.get(DECAYS[state], 0.0)
        if self._velocity(state) is None:
            return decay
        half = (1 - self.parameters["momentum"]) / 2
        return (half - np.sqrt(max(half**2 - decay * self._inertia, 0.0))) / self._inertia

    @cached_property
    def _rates(self) -> OneField:
        whole = replace(self.program, rates=(*self.program.rates, self.program.predictor))
        return rates_of_one(whole, self.nodes, self.parameters)
