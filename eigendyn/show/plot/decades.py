"""Write numbers along a logarithmic axis, all of them short."""

from __future__ import annotations

from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, NullFormatter


def label_decades(axis: Axis) -> None:
    """Short numbers, all of a few letters; between decades where there are fewer than two."""
    low, high = axis.get_view_interval()
    if high < 100 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(lambda x, _: _short(x))
    axis.set_minor_formatter(NullFormatter())


def _short(x: float) -> str:
    """Such as 0.1 and 200, or 1e-7: margins are made for five letters."""
    if 0.01 <= x < 1000:
        return f"{x:g}"
    mantissa, exponent = f"{x:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"
