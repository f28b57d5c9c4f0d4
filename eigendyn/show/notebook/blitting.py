"""Redraw only what moves on a canvas, over a background that is kept."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.backend_bases import Event
from matplotlib.backends.backend_agg import FigureCanvasAgg

from eigendyn.show.notebook.exploration import Exploration


class Blitting:
    """Moves of a picture on a canvas.

    Text and axes take most of the time of a drawing, and stay as they are in most moves.

    Args:
        canvas: Where the picture is seen; it has a `blit`.
        picture: The picture as it stands.
    """

    def __init__(self, canvas: FigureCanvasAgg, picture: Callable[[], Exploration]) -> None:
        self._canvas = canvas
        self._picture = picture
        self._kept: tuple | None = None  # the background, and what it was drawn for
        canvas.mpl_connect("draw_event", self._drawn)

    def move(self) -> None:
        """Show the picture as it is now."""
        if self._kept is None or self._kept[1:] != self._needed():
            self._canvas.draw_idle()
            return
        self._canvas.restore_region(self._kept[0])
        self._draw()
        self._canvas.blit()

    def _drawn(self, _event: Event) -> None:
        """Keep the background that was just drawn, and draw over it."""
        self._kept = None
        if not self._canvas.is_saving():
            self._kept = (
                self._canvas.copy_from_bbox(self._canvas.figure.bbox),
                *self._needed(),
            )
            self._draw()

    def _draw(self) -> None:
        for artist in self._picture().moving:
            self._canvas.figure.draw_artist(artist)

    def _needed(self) -> tuple:
        """Which background is needed, on which pixels."""
        return self._canvas.get_renderer(), self._picture().background
