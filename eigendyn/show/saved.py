"""Draw whatever a file of results holds: say what it is, and which picture belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from eigendyn.analysis.bifurcations.diagram_data import curves_of, diagram_of
from eigendyn.errors import InvalidSetting
from eigendyn.show.plot.agreement import save_agreement_picture
from eigendyn.show.plot.agreement_on_data import save_data_picture
from eigendyn.show.plot.bifurcation import bifurcation_figure
from eigendyn.show.plot.collapse import save_verdicts
from eigendyn.show.plot.components import save_components
from eigendyn.show.plot.ensemble import OF_TRAJECTORIES, save_ensemble_picture
from eigendyn.show.plot.picture import save_figure
from eigendyn.show.plot.spectrum import save_picture
from eigendyn.show.plot.training import save_training_picture

if TYPE_CHECKING:
    import xarray

Draw = Callable[[Any, Path, bool], object]


class Kind(NamedTuple):
    """A kind of result that can be drawn.

    Args:
        words: What it is.
        marks: Groups of a tree, or axes by the name of a variable, by which it is known.
        draw: Draws it into a file, which is replaced if the last argument says so.
    """

    words: str
    marks: frozenset[str] | dict[str, tuple[str, ...]]
    draw: Draw


def _save_bifurcation(dataset: xarray.Dataset, path: Path, force: bool) -> None:
    curves = curves_of(dataset)
    seconds = [value for curve in curves for value in curve.second]
    between = (min(seconds), max(seconds)) if seconds else None
    save_figure(bifurcation_figure(diagram_of(dataset), curves, between), path, force)


KINDS = (
    Kind("a run of simulate", {"variance": ("mode", "time")}, save_picture),
    Kind("an ensemble", {"singular_value": OF_TRAJECTORIES}, save_ensemble_picture),
    Kind("a cross-check on data", frozenset({"aligned", "descent"}), save_data_picture),
    Kind("a cross-check", frozenset({"theory", "agreement"}), save_agreement_picture),
    Kind("measured data", {"signal": ("component",)}, save_components),
    Kind("a diagnosis", {"verdict": ("change", "mode")}, save_verdicts),
    Kind("branches of a bifurcation", {"stability": ("point",)}, _save_bifurcation),
    Kind(
        "a training on images",
        {"variance": ("seed", "mode", "time"), "rankme": ("seed", "time")},
        save_training_picture,
    ),
)


def kind_of(result: xarray.Dataset | xarray.DataTree) -> Kind:
    """Say what a result is.

    Args:
        result: What `load` has read.

    Raises:
        InvalidSetting: There is no picture of such a result.
    """
    groups, held = set(getattr(result, "children", ())), result.variables
    for kind in KINDS:
        if isinstance(kind.marks, frozenset):
            is_right = kind.marks <= groups
        else:
            is_right = all(
                name in held and held[name].dims == dims for name, dims in kind.marks.items()
            )
        if is_right:
            return kind
    title = result.attrs.get("title") or "it has no title"
    known = f"{', '.join(kind.words for kind in KINDS[:-1])} or {KINDS[-1].words}"
    message = f"A file that is drawn must hold {known}; this one does not ({title})."
    raise InvalidSetting(message)
