"""Say what a sweep follows: its axes, what is the same all over, and how it is cut."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.settings.choices import given_name, is_model
from eigendyn.settings.parameters import PER_MODE
from eigendyn.settings.presets import preset_settings
from eigendyn.settings.run_settings import Settings
from eigendyn.sweeping.axes import START, VARIANCE, Axis, told_numbers
from eigendyn.sweeping.kept import Kept, rows_of
from eigendyn.sweeping.layout import Layout

FORMAT = 1  # of a store


@dataclass(frozen=True)
class System:
    """What one call of an engine follows, but for what changes from trajectory to trajectory.

    Args:
        loss: Name of a loss or model, or one of the user's own.
        settings: Fields of `Settings`.
        variances: Spectrum (modes,); None where an axis gives it.
    """

    loss: Any
    settings: dict[str, Any]
    variances: NDArray | None

    @property
    def chosen(self) -> Settings:
        """The settings, checked."""
        return Settings(loss=given_name(self.loss), **self.settings)


@dataclass(frozen=True)
class Question:
    """What is swept, before it is known what one call of an engine can follow.

    Args:
        axes: In the order of the result.
        settings: What is the same all over: fields of `Settings`, "loss" and "preset".
        losses: Losses and models of the user's own, by name.
        spectrum: Variances (modes,) of the start, or of several starts (starts, modes).
        starts: By name, settings of a start, with "variances", that differ along the axis "start".
    """

    axes: tuple[Axis, ...]
    settings: Mapping[str, Any]
    losses: Mapping[str, Any]
    spectrum: NDArray
    starts: Mapping[str, Mapping[str, Any]]

    @property
    def modes(self) -> int:
        """Number of modes."""
        if any(axis.name == VARIANCE for axis in self.axes):
            return 1
        if self.starts:
            return len(next(iter(self.starts.values()))["variances"])
        return self.spectrum.shape[-1]

    def system(self, values: Mapping[str, Any]) -> System:
        """What is followed where the axes have these values, by setting.

        Raises:
            UnknownName, InvalidSetting: They do not go together.
        """
        given = {**self.settings, **values}
        loss, preset = given.pop("loss", None), given.pop("preset", None)
        own = self.losses.get(loss, loss) if isinstance(loss, str) else loss
        start = given.pop(START, None)
        variances = None if self.spectrum.ndim > 1 else self.spectrum
        if start is not None:
            beside = dict(self.starts[start])
            variances = np.asarray(beside.pop("variances"), float)
            given |= beside
        if VARIANCE in given:
            given.pop(VARIANCE)
            variances = None
        if preset is not None and is_model(own):
            message = f"`preset={preset!r}` sets a network, and the model {loss!r} has none."
            raise InvalidSetting(message)
        name = None if own is None else given_name(own)
        source = preset_settings(preset, name, given.get("predictor"), given.get("target"))
        source.pop("batch", None)  # of networks
        usual = source.pop("loss", Settings.loss)
        return System(usual if own is None else own, source | given, variances)

    def largest(self, name: str) -> Any:
        """The largest value of a number that is swept: with it, equations have their form."""
        axis = next(axis for axis in self.axes if name in axis.columns)
        return _plain(name, axis.ends(name)[1])

    def corners(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """For every combination of names, the values at the lower ends and at the upper ones."""
        named = [axis for axis in self.axes if axis.is_text]
        numbers = [axis for axis in self.axes if not axis.is_text and axis.name not in (START,)]
        low, high = ({}, {})
        for axis in numbers:
            for name in axis.columns:
                low[name], high[name] = (_plain(name, one) for one in axis.ends(name))
        for places in product(*(range(axis.size) for axis in named)):
            names: dict[str, Any] = {}
            for axis, place in zip(named, places, strict=True):
                names |= {name: one[0] for name, one in axis.at(slice(place, place + 1)).items()}
            yield names | low, names | high


@dataclass(frozen=True)
class Plan:
    """A sweep, checked, and cut into chunks.

    Args:
        question: What is swept.
        inner: By axis, whether one call of an engine follows several of its points.
        layout: The grid and its chunks.
        keep: What is kept of trajectories.
    """

    question: Question
    inner: tuple[bool, ...]
    layout: Layout
    keep: tuple[str, ...]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes, in the order of the result."""
        return self.question.axes

    @property
    def rows(self) -> dict[str, Kept]:
        """Variables that are kept, by name."""
        return rows_of(self.keep)

    @property
    def kind(self) -> np.dtype:
        """Precision of the states."""
        return np.dtype(self.question.settings.get("dtype", Settings.dtype))

    @property
    def bytes_each(self) -> int:
        """Bytes of one trajectory, before they are compressed."""
        return bytes_of(self.rows, self.question.modes, self.kind)

    def configuration(self) -> dict[str, Any]:
        """What tells this sweep apart from others, as JSON holds it."""
        asked = self.question
        fixed = {name: _told(value) for name, value in sorted(asked.settings.items())}
        told = {
            "format": FORMAT,
            "eigendyn": version("eigendyn"),
            "axes": {axis.name: axis.told for axis in self.axes},
            "order": [axis.name for axis in self.axes],
            "settings": fixed,
            "variances": told_numbers(asked.spectrum),
            "keep": list(self.keep),
            "chunks": list(self.layout.chunks),
        }
        if asked.losses:
            told["written"] = {name: repr(one) for name, one in asked.losses.items()}
        if asked.starts:
            told["starts"] = {
                name: {key: told_numbers(np.asarray(one)) for key, one in start.items()}
                for name, start in asked.starts.items()
            }
        return json.loads(json.dumps(told))


def bytes_of(rows: Mapping[str, Kept], modes: int, kind: np.dtype) -> int:
    """Bytes of what is kept of one trajectory."""
    return sum(
        np.dtype(row.dtype or kind).itemsize * (modes if row.per_mode else 1)
        for row in rows.values()
    )


def _plain(name: str, value: Any) -> Any:
    """A number of an axis as settings take it: of a parameter per mode, a tuple."""
    return (float(value),) if name in PER_MODE else float(value)


def _told(value: Any) -> Any:
    """A setting, as JSON holds it."""
    if isinstance(value, str | int | float | bool | None):
        return value
    if hasattr(value, "name"):
        return value.name
    return told_numbers(np.asarray(value, float))
