"""Hold labelled arrays without xarray, whose import outlasts a small run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray


class Column(NamedTuple):
    """An array with the names of its axes, and what it is."""

    dims: tuple[str, ...]
    values: NDArray
    attrs: Mapping[str, Any]


@dataclass(frozen=True)
class Labelled:
    """What a Dataset holds; read it as `table[name].values` and `table.attrs`, like a Dataset.

    Args:
        variables: By name, arrays.
        coords: By name, arrays that say where; those named as their axis are its positions.
        attrs: What the whole is.
    """

    variables: Mapping[str, Column]
    coords: Mapping[str, Column]
    attrs: Mapping[str, Any]

    def __getitem__(self, name: str) -> Column:
        """The array of that name."""
        return self.variables[name] if name in self.variables else self.coords[name]

    def to_xarray(self) -> xarray.Dataset:
        """The same as a Dataset, without copies."""
        import xarray

        return xarray.Dataset(dict(self.variables), dict(self.coords), dict(self.attrs))
