"""Draw a sweep: a map of what became of modes over two parameters, or lines over one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from eigendyn.results.files import check_output
from eigendyn.settings.checks import check_is
from eigendyn.settings.choices import PICTURE_SUFFIXES
from eigendyn.settings.keywords import takes
from eigendyn.show.plot.draw_lines import draw_lines
from eigendyn.show.plot.held import MODES, Held, is_words
from eigendyn.show.plot.lines import Usual
from eigendyn.show.plot.maps import draw_map, is_map
from eigendyn.show.plot.panels import new_figure, one_or_all
from eigendyn.show.plot.picture import save_figure
from eigendyn.show.plot.shown import GivenShown, Shown, shown
from eigendyn.show.plot.style import style

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KIND = "a sweep"  # as its attribute says
SAMPLE = "sample"  # dimension of a design that is no grid
OF_ALL = ("recruited", "outcome", "final_variance")  # of a map: the first one that there is
OF_ONE = ("outcome", "final_variance")  # of a map of one mode


def is_sweep(dataset: Any) -> bool:
    """Whether a result is a sweep."""
    return getattr(dataset, "attrs", {}).get("kind") == KIND


@takes(shown)
def plot_sweep(dataset: xarray.Dataset, ax: Axes | None = None, **show: Unpack[GivenShown]) -> Any:
    """Draw what became of modes over the parameters that were swept.

    Over two of them it is a map, with the saddle-node of the theory on top where it is known: in
    closed form for weight decay over noise under the Euclidean losses, by continuation elsewhere if
    modes do not feel each other. Over one, or where `y` is a quantity, it is lines.

    Args:
        dataset: A sweep.
        ax: Axes to draw on; None opens a pyplot figure.
        show: `x` and `y`, names of dimensions, or of a quantity as `y`; None takes the first ones
            that have numbers. `quantity`, the colour of a map; None is the number of recruited
            modes, of one mode its outcome. `mode`, which modes. `held`, by dimension, the value at
            which it is cut. `facet`, the dimension whose values have axes of their own; None is
            one with few values, if there are more than two. `color`, of lines.

    Returns:
        The axes; a list of them where there are several.

    Raises:
        UnknownName: The sweep has no such dimension or quantity.
        InvalidSetting: It is no sweep, or a quantity that does not change along the axes.

    Source: derivations/bifurcations.py, the saddle-node ω = 1/(4(1 + σ1²)) of the Euclidean loss
    and the transcritical ω = 1 of the isotropic one.

    Examples:
        >>> decays = np.linspace(0, 0.3, 4)
        >>> swept = eigendyn.sweep("euclidean", [0.3, 1.0], weight_decay=decays, store="decay.zarr")
        >>> swept.recruited.values.tolist()
        [1, 1, 1, 0]
        >>> ax = eigendyn.plot.sweep(swept)
        >>> ax.get_xlabel()
        'weight decay ω'
    """
    check_is("dataset", dataset, is_sweep(dataset), "what eigendyn.sweep(…) gives")
    asked = shown(**show)
    return one_or_all(draw_sweep(Held("", dataset), asked, ax), asked)


def draw_sweep(
    held: Held, asked: Shown, ax: Axes | None = None, figure: Figure | None = None
) -> list[Axes]:
    """Do what `plot_sweep` does, and give all axes; other arguments are those of `draw_lines`."""
    data = held.shown(asked).dataset
    over = [name for name in _swept(data) if not is_words(data[name]) and data[name].size > 1]
    over = over or _swept(data)
    names = [asked.x, asked.y]
    free = [name for name in over if name not in (*names, asked.facet, asked.color)]
    if asked.x is None and free:
        asked = replace(asked, x=free.pop(0))
    if asked.y is None and asked.color is None and free:
        asked = replace(asked, y=free.pop(0))
    if is_map(held, asked):
        one = len(asked.modes) == 1 or data.sizes.get("mode", 1) == 1
        known = [name for name in (OF_ONE if one else OF_ALL) if name in data]
        return draw_map(held, asked, known[0] if known else str(next(iter(data))), ax, figure)
    if asked.facet is None:
        words = [name for name in _swept(data) if is_words(data[name]) and data[name].size > 1]
        left = [name for name in words if name not in (asked.x, asked.color)]
        asked = replace(asked, facet=left[0] if left else None)
    usual = Usual(asked.x or over[0], "final_variance", "mode" if "mode" in data.dims else "")
    return draw_lines([held], asked, usual, ax, figure)


def _swept(dataset: xarray.Dataset) -> list[str]:
    """Names of what was swept: dimensions, or coordinates of the samples of a design."""
    if SAMPLE in dataset.dims:
        along = [str(name) for name, one in dataset.coords.items() if one.dims == (SAMPLE,)]
        return [name for name in along if name != SAMPLE]
    return [str(dim) for dim in dataset.dims if dim not in MODES and dim in dataset.coords]


def save_sweep_picture(dataset: xarray.Dataset, path: str | Path, force: bool = False) -> Path:
    """Draw it into a file, as `save_figure` writes it."""
    check_output(path, PICTURE_SUFFIXES, force)
    with style():
        figure = new_figure()
        draw_sweep(Held("", dataset), Shown(), figure=figure)
        return save_figure(figure, path, force)
