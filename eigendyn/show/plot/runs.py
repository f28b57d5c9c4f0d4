"""Draw several results in one picture, or something else than usual of one, whatever they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from eigendyn.errors import InvalidSetting, as_given
from eigendyn.results.files import check_output
from eigendyn.results.labelled import Labelled
from eigendyn.settings.choices import PICTURE_SUFFIXES
from eigendyn.settings.keywords import takes
from eigendyn.show.plot.drawn import draw_held
from eigendyn.show.plot.held import Held
from eigendyn.show.plot.panels import new_figure, one_or_all
from eigendyn.show.plot.picture import save_figure
from eigendyn.show.plot.run_names import run_names
from eigendyn.show.plot.shown import GivenShown, Shown, shown
from eigendyn.show.plot.style import style
from eigendyn.show.plot.sweep import draw_sweep, is_sweep
from eigendyn.show.saved import DOTS, Kind, kind_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Results = Sequence[Any] | Mapping[str, Any]


@takes(shown)
def plot_runs(results: Results, ax: Axes | None = None, **show: Unpack[GivenShown]) -> Any:
    """Draw several results in one picture: the same modes under different losses or settings.

    Each is named by its loss and by the settings in which they differ, and has a colour, unless
    `color` says what else has; runs are then told apart by the style of their lines. Names are
    those of the Dataset: its dimensions, its coordinates and its quantities, and with them
    `initial_variance` and `final_variance` of a mode, and the numbers of the settings. Over
    trajectories and seeds a line is the median, with a band.

    Args:
        results: Runs of `simulate`, records, ensembles, trainings, cross-checks or measured data,
            as `simulate` and other functions return them or `load` reads them; by their names, or
            in a list.
        ax: Axes to draw on; None opens a pyplot figure.
        show: `x`, along the horizontal axis; None is time, of a record the step. `y`, or
            `quantity`, along the vertical one; None is the variance. `color`, what lines are
            coloured by; None is the run. `facet`, what has axes of its own; None is nothing.
            `mode`, which modes; None is all of them. `held`, by dimension, the value at which it
            is cut. With dimensions as `x` and `y`, `quantity` is the colour of a map.

    Returns:
        The axes; with `facet` a list of them.

    Raises:
        UnknownName: A result has no such dimension or quantity.
        InvalidSetting: There is none, one of another kind, or names that are no line together.

    Examples:
        >>> losses, start = ("euclidean", "iso-euclidean"), [0.05, 0.3, 1.0]
        >>> runs = [eigendyn.simulate(loss, start) for loss in losses]
        >>> ax = eigendyn.plot.runs(runs, mode=[0])
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['euclidean', 'iso-euclidean']
    """
    names, every = None, results
    if isinstance(results, Mapping) and not hasattr(results, "attrs"):
        names, every = list(results), list(results.values())
    if not isinstance(every, Sequence) or isinstance(every, str) or not every:
        message = (
            "results must be runs in a list, or by their names, not "
            f"{as_given(results)}. Try eigendyn.plot.runs([one, other])."
        )
        raise InvalidSetting(message)
    asked = shown(**show)
    return one_or_all(draw_results(every, asked, names, ax=ax), asked)


def draw_results(
    results: Sequence[Any],
    asked: Shown,
    names: Sequence[str] | None = None,
    otherwise: Sequence[str] = (),
    ax: Axes | None = None,
    figure: Figure | None = None,
) -> list[Axes]:
    """Do what `plot_runs` does, and give all axes.

    Args:
        results: What is drawn.
        asked: What of it.
        names: Names of the results; None takes what tells them apart.
        otherwise: Names where that does not.
        ax: Axes to draw on; None takes a figure.
        figure: It; None opens one of pyplot.
    """
    every = [one.to_xarray() if isinstance(one, Labelled) else one for one in results]
    kinds = [kind_of(one) for one in every]
    plain = list(otherwise) or [f"{place}" for place in range(1, len(every) + 1)]
    if len(every) == 1:
        found = [names[0] if names else ""]
    else:
        found = list(names or run_names([_whole(one) for one in every], plain))
    if len(every) == 1 and is_sweep(every[0]):
        return draw_sweep(Held("", every[0]), asked, ax, figure)
    for kind in kinds:
        if kind.usual is None:
            what = "is drawn alone" if len(every) > 1 else "is drawn as a whole"
            hint = "" if asked.is_usual else f" Leave out {' and '.join(_flags(asked))}."
            message = f"{kind.words.capitalize()} {what}, and not beside others or in part.{hint}"
            raise InvalidSetting(message)
    held = [one for row in zip(every, kinds, found, strict=True) for one in _held(*row)]
    usual = kinds[0].usual
    assert usual is not None
    if any(usual.x not in one.columns for one in held):
        usual = usual._replace(x="time")
    return draw_held(held, asked, usual, ax, figure)


def _flags(asked: Shown) -> list[str]:
    return [f"`{name}`" for name in asked.given]


def _held(result: Any, kind: Kind, name: str) -> list[Held]:
    """What is drawn of a result: of a cross-check both sides."""
    if not kind.groups:
        return [Held(name, result)]
    return [
        Held(f"{name}, {words}" if name else words, result[group].to_dataset(), group in DOTS)
        for group, words in kind.groups.items()
        if group in result.children
    ]


def _whole(result: Any) -> Any:
    """What carries the settings of a result: of a cross-check its theory."""
    children = getattr(result, "children", {})
    first = next((name for name in ("theory", "aligned") if name in children), None)
    return result if first is None else result[first]


def save_results_picture(
    results: Sequence[Any],
    asked: Shown,
    names: Sequence[str],
    path: str | Path,
    force: bool = False,
) -> Path:
    """Draw them into a file, as `save_figure` writes it; names are those where settings agree."""
    check_output(path, PICTURE_SUFFIXES, force)
    with style():
        figure = new_figure()
        draw_results(results, asked, otherwise=names, figure=figure)
        return save_figure(figure, path, force)
