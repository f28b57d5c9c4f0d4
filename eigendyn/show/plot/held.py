"""Say which dimensions and quantities a result has, and give them by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.settings.parameters import PARAMETERS

if TYPE_CHECKING:
    import xarray

    from eigendyn.show.plot.shown import Shown

LONG = 30  # letters of a label; a longer one ends at its first comma, or is the name
MODES = ("mode", "component")  # dimensions whose places are modes


@dataclass(frozen=True, eq=False)
class Held:
    """A result, with a name of its own among others.

    Args:
        name: What tells it apart; empty where it is alone.
        dataset: What it holds.
        dots: Whether it is drawn as dots, as measurements are beside a theory.
    """

    name: str
    dataset: xarray.Dataset
    dots: bool = False

    @cached_property
    def columns(self) -> Mapping[str, xarray.DataArray]:
        """By name, its dimensions, coordinates and quantities, and the numbers of its settings."""
        data = self.dataset
        found = {str(name): data[name] for name in (*data.data_vars, *data.coords, *data.dims)}
        if "variance" not in found and "singular_value" in found:
            square = found["singular_value"] ** 2
            found["variance"] = square.assign_attrs(long_name="variance of the mode", units="")
        variance = found.get("variance")
        if variance is not None and "time" in variance.dims and "initial_variance" not in found:
            ends = {"initial": 0, "final": -1} if variance.sizes["time"] > 1 else {"final": -1}
            for word, place in ends.items():
                one = variance.isel(time=place, drop=True)
                label = f"{word} variance"
                found[f"{word}_variance"] = one.assign_attrs(long_name=label, units="")
        import xarray

        settings, _ = settings_held(data.attrs)
        numbers = {k: v for k, v in settings.items() if isinstance(v, int | float | str)}
        settled = {name: xarray.DataArray(v) for name, v in numbers.items() if name in PARAMETERS}
        return settled | found

    def column(self, name: str) -> xarray.DataArray:
        """An array by its name; words in the place of numbers that stand for them.

        Raises:
            UnknownName: It has none of this name.
        """
        if name not in self.columns:
            dims = [str(dim) for dim in self.dataset.dims]
            names = [*dims, *(one for one in self.columns if one not in {*dims, *PARAMETERS})]
            named = [one for one in PARAMETERS if one in self.dataset.coords]
            kind = "dimension or quantity"
            raise UnknownName(kind, name, [*names, *named])
        column = self.columns[name]
        if column.attrs.get("of") == "sweep" and column.dtype.kind == "i" and not is_flags(column):
            column = column.where(column >= 0)  # the others were not followed yet
        return in_words(column)

    def shown(self, shown: Shown) -> Held:
        """The same, of some modes, and cut where dimensions are held.

        Raises:
            InvalidSetting: There is no such mode, or no such dimension.
        """
        data, cut = self.dataset, dict(shown.held)
        dim = next((one for one in MODES if one in data.dims), None)
        if shown.modes:
            if dim is None:
                message = "A mode can be chosen of what has modes, and this has none. Leave it out."
                raise InvalidSetting(message)
            beyond = [mode for mode in shown.modes if mode >= data.sizes[dim]]
            if beyond:
                message = (
                    f"`mode` must be one of 0 … {data.sizes[dim] - 1}, the modes that there are, "
                    f"not {beyond[0]}."
                )
                raise InvalidSetting(message)
            if dim not in data.coords:
                data = data.assign_coords({dim: range(data.sizes[dim])})
            data = data.isel({dim: list(shown.modes)})
        for name, value in cut.items():
            data = _cut(data, name, value)
        return replace(self, dataset=data)


def _cut(data: xarray.Dataset, name: str, value: float | str) -> xarray.Dataset:
    """A dataset at the value of a dimension that is nearest to the one that was asked for."""
    if name not in data.dims:
        kind = "dimension"
        raise UnknownName(kind, name, [str(one) for one in data.dims])
    places = data[name].values
    if is_words(data[name]):
        if str(value) not in places.tolist():
            raise UnknownName(name, str(value), [str(one) for one in places])
        return data.isel({name: places.tolist().index(str(value))})
    try:
        number = float(value)
    except ValueError as error:
        message = f"{name} has numbers, and is held at one of them, not at {value!r}."
        raise InvalidSetting(message) from error
    return data.isel({name: int(np.argmin(np.abs(places - number)))})


def in_words(column: xarray.DataArray) -> xarray.DataArray:
    """An array with the words that its numbers stand for, by the CF attributes of flags."""
    if not is_flags(column):
        return column
    words = np.array(str(column.attrs["flag_meanings"]).split())
    codes = np.asarray(column.attrs["flag_values"])
    places = {int(code): place for place, code in enumerate(np.atleast_1d(codes))}
    taken = np.vectorize(lambda code: places.get(int(code), -1), otypes=[int])(column.values)
    found = np.where(taken < 0, "", words[np.clip(taken, 0, None)])
    return column.copy(data=found)


def is_flags(column: xarray.DataArray) -> bool:
    """Whether numbers stand for words."""
    return "flag_meanings" in column.attrs


def settings_held(attrs: Mapping[str, Any]) -> tuple[dict[str, Any], list[float] | None]:
    """Settings that a result carries, and of a sweep the variances that it starts from, if one."""
    told = json.loads(attrs.get("configuration", "{}"))
    start = told.get("variances")
    settings = told.get("settings") or json.loads(attrs.get("settings", "{}"))
    return settings, start if isinstance(start, list) else None


def is_words(column: xarray.DataArray) -> bool:
    """Whether an array holds words."""
    return column.dtype.kind in "UOST"


def label_of(name: str, column: xarray.DataArray | None = None) -> str:
    """What stands at an axis or above a legend: what an array is, and its unit."""
    if name in PARAMETERS:
        row = PARAMETERS[name]
        return f"{row.label} {row.sign}"
    attrs: Mapping[str, Any] = {} if column is None else column.attrs
    if column is not None and is_words(column):
        return name.replace("_", " ")
    words = str(attrs.get("long_name") or name.replace("_", " "))
    words = {"training time": "time", "mode, in input order": "mode"}.get(words, words)
    if len(words) > LONG:
        first = words.split(",")[0]
        words = first if len(first) <= LONG else name.replace("_", " ")
    unit = str(attrs.get("units") or "")
    return words if unit in ("", "1", "steps") or unit in words else f"{words} ({unit})"
