"""Draw maps: a quantity as colour over two dimensions, and theory on top of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.show.plot.borders import OF_START, borders
from eigendyn.show.plot.decades import label_decades
from eigendyn.show.plot.held import MODES, Held, is_words, label_of
from eigendyn.show.plot.panels import label_panels, panels
from eigendyn.show.plot.run_names import shared_words
from eigendyn.show.plot.shades import FEW, Shades, colours, is_log_spaced, scale, shades_of
from eigendyn.show.plot.shown import Shown
from eigendyn.show.plot.title import write_title

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_FACETS = 9  # values of a further dimension up to which each has axes of its own
NOT_KNOWN = "0.85"  # grey, where there is no number
THEORY: dict[str, Any] = {"color": "black", "lw": 1.4}
HALO: dict[str, Any] = {"color": "white", "lw": 3.0}


@dataclass(frozen=True, eq=False)
class Map:
    """What a map is of.

    Args:
        held: The result, cut to the dimensions of the map and of its facets.
        x: Name of what is across.
        y: Name of what is up.
        quantity: Name of what is colour.
        facet: Name of what tells the axes apart; None if there is one.
        said: What a title says of the places at which it was cut.
    """

    held: Held
    x: str
    y: str
    quantity: str
    facet: str | None
    said: Sequence[str]


def is_map(held: Held, asked: Shown) -> bool:
    """Whether what is asked for is a map: both axes are dimensions, or coordinates along them."""
    if asked.x is None or asked.y is None:
        return False
    x, y = held.column(asked.x), held.column(asked.y)
    return x.ndim == y.ndim == 1 and asked.y in (*held.dataset.dims, *held.dataset.coords)


def draw_map(
    held: Held,
    asked: Shown,
    usual_quantity: str,
    ax: Axes | None = None,
    figure: Figure | None = None,
) -> list[Axes]:
    """Draw a quantity as colour over two dimensions, for each value of a third.

    Args:
        held: The result.
        asked: What is asked for, `x` and `y` among it.
        usual_quantity: What is drawn where no quantity is asked for.
        ax: Axes to draw on; None takes a figure.
        figure: It; None opens one of pyplot.

    Returns:
        The axes, one for each facet.

    Raises:
        UnknownName: There is no such dimension or quantity.
        InvalidSetting: A quantity that does not change along both dimensions.
    """
    what = _cut(held.shown(asked), asked, asked.quantity or usual_quantity)
    column = what.held.column(what.quantity)
    x, y = (what.held.column(name) for name in (what.x, what.y))
    facets = [None] if what.facet is None else what.held.column(what.facet).values.tolist()
    named = label_of(what.facet) if what.facet else ""
    axes = panels(facets, ax, figure, named)
    shades = _shades(column)
    theory: list[str] = []
    for place, (facet, one) in enumerate(axes.items()):
        part = column if what.facet is None else column.isel({what.facet: place})
        _colour(one, x, y, part, shades)
        _axis(one, "x", x)
        _axis(one, "y", y)
        at = {} if what.facet is None else {what.facet: facet}
        theory += _draw_theory(one, what, at)
        if what.facet is not None:
            words = facet if isinstance(facet, str) else f"{named} {facet:.4g}"
            write_title(one, [words])
    drawn = list(axes.values())
    label_panels(drawn, label_of(what.x, x), label_of(what.y, y))
    _name(drawn, label_of(what.quantity, column), column, shades, theory)
    said = ", ".join(filter(None, [shared_words([held.dataset]), *what.said]))
    if len(drawn) == 1:
        write_title(drawn[0], [said] if said else [])
    elif said:
        drawn[0].figure.suptitle(said, fontsize="medium")  # pyright: ignore[reportAttributeAccessIssue]
    return drawn


def _cut(held: Held, asked: Shown, quantity: str) -> Map:
    """Cut a result to two dimensions and one that tells axes apart."""
    assert asked.x is not None and asked.y is not None
    column, said = held.column(quantity), []
    over = {dim for name in (asked.x, asked.y) for dim in held.column(name).dims}
    missing = [dim for dim in over if dim not in column.dims]
    if missing or asked.color is not None:
        what = (
            f"{quantity} does not change along {missing[0]}, so that there is no map of it"
            if missing
            else "A map is coloured by its quantity"
        )
        message = f"{what}. Try another `quantity`, as one of {_choices(held, over)}."
        raise InvalidSetting(message)
    dataset, facet = held.dataset, asked.facet
    if facet is not None:
        facet = str(held.column(facet).dims[0]) if held.column(facet).ndim else facet
    rest = [dim for dim in column.dims if dim not in over and dim != facet]
    for name in asked.held:
        if name in dataset.coords and dataset[name].ndim == 0:
            said.append(_said(name, dataset[name].values.item()))
    for dim in rest:
        if facet is None and 1 < dataset.sizes[dim] <= MOST_FACETS:
            facet = str(dim)
            continue
        last = -1 if dim in MODES else 0
        if dim in dataset.coords:
            said.append(_said(str(dim), dataset[dim].values[last].item()))
        dataset = dataset.isel({dim: last})
    if facet is not None and facet not in dataset.coords:
        dataset = dataset.assign_coords({facet: range(dataset.sizes[facet])})
    return Map(Held(held.name, dataset), asked.x, asked.y, quantity, facet, said)


def _choices(held: Held, over: set[Any]) -> str:
    fitting = [name for name, one in held.columns.items() if over <= set(one.dims)]
    return ", ".join(fitting) or "none"


def _said(name: str, value: Any) -> str:
    label = label_of(name)
    return str(value) if isinstance(value, str) else f"{label} {value:.4g}"


def _shades(column: xarray.DataArray) -> Shades:
    """Colours of a map: words and few whole numbers have each their own."""
    if is_words(column):
        return shades_of([str(one) for one in np.unique(column.values) if str(one)])
    values = column.values.astype(float)
    finite = np.unique(values[np.isfinite(values)])
    if len(finite) <= FEW and (finite == finite.round()).all():
        return shades_of(finite.tolist())
    return Shades({}, colours(), scale(finite))


def _colour(
    ax: Axes, x: xarray.DataArray, y: xarray.DataArray, part: xarray.DataArray, shades: Shades
) -> None:
    """Colour the plane: cells of a grid, or points where both are coordinates of one dimension."""
    codes, look = _codes(part, shades)
    if x.dims == y.dims:
        ax.scatter(x.values, y.values, c=codes, s=9, lw=0, **look)
        return
    order = [part.dims.index(y.dims[0]), part.dims.index(x.dims[0])]
    cells = np.transpose(codes, order)
    ax.set_facecolor(NOT_KNOWN)
    ax.pcolormesh(_edges(x.values), _edges(y.values), cells, rasterized=True, **look)


def _codes(part: xarray.DataArray, shades: Shades) -> tuple[NDArray, dict[str, Any]]:
    """Numbers of a map, and how matplotlib makes colours of them."""
    if not shades.own:
        values = np.ma.masked_invalid(part.values.astype(float))
        return values, {"cmap": shades.colormap, "norm": shades.norm}
    known = list(shades.own)
    values = part.values.astype(str) if is_words(part) else part.values.astype(float)
    codes = np.ma.masked_all(values.shape)
    for place, one in enumerate(known):
        codes[values == one] = place
    colormap = ListedColormap(list(shades.own.values()))
    edges = np.arange(len(known) + 1) - 0.5
    return codes, {"cmap": colormap, "norm": BoundaryNorm(edges, len(known))}


def _edges(places: NDArray) -> NDArray:
    """Edges (places + 1,) of cells around places; half way in logarithms where these are even."""
    if places.dtype.kind in "UOT":
        return np.arange(len(places) + 1) - 0.5
    if len(places) == 1:
        return places[0] + np.array([-0.5, 0.5])
    if is_log_spaced(places):
        return np.exp(_edges(np.log(places)))
    middle = (places[1:] + places[:-1]) / 2
    return np.concatenate([[2 * places[0] - middle[0]], middle, [2 * places[-1] - middle[-1]]])


def _axis(ax: Axes, which: str, places: xarray.DataArray) -> None:
    axis = ax.xaxis if which == "x" else ax.yaxis
    values = places.values
    if is_words(places):
        axis.set_ticks(range(len(values)), [str(one) for one in values])
    elif is_log_spaced(np.sort(values)):
        (ax.set_xscale if which == "x" else ax.set_yscale)("log")
        label_decades(axis)
    elif places.dtype.kind in "iu":
        axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _draw_theory(ax: Axes, what: Map, at: dict[str, Any]) -> list[str]:
    """Draw the borders of the theory over the plane, as far as it goes, and say which."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    seen = []
    for words, x, y in borders(what.held.dataset, what.x, what.y, at):
        if ((x >= left) & (x <= right) & (y >= bottom) & (y <= top)).any():
            ax.plot(x, y, **HALO)
            ax.plot(x, y, ls=_style(words), **THEORY)
            seen.append(words)
    ax.set(xlim=(left, right), ylim=(bottom, top))
    return seen


def _style(words: str) -> str:
    return "--" if words == OF_START else "-"


def _name(
    axes: Sequence[Axes], label: str, column: xarray.DataArray, shades: Shades, theory: list[str]
) -> None:
    """A legend of colours, or a bar, and of the theory's curve."""
    handles: list[Any] = []
    if shades.own:
        words = [one if isinstance(one, str) else f"{one:g}" for one in shades.own]
        handles = [Patch(color=c, label=w) for w, c in zip(words, shades.own.values(), strict=True)]
    else:
        bar = ScalarMappable(shades.norm, shades.colormap)
        axes[0].figure.colorbar(bar, ax=list(axes), label=label)
    has_gaps = not is_words(column) and bool(np.isnan(column.values.astype(float)).any())
    if has_gaps:
        handles.append(Patch(color=NOT_KNOWN, label="none"))
    for words in dict.fromkeys(theory):
        handles.append(Line2D([], [], label=words, ls=_style(words), **THEORY))
    if not handles:
        return
    where: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.02, 0.5)}
    if not shades.own:
        where = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.2), "ncols": 2}
    title = label if shades.own else None
    axes[-1].legend(handles=handles, title=title, fontsize="small", frameon=False, **where)
