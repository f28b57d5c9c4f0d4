"""Explore a loss in Jupyter with sliders, and as a picture elsewhere."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Unpack

from eigendyn.analysis.plane.axes import axes, usual_starts
from eigendyn.analysis.plane.explored import explored_system
from eigendyn.analysis.plane.motion import Motion
from eigendyn.analysis.plane.portrait import Rests, rests
from eigendyn.analysis.system import DynamicalSystem
from eigendyn.errors import InvalidSetting
from eigendyn.settings.choices import check_choice
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.parameters import PER_MODE
from eigendyn.settings.run_settings import Settings, with_closure_accuracy
from eigendyn.show.notebook.exploration import POINTS, Exploration, as_png, new_figure
from eigendyn.show.page.command import command_options, plain
from eigendyn.show.page.controls import Control, controls
from eigendyn.show.report.phase import table
from eigendyn.theory.losses import SymbolicLoss

ACCURACY = 1e-4  # of an exact closure's quadrature, so that a move takes less than 0.1 s
STARTS = 128  # of the search for fixed points: they are found within a second
STATIC = (
    "A picture, since ipywidgets and ipympl are not installed. For sliders and clicks: "
    "pip install 'eigendyn[notebook]'."
)


@takes(Settings)
def explore(loss: str | SymbolicLoss = "cosine", **settings: Unpack[GivenSettings]) -> Explorer:
    """Explore the dynamics of a loss by hand, in Jupyter.

    Sliders move every parameter, a click on the plane starts a trajectory, and its time course is
    drawn beside it. Without widgets it is a picture, which `set`, `start` and `reset` change.

    Args:
        loss: Name of a loss, or a loss of your own.
        settings: Fields of `Settings`; learning rate × steps is the time that trajectories take.

    Returns:
        The explorer; Jupyter shows it as the last line of a cell.

    Raises:
        InvalidSetting: More than two states in a mode, or a plane on which nothing moves.
        The errors of `simulate` otherwise.

    Examples:
        >>> explorer = eigendyn.explore("euclidean", weight_decay=0.15)
        >>> explorer.set("weight_decay", 0.2)
        >>> print(explorer.command_line)
        eigendyn explore --loss euclidean --weight-decay 0.2
    """
    return Explorer(loss, **settings)


class Explorer:
    """A plane that is explored by hand; see `explore`.

    Attributes:
        system: The dynamical system that is shown.
        parameters: Its numbers by name, as they stand.
        starts: Points of the plane at which trajectories start.
        rests: Fixed points; None while they are not known, after a move.
        figure: The one figure, updated and never replaced.
        picture: What it shows.
        widget: Sliders, buttons and figure; None where there are no widgets.
    """

    def __init__(self, loss: str | SymbolicLoss = "cosine", **settings: Any) -> None:
        self.figure = new_figure()
        self.widget = None
        self.rests: Rests | None = None
        self._kept: Any = None  # the picture that the notebook keeps
        self._settings = settings
        self._panel = None
        self._choose(loss)
        with suppress(ImportError):  # without widgets it is a picture
            from eigendyn.show.notebook.panel import Panel

            self._panel = Panel(self)
            self.widget = self._panel.widget

    @property
    def plane(self) -> Any:
        """The axes of the plane."""
        return self.picture.plane

    def set(self, name: str, value: float) -> None:
        """Give a parameter another value; everything shown follows.

        Raises:
            UnknownName: The system has no such parameter.
            InvalidSetting: The value is outside of the slider's range.
        """
        control = self.controls[check_choice("parameter", name, self.controls)]
        if not control.low <= value <= control.high:
            message = f"{name} must lie in {control.low:g}…{control.high:g}, not {value:g}."
            raise InvalidSetting(message)
        self.parameters[name] = float(value)
        self._move()

    def start(self, across: float, up: float) -> None:
        """Start a trajectory at a point of the plane.

        Raises:
            InvalidSetting: The point is not on the plane.
        """
        tops = [axis.top for axis in self._motion.axes]
        if not (0 <= across <= tops[0] and 0 <= up <= tops[1]):
            message = (
                f"A start must lie on the plane, 0…{tops[0]:.3g} across and 0…{tops[1]:.3g} up, "
                f"not at ({across:g}, {up:g})."
            )
            raise InvalidSetting(message)
        self.starts.append((float(across), float(up)))
        self._follow()
        self._fit()

    def choose(self, loss: str | SymbolicLoss) -> None:
        """Show another loss, with the same settings."""
        self._choose(loss)
        if self._panel is not None:
            self._panel.rebuild()

    def reset(self) -> None:
        """Go back to the parameters and trajectories of the beginning."""
        self.parameters = dict(self.system.parameters)
        self.starts = usual_starts(self._motion.axes)
        self._move()
        self._fit()

    def settle(self) -> None:
        """Find the fixed points of the parameters as they stand, and show them."""
        self.show_rests(self.find_rests())

    def find_rests(self) -> Rests:
        """Find the fixed points, which takes longer than a move."""
        return rests(self._motion, dict(self.parameters), STARTS)

    def show_rests(self, found: Rests) -> None:
        """Show these fixed points: filled if stable, open if unstable, half filled if saddles."""
        self.rests = found
        self.picture.rest(found)
        if self._panel is not None:
            self._panel.tell(table((self._motion, found)))
        self._fit()
        if self._kept is not None:
            self._kept.update(self._repr_mimebundle_(), raw=True)

    @property
    def code(self) -> str:
        """Python that makes this explorer."""
        return f"eigendyn.explore({self._arguments()})"

    @property
    def command_line(self) -> str:
        """A command that writes the same explorer as a page."""
        chosen = []
        for name, control in self.controls.items():
            value = plain(self.parameters[name])
            if control.option == "--param":
                chosen.append(f"--param {name}={value}")
            elif self.parameters[name] != control.default:
                chosen.append(f"{control.option} {value}")
        is_named = isinstance(self.loss, str)
        return " ".join(["eigendyn explore", command_options(self.system, is_named), *chosen])

    def _arguments(self) -> str:
        named = self.loss if isinstance(self.loss, str) else self.loss.name
        own = dict(self.system.dynamics.parameters)
        changed = {
            name: value
            for name, value in self.parameters.items()
            if name in self.controls and name not in own
            if value != self.system.parameters[name]
        }
        given = {**self._settings, **changed}
        written = (
            f"{name}={plain(value) if isinstance(value, float) else repr(value)}"
            for name, value in given.items()
        )
        return ", ".join([repr(named), *written])

    def _choose(self, loss: str | SymbolicLoss) -> None:
        settings = with_closure_accuracy(self._settings, ACCURACY)
        system, dynamics = explored_system(loss, **settings)
        self.loss = loss
        self.system: DynamicalSystem = system
        sliders = controls(system.parameters, dict(system.dynamics.parameters), system.modes)
        # what modes have each for themselves stays as it was given
        self.controls: dict[str, Control] = {
            name: each[0] for name, each in sliders.items() if name not in PER_MODE
        }
        self._motion = Motion(system, axes(system, dynamics))
        self._motion.compile_ahead()
        self._points = self._motion.grid(POINTS)
        self.picture = Exploration(
            self.figure,
            self._motion.axes,
            self._points,
            system.settings.duration,
            system.title({}, without=system.parameters),
        )
        self.reset()

    def _move(self) -> None:
        rates = self._motion.rates(*self._points, self.parameters)
        self.picture.move(rates, self._motion.nullclines(*self._points, rates, self.parameters))
        if self.rests is not None:
            self.rests = None
            self.picture.rest(None)
        self._follow()
        if self._panel is not None:
            self._panel.settle_later()

    def _follow(self) -> None:
        duration = self.system.settings.duration
        self._paths = self._motion.trajectories(self.starts, self.parameters, duration)
        self.picture.follow(self._paths)
        if self._panel is not None:
            self._panel.moves.move()

    def _fit(self) -> None:
        self.picture.fit(self._paths)
        if self._panel is not None:
            self._panel.moves.move()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if self.rests is None:
            self.settle()
        picture = {"image/png": as_png(self.figure)}
        return {"text/plain": STATIC if self.widget is None else "", **picture}

    def _ipython_display_(self) -> None:
        """Show the widgets and, where a notebook is read without them, the picture."""
        from IPython.display import display

        if self.widget is not None:
            display(self.widget)
        self._kept = None
        self._kept = display(self._repr_mimebundle_(), raw=True, display_id=True)
