"""Say how likely a record is under sets of numbers, and how that changes with each of them.

A short record hardly tells the noise of batches: its likeliest value is none for about half of such
records, and intervals of other numbers that take it to be none are too narrow. Where learning rate
η and batch size B were recorded, q is expected to be A η/B, as of white Gaussian inputs, to within
a factor: a reading of ln q like any other. Else the likelihood is multiplied by the standard
deviation that this noise adds to ln v over the record, which keeps it away from zero by about its
own uncertainty.

Source: Chung, Rabe-Hesketh, Dorie, Gelman, Liu 2013, Psychometrika 78, 685, the factor.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.known import Filtered, Known, Readings, Steps
from eigendyn.fitting.numbers import LOGS, PROCESS, TIME_SCALE

if TYPE_CHECKING:
    from eigendyn.fitting.motion import Dynamics, Kind

LANES = 16  # sets of numbers that are filtered together: one shape to compile
STEP = 1e-5  # of a coordinate in difference quotients, whose error is half of it …
LITTLE = 1e-6  # … or of its largest value, where it may vanish
TRUSTED = 1.0  # standard deviation of ln q around that of white inputs, if its batch is known
AWAY = 0.5  # else power of the variance of batches that likelihoods are multiplied by
WORST = 1e12  # stands for a likelihood of zero


class Local(NamedTuple):
    """The likelihood around sets of numbers.

    Args:
        value: −ln likelihood (sets,).
        slope: Its gradient (sets, numbers).
        information: Fisher information of the coordinates (sets, numbers, numbers).
    """

    value: NDArray
    slope: NDArray
    information: NDArray


@dataclass(frozen=True)
class Likelihood:
    """The likelihood of a record under one loss.

    Args:
        loss: Its dynamics in JAX.
        kind: What it compiles for.
        readings: The record.
        batch_noise: η/B, which q/A is expected to be; not a number where that is not known.
        low: Least coordinates (numbers,).
        high: Largest coordinates (numbers,).
    """

    loss: Dynamics
    kind: Kind
    readings: Readings
    batch_noise: float
    low: NDArray
    high: NDArray

    @property
    def numbers_of_modes(self) -> NDArray:
        """Logarithms of numbers per mode (modal numbers, modes) that it is linear around."""
        return np.asarray(self.readings.around)

    def linear_around(self, logs: NDArray) -> Likelihood:
        """The same, linear around these logarithms of numbers per mode (modal numbers, modes)."""
        return replace(self, readings=self.readings._replace(around=logs))

    def filtered(self, places: NDArray) -> Filtered:
        """Filter the record under every set of coordinates (sets, numbers)."""
        lanes = _filled(places)
        at = self.readings.begun(self.kind.modal, self.kind.is_coupled, lanes)
        around = np.broadcast_to(self.readings.around, (len(lanes), *self.readings.around.shape))
        return self._followed(self.readings.steps, len(places), lanes, around, at)

    def foretold(
        self, steps: Steps, places: NDArray, logs: NDArray, start: NDArray, drawn: NDArray
    ) -> NDArray:
        """Give ln v after each micro-step (sets, steps, modes), without looking at any recording.

        Args:
            steps: Micro-steps.
            places: Coordinates (sets, numbers).
            logs: Logarithms of numbers per mode of each (sets, modal numbers, modes).
            start: ln v at first (sets, modes).
            drawn: Standard normal numbers (sets, steps, modes).
        """
        numbers = logs.shape[1]
        doubt = np.zeros((len(logs), numbers, *logs.shape[1:]))
        lanes = [_filled(row) for row in (places, logs, start, np.zeros_like(logs), doubt, drawn)]
        places_, logs_, mean, zero, doubt, drawn_ = lanes
        modes = mean.shape[1:] * (2 if self.kind.is_coupled else 1)
        at = Known(mean, np.zeros((len(mean), *modes)), zero, zero, doubt)
        found = self._followed(steps, len(places), places_, logs_, at, drawn_)
        return np.asarray(found.mean)

    def _followed(self, steps: Steps, sets: int, *lanes: Any) -> Filtered:
        """Follow modes in lanes, `LANES` at a time, of which so many are asked for."""
        import jax

        from eigendyn.fitting.transition import followed

        def work(begin: int) -> Filtered:
            part = jax.tree.map(lambda row: row[begin : begin + LANES], lanes)
            return followed(self.loss, self.kind, steps, *part)

        begins = range(0, sets, LANES)
        with ThreadPoolExecutor(2) as pool:
            parts = list(pool.map(work, begins))
        return jax.tree.map(lambda *rows: np.concatenate(rows)[:sets], *parts)

    def errors(self, places: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """Innovations, their variances (sets, readings), and what batches add (sets, 1).

        Where q is expected, it is the last reading, and what batches add counts as 1.
        """
        found = self.filtered(places)
        innovation, spread, added = (
            np.asarray(row).reshape(len(places), -1)
            for row in (found.innovation, found.spread, found.added)
        )
        one = np.ones((len(places), 1))
        if np.isnan(self.batch_noise):
            return innovation, spread, added.sum(axis=1, keepdims=True)
        off = places[:, [PROCESS]] - places[:, [TIME_SCALE]] - np.log(self.batch_noise)
        spread = np.concatenate([spread, TRUSTED**2 * one], axis=1)
        return np.concatenate([innovation, off], axis=1), spread, one

    def values(self, places: NDArray) -> NDArray:
        """−ln likelihood (sets,), with its factor, but for a constant."""
        return _value(*self.errors(places))

    def around(self, places: NDArray, free: NDArray) -> Local:
        """Value, gradient and Fisher information, by differences of one step into the box.

        Args:
            places: Coordinates (sets, numbers).
            free: Which of them count (numbers,); to the others the likelihood does not react.
        """
        sets, size = len(places), int(free.sum())
        step = STEP * np.where(LOGS, 1.0, np.maximum(np.abs(places), LITTLE * self.high))
        step = np.where(places + step > self.high, -step, step)
        moved = np.repeat(places[:, None], size + 1, axis=1)
        rows, along = np.arange(size), np.flatnonzero(free)
        moved[:, 1 + rows, along] += step[:, along]
        lanes = moved.reshape(-1, places.shape[1])
        e, s, q = (each.reshape(sets, size + 1, -1) for each in self.errors(lanes))

        def slopes(f: NDArray) -> NDArray:
            return (f[:, 1:] - f[:, :1]) / step[:, along, None]

        with np.errstate(all="ignore"):
            pull = AWAY * slopes(np.log(q))[..., 0]
        de, ds = slopes(e), slopes(s)
        e, s, q = e[:, 0], s[:, 0], q[:, 0]
        value = _value(e, s, q)
        with np.errstate(all="ignore"):
            slope = np.einsum("bk,bpk->bp", e / s, de)
            slope += np.einsum("bk,bpk->bp", (1 - e**2 / s) / (2 * s), ds)
            slope -= pull
            information = np.einsum("bpk,bqk->bpq", de / s[:, None], de)
            information += np.einsum("bpk,bqk->bpq", ds / (2 * s[:, None] ** 2), ds)
        sound = (value < WORST) & np.isfinite(slope).all(axis=1)
        sound &= np.isfinite(information).all(axis=(1, 2))
        whole = Local(
            np.where(sound, value, WORST),
            np.zeros_like(places),
            np.zeros((sets, places.shape[1], places.shape[1])),
        )
        whole.slope[:, along] = np.where(sound[:, None], slope, 0.0)
        whole.information[:, along[:, None], along] = np.where(
            sound[:, None, None], information, np.eye(size)
        )
        return whole


def _filled(rows: NDArray) -> NDArray:
    """The same (sets, …), the last of them as often as fills whole `LANES`."""
    count = len(rows)
    return rows[np.minimum(np.arange(-(-count // LANES) * LANES), count - 1)]


def _value(e: NDArray, s: NDArray, added: NDArray) -> NDArray:
    with np.errstate(all="ignore"):
        value = 0.5 * (e**2 / s + np.log(s)).sum(axis=1) - AWAY * np.log(added[:, 0])
    return np.where(np.isfinite(value), value, WORST)
