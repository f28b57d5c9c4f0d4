"""Draw whatever a file of results holds: say what it is, and which picture belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from eigendyn.analysis.bifurcations.diagram_data import curves_of, diagram_of
from eigendyn.errors import InvalidSetting
from eigendyn.recording.record import KIND as RECORD
from eigendyn.show.paper.figure import draw_again, is_figure
from eigendyn.show.plot.agreement import save_agreement_picture
from eigendyn.show.plot.agreement_on_data import save_data_picture
from eigendyn.show.plot.bifurcation import bifurcation_figure
from eigendyn.show.plot.collapse import save_verdicts
from eigendyn.show.plot.components import save_components
from eigendyn.show.plot.ensemble import OF_TRAJECTORIES, USUAL_OF_ENSEMBLE, save_ensemble_picture
from eigendyn.show.plot.fit import OF_REST, save_fit_picture
from eigendyn.show.plot.lines import Usual
from eigendyn.show.plot.picture import save_figure
from eigendyn.show.plot.record import save_record_picture
from eigendyn.show.plot.spectrum import USUAL_OF_RUN, save_picture
from eigendyn.show.plot.sweep import is_sweep, save_sweep_picture
from eigendyn.show.plot.training import save_training_picture

if TYPE_CHECKING:
    import xarray

Result = Any  # a Dataset or a DataTree, as `load` reads them


class Kind(NamedTuple):
    """A kind of result that can be drawn.

    Args:
        words: What it is.
        fits: Whether a result is one.
        draw: Draws it into a file, which is replaced if the last argument says so.
        usual: What is drawn of it where several are in one picture; None if it stands alone.
        groups: Groups of a tree that are drawn then, and their names.
    """

    words: str
    fits: Callable[[Result], bool]
    draw: Callable[[Any, Path, bool], object]
    usual: Usual | None = None
    groups: Mapping[str, str] = MappingProxyType({})


def _with_axes(**axes: tuple[str, ...]) -> Callable[[Result], bool]:
    """Is it a dataset whose variables of these names have these axes?"""

    def fits(result: Result) -> bool:
        held = result.variables
        return all(name in held and held[name].dims == dims for name, dims in axes.items())

    return fits


def _with_groups(*names: str) -> Callable[[Result], bool]:
    """Is it a tree that has these groups?"""
    return lambda result: set(names) <= set(getattr(result, "children", ()))


def _save_bifurcation(dataset: xarray.Dataset, path: Path, force: bool) -> None:
    curves = curves_of(dataset)
    seconds = [value for curve in curves for value in curve.second]
    between = (min(seconds), max(seconds)) if seconds else None
    save_figure(bifurcation_figure(diagram_of(dataset), curves, between), path, force)


def _is_record(result: Result) -> bool:
    return result.attrs.get("kind") == RECORD


def _is_run(result: Result) -> bool:
    return _with_axes(variance=("mode", "time"))(result) and not _is_record(result)


DOTS = ("agreement", "descent")  # groups of measurements
SIDES = {"theory": "theory", "agreement": "networks"}
SIDES_ON_DATA = {"aligned": "aligned modes", "matrix": "matrix", "descent": "networks"}
OF_MODES = Usual("time", "variance", "mode")

KINDS = (
    Kind("a sweep", is_sweep, save_sweep_picture),
    Kind("a fit", _with_axes(forecast=OF_REST), save_fit_picture),
    Kind("a run of simulate", _is_run, save_picture, USUAL_OF_RUN),
    Kind(
        "an ensemble",
        _with_axes(singular_value=OF_TRAJECTORIES),
        save_ensemble_picture,
        USUAL_OF_ENSEMBLE,
    ),
    Kind(
        "a cross-check on data",
        _with_groups("aligned", "descent"),
        save_data_picture,
        OF_MODES._replace(quantity="eigenvalue"),
        SIDES_ON_DATA,
    ),
    Kind(
        "a cross-check",
        _with_groups("theory", "agreement"),
        save_agreement_picture,
        OF_MODES,
        SIDES,
    ),
    Kind(
        "measured data",
        _with_axes(signal=("component",)),
        save_components,
        Usual("component", "signal", ""),
    ),
    Kind("a diagnosis", _with_axes(verdict=("change", "mode")), save_verdicts),
    Kind("branches of a bifurcation", _with_axes(stability=("point",)), _save_bifurcation),
    Kind(
        "a training on images",
        _with_axes(variance=("seed", "mode", "time"), rankme=("seed", "time")),
        save_training_picture,
        OF_MODES._replace(x="epoch"),
    ),
    Kind("a recorded spectrum", _is_record, save_record_picture, OF_MODES._replace(x="step")),
    Kind("the numbers of a figure", is_figure, draw_again),
)


def kind_of(result: xarray.Dataset | xarray.DataTree) -> Kind:
    """Say what a result is.

    Args:
        result: What `load` has read.

    Raises:
        InvalidSetting: There is no picture of such a result.
    """
    found = [kind for kind in KINDS if kind.fits(result)]
    if found:
        return found[0]
    title = result.attrs.get("title") or "it has no title"
    known = f"{', '.join(kind.words for kind in KINDS[:-1])} or {KINDS[-1].words}"
    message = f"A file that is drawn must hold {known}; this one does not ({title})."
    raise InvalidSetting(message)
