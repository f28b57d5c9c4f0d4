"""Logarithmic axes enter; their ticks are written as plain numbers, where these are short."""

from __future__ import annotations

from matplotlib.axis import Axis
from matplotlib.ticker import LogFormatterSciNotation

SHORT = (1e-3, 1e3)  # limits within which 0.01 reads as well as a power of ten


class PlainNumbers(LogFormatterSciNotation):
    """0.01 in place of a formula, at the same ticks.

    The first formula loads fonts and a parser, which takes longer than to draw all the rest.
    """

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Label of a tick, empty where the axis has others enough."""
        return f"{x:g}" if super().__call__(x, pos) else ""


def write_plainly(*axes: Axis) -> None:
    """Write the ticks of logarithmic axes, that have their limits, as plain numbers if all fit."""
    limits = [limit for axis in axes for limit in axis.get_view_interval()]
    if SHORT[0] <= min(limits) and max(limits) <= SHORT[1]:
        for axis in axes:
            axis.set_major_formatter(PlainNumbers())
            axis.set_minor_formatter(PlainNumbers())
