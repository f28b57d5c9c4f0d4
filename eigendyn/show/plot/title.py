"""Write a title above axes in as many lines as it needs, none wider than the axes."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap
from typing import TYPE_CHECKING

from matplotlib.font_manager import FontProperties

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 0.56  # of a letter, in sizes
FEWEST = 12  # letters of a line, however narrow the axes
MOST_LINES = 6  # of one sentence; what is longer ends in "…"
SIZE = "medium"
TIED = "\xa0"  # a space that is no place to break a line


def write_title(ax: Axes, sentences: Iterable[str]) -> int:
    """Write sentences above axes, each from a line of its own.

    Args:
        ax: Axes, on a figure of its final size.
        sentences: What to write; a written loss may be long.

    Returns:
        The number of lines.
    """
    figure = ax.figure.get_figure(root=True)
    inches = ax.get_position(original=True).width * (figure.get_size_inches()[0] if figure else 1)
    points = FontProperties(size=SIZE).get_size_in_points()
    letters = max(FEWEST, int(72 * inches / (WIDTH * points)))
    lines = [line for sentence in sentences for line in _lines(sentence, letters)]
    ax.set_title("\n".join(lines), fontsize=SIZE)
    return len(lines)


def _lines(sentence: str, letters: int) -> list[str]:
    """Break a sentence after its commas, and within a part of it only where that is too long."""
    parts = [  # each with its comma
        part if len(part) >= letters else part.replace(" ", TIED) for part in sentence.split(", ")
    ]
    found = wrap(
        ", ".join(parts),
        letters,
        max_lines=MOST_LINES,
        placeholder=" …",
        break_on_hyphens=False,
    )
    return [line.replace(TIED, " ") for line in found]
