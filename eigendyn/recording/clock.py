"""Tell training time from steps and learning rates, and when the next recording is due."""

from __future__ import annotations

from math import ceil, isfinite
from typing import Any

from eigendyn.errors import InvalidSetting, as_given
from eigendyn.settings.checks import NONNEGATIVE, check_real

GROWS = 8  # of the steps so far, the share that early gaps between recordings have at least


class Clock:
    """Time ∫η dt, the rate held from one call to the next; steps while no rate was ever given.

    Between a recording and the first call after a restart the mean of both rates is taken.

    Args:
        every: Steps between recordings.
        step: Training step of the last call; None before the first.
        time: Training time there.
        rate: Learning rate from there on; None where there is none.
        recorded: Step of the last recording; None before the first.
    """

    def __init__(
        self,
        every: int,
        step: float | None = None,
        time: float = 0.0,
        rate: float | None = None,
        recorded: float | None = None,
    ) -> None:
        self.every = every
        self.step, self.time, self.rate, self.recorded = step, time, rate, recorded
        self.begun = step is not None
        self.first: float | None = None
        self.seen = 0
        self.skips = False

    def advance(self, step: Any, learning_rate: Any) -> float:
        """Go on to a step, and say which one it is; calls are counted where none is given.

        Raises:
            InvalidSetting: A step before the last one, a rate that is negative or not finite, or a
                rate that is given only now.
        """
        now = self._step(step)
        rate = self.rate
        if learning_rate is not None:
            rate = check_real("learning_rate", number("learning_rate", learning_rate), NONNEGATIVE)
            if self.begun and self.rate is None:
                message = (
                    f"`learning_rate` must be given from the first call on; at step {now:g} it is "
                    "given for the first time. Time would be in two units."
                )
                raise InvalidSetting(message)
        if not self.begun:  # the first rate is taken to have held before
            self.time = now * (1.0 if rate is None else rate)
        else:
            held = 1.0 if self.rate is None else self.rate
            if self.first is None and rate is not None:
                held = (held + rate) / 2
            self.time += held * (now - (self.step or 0.0))
            self.skips |= self.first is not None and now - (self.step or 0.0) > 1
        self.begun, self.step, self.rate = True, now, rate
        self.first = now if self.first is None else self.first
        return now

    def _step(self, step: Any) -> float:
        if step is None:
            return 0.0 if self.step is None else self.step + 1
        now = number("step", step)
        if not isfinite(now):
            message = f"`step` must be finite, not {now}. Leave it out, and calls are counted."
            raise InvalidSetting(message)
        if self.step is not None and not now >= self.step:
            message = (
                f"Steps must not go back; {self.step:g} is followed by {now:g}. After a restart "
                "from a checkpoint open the log with `resume=True`."
            )
            raise InvalidSetting(message)
        return now

    @property
    def batch_size(self) -> float | None:
        """Samples of a step, over all calls that it had; None where steps were left out."""
        if self.first is None or self.step is None or self.skips:
            return None
        return self.seen / (self.step - self.first + 1)

    def due(self, wanted: int, batch: int) -> tuple[float, float]:
        """The step of the next recording, and how many steps before it its batches begin.

        The first is due as soon as it has its samples, the others at whole multiples of `every`.
        Early on, where training is fastest, they are at those of a half of it, a fourth, an eighth,
        while that is more than the steps so far over `GROWS` and has room for the samples.

        Args:
            wanted: Samples of a recording.
            batch: Samples of this batch.
        """
        now, first = self.step or 0.0, self.first or 0.0
        each = self.seen / (now - first) if now > first else float(batch)  # samples of a step
        span = min(max(-(-wanted // each), 1.0), float(self.every)) if each else float(self.every)
        if self.recorded is None:
            return first + span - 1, span
        gap = float(self.every)
        while gap / 2 >= max(span, self.recorded / GROWS):
            gap /= 2
        return ceil(gap * ceil((self.recorded + span) / gap)), span


def number(name: str, value: Any) -> float:
    """A number of Python, NumPy or a framework.

    Raises:
        InvalidSetting: It is none.
    """
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        message = f"`{name}` must be a number, not {as_given(value)}."
        raise InvalidSetting(message) from error
