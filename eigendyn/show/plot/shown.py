"""Take what a picture shall show: over what, in which colours, of which modes, in one grammar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from numbers import Integral
from typing import TypedDict

from eigendyn.errors import InvalidSetting
from eigendyn.settings.checks import check_is, numbers_of


class GivenShown(TypedDict, total=False):
    """Fields of `Shown`, as functions that draw take them."""

    x: str | None
    y: str | None
    color: str | None
    facet: str | None
    quantity: str | None
    mode: int | Sequence[int] | None
    held: Mapping[str, float | str] | None


@dataclass(frozen=True)
class Shown:
    """What a picture shows; what is None is as usual for its kind of result.

    Args:
        x: Dimension, coordinate or quantity along the horizontal axis.
        y: The same along the vertical axis; where both are dimensions, it is a map.
        color: What lines are coloured by: a dimension, "run", or a quantity of each line.
        facet: What tells the axes of a figure apart, likewise.
        quantity: What is drawn: the height of lines, or the colour of a map.
        modes: Modes that are drawn; none are all of them.
        held: By dimension, the value at which it is cut; the nearest one there is.
    """

    x: str | None = None
    y: str | None = None
    color: str | None = None
    facet: str | None = None
    quantity: str | None = None
    modes: tuple[int, ...] = ()
    held: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def is_usual(self) -> bool:
        """Whether nothing is asked for."""
        return self == Shown()

    @property
    def given(self) -> list[str]:
        """Names of what is asked for, as Python's keywords."""
        usual = Shown()
        named = {one.name for one in fields(self)}
        changed = [name for name in named if getattr(self, name) != getattr(usual, name)]
        return sorted({"modes": "mode"}.get(name, name) for name in changed)


def shown(
    *,
    x: str | None = None,
    y: str | None = None,
    color: str | None = None,
    facet: str | None = None,
    quantity: str | None = None,
    mode: int | Sequence[int] | None = None,
    held: Mapping[str, float | str] | None = None,
) -> Shown:
    """Check keywords of a function that draws, which are those of `GivenShown`.

    Raises:
        InvalidSetting: A name that is no text, or a mode that is no whole number.
    """
    names = {"x": x, "y": y, "color": color, "facet": facet, "quantity": quantity}
    for name, value in names.items():
        check_is(name, value, value is None or isinstance(value, str), "a name, as 'weight_decay'")
    every = [mode] if isinstance(mode, Integral) else numbers_of(mode) if mode is not None else []
    wrong = every is None or any(not isinstance(one, Integral) or one < 0 for one in every)
    check_is("mode", mode, not wrong, "the number of a mode, or several, as [0, 9]")
    is_mapping = held is None or isinstance(held, Mapping)
    check_is("held", held, is_mapping, "values by dimension, as {'sigma1': 0.3}")
    if x is not None and x == y:
        message = f"`x` and `y` must differ, and both are {x!r}. Leave out one of the two."
        raise InvalidSetting(message)
    modes = tuple(int(one) for one in every or ())
    return Shown(x, y, color, facet, quantity, modes, dict(held or {}))
