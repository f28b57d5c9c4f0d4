"""Build an explorer's panel of Jupyter widgets: sliders, buttons and the figure."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from html import escape
from typing import Any, Protocol

import ipywidgets
from ipympl.backend_nbagg import Canvas, FigureManager

from eigendyn.errors import EigendynError
from eigendyn.settings.choices import LOSS_NAMES
from eigendyn.show.notebook.blitting import Blitting
from eigendyn.show.page.controls import Control

LIVE = "eigendyn-live"  # class of the panel: its picture, which the notebook keeps, is not needed
HIDING = (
    f"<style>.jp-OutputArea-child:has(.{LIVE}) + .jp-OutputArea-child:has(.jp-RenderedImage) "
    "{ display: none; }</style>"
)
STILL = 0.3  # seconds without a move, after which fixed points are sought
HINT = "Click the plane to start a trajectory."


class _Explorer(Protocol):
    """What a panel asks of an explorer."""

    figure: Any
    picture: Any
    system: Any
    loss: Any
    parameters: dict[str, float]
    controls: dict[str, Control]

    @property
    def plane(self) -> Any: ...
    @property
    def code(self) -> str: ...
    @property
    def command_line(self) -> str: ...
    def set(self, name: str, value: float) -> None: ...
    def start(self, across: float, up: float) -> None: ...
    def choose(self, loss: Any) -> None: ...
    def reset(self) -> None: ...
    def find_rests(self) -> Any: ...
    def show_rests(self, found: Any) -> None: ...


class Panel:
    """The widgets of an explorer.

    Args:
        explorer: What the widgets act on.

    Attributes:
        widget: All of them.
        sliders: One for each parameter, by name.
        message: Where refusals and the last start are told.
        moves: What draws moves on the figure.
    """

    def __init__(self, explorer: _Explorer) -> None:
        self.explorer = explorer
        self.canvas = Canvas(explorer.figure)
        FigureManager(self.canvas, 0)
        self.canvas.header_visible = False
        self.canvas.mpl_connect("button_press_event", self._clicked)
        self.moves = Blitting(self.canvas, lambda: explorer.picture)
        self.sliders: dict[str, ipywidgets.FloatSlider] = {}
        self.message = ipywidgets.Label(HINT)
        self.copied = ipywidgets.Text(
            description="copy:", layout={"width": "100%", "display": "none"}
        )
        self.points = ipywidgets.HTML()
        self._box = ipywidgets.VBox()
        self._beside = ThreadPoolExecutor(1)
        self._waiting: asyncio.TimerHandle | None = None
        self._seeking: asyncio.Task | None = None
        self.rebuild()
        below = [self._buttons(), self.copied, self.message, self.points, ipywidgets.HTML(HIDING)]
        self.widget = ipywidgets.VBox([self._choices(), self.canvas, self._box, *below])
        self.widget.add_class(LIVE)

    def rebuild(self) -> None:
        """Make sliders for the parameters of the explorer's system."""
        controls = self.explorer.controls
        self.sliders = {name: self._slider(name, control) for name, control in controls.items()}
        self._box.children = tuple(self.sliders.values())

    def tell(self, table: str) -> None:
        """Write the table of fixed points below the plane."""
        self.points.value = f"<pre>{escape(table)}</pre>"

    def settle_later(self) -> None:
        """Find fixed points once nothing has moved for a moment, beside whatever moves then.

        Without an event loop nothing is seen before it is shown, and then they are found at once.
        """
        self.points.value = ""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = loop.call_later(STILL, self._settle)

    def _settle(self) -> None:
        self._seeking = asyncio.get_running_loop().create_task(self._seek())

    async def _seek(self) -> None:
        explorer = self.explorer
        asked = explorer.system, dict(explorer.parameters)
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._beside, explorer.find_rests)
        if asked == (explorer.system, explorer.parameters):  # nothing has moved meanwhile
            explorer.show_rests(found)

    def _slider(self, name: str, control: Control) -> ipywidgets.FloatSlider:
        slider = ipywidgets.FloatSlider(
            value=self.explorer.parameters[name],
            min=control.low,
            max=control.high,
            step=control.step,
            description=f"{control.symbol}  {control.label}",
            readout_format=".3f",
            style={"description_width": "240px"},
            layout={"width": "600px"},
        )
        slider.observe(lambda change: self._try(self.explorer.set, name, change["new"]), "value")
        return slider

    def _choices(self) -> ipywidgets.Dropdown:
        current = self.explorer.loss
        own = [] if isinstance(current, str) else [(current.name, current)]
        options = [*own, *((name, name) for name in LOSS_NAMES)]
        choice = ipywidgets.Dropdown(options=options, value=current, description="loss")
        choice.observe(lambda change: self._try(self.explorer.choose, change["new"]), "value")
        return choice

    def _buttons(self) -> ipywidgets.HBox:
        actions = {
            "reset": self._reset,
            "copy as code": lambda: self._show(self.explorer.code),
            "copy as command line": lambda: self._show(self.explorer.command_line),
        }
        buttons = []
        for description, action in actions.items():
            button = ipywidgets.Button(description=description, layout={"width": "auto"})
            button.on_click(lambda _, action=action: action())
            buttons.append(button)
        return ipywidgets.HBox(buttons)

    def _reset(self) -> None:
        self.explorer.reset()
        for name, slider in self.sliders.items():
            slider.value = self.explorer.parameters[name]
        self.message.value = HINT

    def _show(self, text: str) -> None:
        self.copied.value = text
        self.copied.layout.display = "flex"

    def _clicked(self, event: Any) -> None:
        if event.inaxes is self.explorer.plane:
            self._try(self.explorer.start, event.xdata, event.ydata)
            self.message.value = f"Trajectory from ({event.xdata:.3g}, {event.ydata:.3g})."

    def _try(self, act: Any, *arguments: Any) -> None:
        try:
            act(*arguments)
        except EigendynError as refusal:
            self.message.value = str(refusal)
