"""Hold labelled arrays without xarray, whose import outlasts a small run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from eigendyn.settings.checks import check_is

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray


def check_run(dataset: Any) -> None:
    """Check that an argument is a run over (mode, time).

    Raises:
        InvalidSetting: It is something else.
    """
    held = getattr(dataset, "variables", None)
    column = held.get("variance") if isinstance(held, Mapping) else None
    is_run = getattr(column, "dims", None) == ("mode", "time")
    check_is("dataset", dataset, is_run, "what eigendyn.simulate(loss) gives")


def check_pair(tree: Any) -> None:
    """Check that an argument is a theory with the networks that it was compared with.

    Raises:
        InvalidSetting: It is something else.
    """
    groups = set(getattr(tree, "children", None) or ())
    is_pair = {"theory", "agreement"} <= groups
    check_is("tree", tree, is_pair, "what eigendyn.crosscheck(loss) gives")


class Column(NamedTuple):
    """An array with the names of its axes, and what it is."""

    dims: tuple[str, ...]
    values: NDArray
    attrs: Mapping[str, Any]


def check_data(dataset: Any) -> None:
    """Check that an argument is data whose signal and noise were measured.

    Raises:
        InvalidSetting: It is something else.
    """
    held = getattr(dataset, "variables", None)
    signal = held.get("signal") if isinstance(held, Mapping) else None
    is_data = getattr(signal, "dims", None) == ("component",)
    check_is("data", dataset, is_data, "what eigendyn.data.from_inputs(x) gives")


def check_training(dataset: Any) -> None:
    """Check that an argument is the training of networks on images.

    Raises:
        InvalidSetting: It is something else.
    """
    held = getattr(dataset, "variables", None)
    names = {"variance": ("seed", "mode", "time"), "rankme": ("seed", "time")}
    is_training = isinstance(held, Mapping) and all(
        getattr(held.get(name), "dims", None) == dims for name, dims in names.items()
    )
    check_is("dataset", dataset, is_training, "what eigendyn.train(loss) gives")


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
