"""Find the lines of a picture: one quantity over another, for each run, mode and whatever else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.show.plot.held import Held, is_words, label_of
from eigendyn.show.plot.shown import Shown

if TYPE_CHECKING:
    import xarray

RUN = "run"  # what tells several results apart
SPREAD = ("trajectory", "seed")  # dimensions of which lines are medians, unless they are named
SIZES = ("singular_value", "target_value")
MANY = 10  # members from which a band leaves out the outermost tenths
MOST_LINES = 200


class Usual(NamedTuple):
    """What is drawn of a kind of result where nothing else is asked for.

    Args:
        x: Along the horizontal axis.
        quantity: Along the vertical one.
        color: What lines are coloured by.
    """

    x: str
    quantity: str
    color: str


@dataclass(frozen=True, eq=False)
class Line:
    """One line, or dots, with what tells it apart.

    Args:
        x: Along the horizontal axis (points,).
        y: Along the vertical one (points,).
        band: Lower and upper edge (points,) of a band around it; None if it is no median.
        run: Name of the result.
        color: Value that it is coloured by; None if by nothing.
        facet: Value of the axes that it stands on; None if there is one.
        dots: Whether it is dots.
    """

    x: NDArray  # (points,)
    y: NDArray  # (points,)
    band: tuple[NDArray, NDArray] | None
    run: str
    color: Any
    facet: Any
    dots: bool


@dataclass(frozen=True, eq=False)
class Lines:
    """All lines of a picture, and what its axes are.

    Args:
        every: The lines.
        labels: By axis, "x", "y", "color" and "facet", what it is.
        is_size: Whether the vertical axis is of a variance, which counts in decades.
        remarks: Sentences that a title says.
    """

    every: Sequence[Line]
    labels: Mapping[str, str]
    is_size: bool
    remarks: Sequence[str]


def find_lines(results: Sequence[Held], asked: Shown, usual: Usual) -> Lines:
    """Find the lines that are asked for.

    Args:
        results: One or several, of some modes.
        asked: What is asked for.
        usual: What stands where nothing is.

    Raises:
        UnknownName: A result has no such dimension or quantity.
        InvalidSetting: Names that are no line together.
    """
    if None not in (asked.y, asked.quantity) and asked.y != asked.quantity:
        message = (
            f"`y={asked.y!r}` and `quantity={asked.quantity!r}` are two heights of one line. Leave "
            "out one of the two."
        )
        raise InvalidSetting(message)
    x = asked.x or usual.x
    y = asked.y or asked.quantity or usual.quantity
    color = asked.color or (RUN if len(results) > 1 else usual.color)
    every, remarks, counts = [], [], []
    for held in results:
        of = _Taken(held, x, y, color, asked.facet, usual)
        some, count = of.lines(max(1, MOST_LINES // len(results)))
        every += some
        counts.append((len(some), count))
        remarks += of.remarks
    drawn, count = (sum(each) for each in zip(*counts, strict=True))
    if drawn < count:
        remarks.append(f"{drawn} of {count} lines, evenly spaced")
    first = results[0]
    names = {"x": x, "y": y, "color": color, "facet": asked.facet or ""}
    labels = {
        axis: label_of(name, first.column(name) if name and name != RUN else None)
        for axis, name in names.items()
    }
    return Lines(every, labels, y in SIZES or y.endswith("variance"), list(dict.fromkeys(remarks)))


class _Taken:
    """The columns of one result that lines are made of."""

    def __init__(
        self, held: Held, x: str, y: str, color: str, facet: str | None, usual: Usual
    ) -> None:
        self.held = held
        self.remarks: list[str] = []
        self.height = self._numbers(y)
        self.place = self._numbers(x)
        self.along = _along(self.place, x, held.column(usual.x).dims)
        if self.along is None or self.along not in self.height.dims:
            message = (
                f"{y} does not change with {x} in this result: it is there for each "
                f"{', '.join(map(str, self.height.dims)) or 'result'}. Try another `x`."
            )
            raise InvalidSetting(message)
        self.color = None if color == RUN or not color else held.column(color)
        self.facet = None if facet in (RUN, None) else held.column(str(facet))
        self.by_run = facet == RUN
        named = {x, color, facet}
        dims = dict.fromkeys([*self.height.dims, *self.place.dims])
        used = {dim for one in (self.color, self.facet) if one is not None for dim in one.dims}
        self.spread = next(
            (dim for dim in dims if dim in SPREAD and dim not in {*named, *used, self.along}), None
        )
        self.is_ordered = x in self.place.dims or self.along in held.column(usual.x).dims
        self.rest = [dim for dim in dims if dim not in (self.along, self.spread)]
        if color == usual.color and self.color is not None:
            is_known = set(self.color.dims) <= set(self.rest)
            self.color = self.color if is_known else None
        for name, one in ((color, self.color), (facet, self.facet)):
            if one is not None and not set(one.dims) <= set(self.rest):
                message = (
                    f"Lines of {y} over {x} are told apart by "
                    f"{' and '.join(map(str, self.rest)) or 'nothing'}, and {name} also changes "
                    "along them. Try another name."
                )
                raise InvalidSetting(message)

    def _numbers(self, name: str) -> xarray.DataArray:
        column = self.held.column(name)
        if is_words(column):
            message = f"{name} is words, which have no place along a line. Try `color={name!r}`."
            raise InvalidSetting(message)
        return column

    def lines(self, most: int) -> tuple[list[Line], int]:
        """So many lines at most, and the number that there are."""
        sizes = {dim: self.height.sizes.get(dim) or self.place.sizes[dim] for dim in self.rest}
        every = list(np.ndindex(*sizes.values()))
        picked = np.linspace(0, len(every) - 1, min(most, len(every))).round().astype(int)
        found = []
        for place in picked:
            at = dict(zip(self.rest, every[place], strict=True))
            x = np.asarray(_at(self.place, at).values, float)
            if x.ndim > 1:  # a place of each member, as the effective rank of a seed
                x = np.median(x, axis=_at(self.place, at).dims.index(self.spread))
            y, band = self._median(_at(self.height, at))
            found.append(
                Line(
                    x=x,
                    y=y,
                    band=band,
                    run=self.held.name,
                    color=self.held.name if self.color is None else _value(self.color, at),
                    facet=self.held.name if self.by_run else _value(self.facet, at),
                    dots=self.held.dots or not self.is_ordered,
                )
            )
        return found, len(every)

    def _median(self, heights: xarray.DataArray) -> tuple[NDArray, tuple[NDArray, NDArray] | None]:
        if self.spread is None or self.spread not in heights.dims:
            return np.asarray(heights.values, float), None
        values = np.asarray(heights.transpose(self.spread, self.along).values, float)
        count = len(values)
        edges = (0.1, 0.9) if count >= MANY else (0.0, 1.0)
        words = "10 % to 90 %" if count >= MANY else "smallest to largest"
        plural = {"trajectory": "trajectories"}.get(self.spread, f"{self.spread}s")
        self.remarks.append(f"{count} {plural}: median, {words}")
        low, middle, high = np.quantile(values, (edges[0], 0.5, edges[1]), axis=0)
        return middle, (low, high)


def _along(place: xarray.DataArray, x: str, usual: Sequence[Any]) -> Any:
    """The dimension along which a line runs; None if its places are one number."""
    candidates = (x, *usual, *SPREAD, *reversed(place.dims))
    return next((dim for dim in candidates if dim in place.dims), None)


def _at(column: xarray.DataArray, at: Mapping[Any, int]) -> xarray.DataArray:
    return column.isel({dim: place for dim, place in at.items() if dim in column.dims})


def _value(column: xarray.DataArray | None, at: Mapping[Any, int]) -> Any:
    return None if column is None else _at(column, at).values.item()
