"""Keep matplotlib from writing docstrings, which is a third of the time that its import takes."""

from __future__ import annotations

from typing import Any

from matplotlib.artist import Artist
from matplotlib.cbook import normalize_kwargs


def skip_docstrings() -> None:
    """Let classes of matplotlib that are imported from here on share one method `set`.

    Each would write its own, with all its properties in signature and docstring, for those who read
    them in a session of Python. A program that draws one picture and ends has no such reader. A
    class whose parent defines a `set` itself keeps that.
    """
    Artist.set = _set


def _set(self: Artist, **properties: Any) -> list:
    """Set several properties, whose names may be short ones, at once."""
    return self.update(normalize_kwargs(properties, self))
