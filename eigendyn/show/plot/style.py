"""Define the project's looks: style sheet, symbols of losses and their variants."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib.resources import files
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes

from eigendyn.settings.choices import LOSS_ROWS

DESCENT: dict[str, Any] = {
    "ls": "",
    "marker": "o",
    "mfc": "white",
    "mec": "0.15",
    "mew": 0.6,
    "zorder": 3,
}


def style() -> AbstractContextManager[None]:
    """Draw in the project's style while the context lasts."""
    return matplotlib.style.context(str(files("eigendyn").joinpath("show/plot/eigendyn.mplstyle")))


def loss_symbol(loss: str, *, predictor: bool = True, stop_gradient: bool = True) -> str:
    """Write a loss as the paper does, in mathtext.

    Args:
        loss: One of `choices.LOSS_NAMES`.
        predictor: Whether there is a predictor.
        stop_gradient: Whether the target branch is stopped.
    """
    row = LOSS_ROWS[loss]
    marks = [row.mark] * bool(row.mark)
    marks += ["noPred"] * (not predictor) + ["noSG"] * (not stop_gradient)
    below = rf"_{{\rm {','.join(marks)}}}" if marks else ""
    return rf"$\mathcal{{L}}^{{\rm {row.symbol}}}{below}$"


def without_ticks(ax: Axes) -> None:
    """Leave a frameless plane of equal scales."""
    ax.set_aspect("equal")
    ax.set_axis_off()
