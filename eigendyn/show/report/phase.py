"""Lay out fixed points on a plane for a terminal, and summarise them for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.show.report import SCHEMA_VERSION
from eigendyn.show.report.layout import aligned, number, numbers

if TYPE_CHECKING:
    from eigendyn.analysis.plane.motion import Motion
    from eigendyn.analysis.plane.portrait import Rests


def summary(portrait: tuple[Motion, Rests]) -> dict[str, Any]:
    """Summarise the fixed points for scripts, ready for JSON."""
    motion, found = portrait
    points = [
        {
            "at": numbers(shown),
            "stability": point.stability,
            "eigenvalues": pairs(point.eigenvalues),
            "zero_modes": point.zero_modes,
            "explained": point.explained,
            "is_continuum": bool(len(point.continuum)),
            "residual": number(point.residual),
        }
        for point, shown in zip(found.points, found.shown, strict=True)
    ]
    return {
        "schema_version": SCHEMA_VERSION,
        motion.system.kind: motion.system.name,
        "plane": motion.title,
        "axes": [axis.symbol for axis in motion.axes],
        "fixed_points": points,
        "in_symbols": _in_symbols(motion),
        "unsettled_starts": found.unsettled,
        "undefined_points": found.undefined,
    }


def table(portrait: tuple[Motion, Rests]) -> str:
    """Lay out for a terminal where the fixed points are, and what their eigenvalues are."""
    motion, found = portrait
    symbols = [axis.symbol for axis in motion.axes]
    rows: list[tuple[str, ...]] = [
        (*symbols, "stability", "eigenvalues", "time scales", "zero modes")
    ]
    for point, shown in zip(found.points, found.shown, strict=True):
        line = " (a line of them)" if len(point.continuum) else ""
        modes = f"{point.zero_modes}, {point.explained} explained" if point.zero_modes else "–"
        rows.append(
            (
                *(f"{value:.6g}" for value in shown),
                point.stability + line,
                ", ".join(map(eigenvalue, point.eigenvalues)),
                ", ".join("∞" if np.isinf(t) else f"{t:.4g}" for t in point.time_scales),
                modes,
            )
        )
    lines = aligned(rows) if len(rows) > 1 else ["No fixed point was found on this plane."]
    symbols = _in_symbols(motion)
    if symbols:
        lines += ["", "In symbols, for every mode:", *(f"  {line}" for line in symbols)]
    if found.unsettled:
        lines += ["", f"{found.unsettled} of the starts of the search found no fixed point."]
    if found.undefined:
        lines += ["", f"{found.undefined} more rest only on nodes, where averages do not exist."]
    return "\n".join(lines)


def _in_symbols(motion: Motion) -> list[str]:
    """Rests of a mode that symbols give; on a slice none."""
    from eigendyn.analysis.fixed_points.exact_rests import rests_in_words
    from eigendyn.analysis.system import DynamicalSystem

    return rests_in_words(motion.system) if isinstance(motion.system, DynamicalSystem) else []


def pairs(eigenvalues: NDArray) -> list[list[float | None]]:
    """Real and imaginary parts, None where JSON has no number."""
    return [[number(value.real), number(value.imag)] for value in eigenvalues]


def eigenvalue(value: complex) -> str:
    """An eigenvalue, as a real number if it is one."""
    if abs(value.imag) < 1e-12 * max(1.0, abs(value.real)):
        return f"{value.real:+.4g}"
    return f"{value.real:+.4g}{value.imag:+.4g}i"
