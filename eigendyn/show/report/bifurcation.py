"""Lay out branches and special points for a terminal, and summarise them for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from eigendyn.show.report import SCHEMA_VERSION
from eigendyn.show.report.layout import aligned, number, numbers
from eigendyn.show.report.phase import eigenvalue, pairs

if TYPE_CHECKING:
    from eigendyn.analysis.bifurcations.branches import Branch
    from eigendyn.analysis.bifurcations.continuation import Diagram
    from eigendyn.analysis.bifurcations.folds import FoldCurve
    from eigendyn.analysis.bifurcations.special_points import SpecialPoint


ROUND_OFF = 1e-12


def summary(
    named: Mapping[str, str], diagram: Diagram, curves: Sequence[FoldCurve] = ()
) -> dict[str, Any]:
    """Summarise branches, special points and curves of saddle-nodes, ready for JSON.

    Args:
        named: "loss" or "model", and its name.
        diagram: Branches and special points.
        curves: Curves of saddle-nodes.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        **named,
        "parameter": list(diagram.driven),
        "between": list(diagram.between),
        "coordinates": list(diagram.names),
        "special_points": [_special_point(one) for one in diagram.special_points],
        "branches": [_branch(one) for one in diagram.branches],
        "unfollowed": diagram.unfollowed,
        "slices": diagram.slices,
        "fold_curves": [
            {
                "parameters": [list(names) for names in curve.driven],
                "first": numbers(curve.first),
                "second": numbers(curve.second),
                "x": [numbers(x) for x in curve.x],
                "ended": list(curve.ended),
                "partial": curve.partial,
            }
            for curve in curves
        ],
    }


def _special_point(one: SpecialPoint) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "parameter": one.parameter,
        "at": numbers(one.x),
        "eigenvalues": pairs(one.eigenvalues),
        "frequency": number(one.frequency),
        "period": number(one.period),
        "bracket": [numbers(end) for end in one.bracket],
        "refined": one.refined,
    }


def _branch(one: Branch) -> dict[str, Any]:
    return {
        "parameter": numbers(one.parameter),
        "at": [numbers(x) for x in one.x],
        "eigenvalues": [pairs(values) for values in one.eigenvalues],
        "stability": one.stability.tolist(),
        "ended": list(one.ended),
        "partial": one.partial,
        "levels": dict(one.levels),
    }


def table(diagram: Diagram, curves: Sequence[FoldCurve] = ()) -> str:
    """Lay out for a terminal the special points, then the branches, and why they end."""
    name = " = ".join(diagram.driven)
    rows = [("special point", name, "bracket", *diagram.names, "eigenvalues", "period")]
    for one in diagram.special_points:
        rows.append(
            (
                one.kind,
                f"{one.parameter:.8g}",
                _bracket(one, diagram.names),
                *(f"{value:.6g}" for value in _tidy(one.x)),
                ", ".join(map(eigenvalue, _tidy(one.eigenvalues))),
                f"{one.period:.4g}" if np.isfinite(one.period) else "–",
            )
        )
    lines = aligned(rows, left=1) if len(rows) > 1 else [_none_found(diagram)]
    rows = [("branch", name, "stability", "ends", *["keeps"] * _levels(diagram))]
    for index, branch in enumerate(diagram.branches, 1):
        places, kinds = branch.stretches
        ends = " / ".join(dict.fromkeys(branch.ended))
        kept = ", ".join(f"{name} {value:.4g}" for name, value in branch.levels.items())
        row = (str(index), "…".join(f"{place:.4g}" for place in places), ", ".join(kinds), ends)
        rows.append((*row, kept) if _levels(diagram) else row)
    lines += ["", *aligned(rows, left=5)]
    if diagram.unfollowed:
        lines += ["", f"{diagram.unfollowed} further branches were not followed."]
    for curve in curves:
        first, second = (" = ".join(names) for names in curve.driven)
        where = ", ".join(
            f"{name} {values.min():.4g}…{values.max():.4g}"
            for name, values in ((first, curve.first), (second, curve.second))
            if len(values)
        )
        lines += ["", f"saddle-nodes along {where}: {' / '.join(dict.fromkeys(curve.ended))}"]
    return "\n".join(lines)


def _none_found(diagram: Diagram) -> str:
    """Say how special points were sought: that none was found does not mean that there is none."""
    where = "on the branches that hang together with the start"
    if diagram.slices:
        name = " = ".join(diagram.driven)
        where = f"on the branches below, sought from {diagram.slices} values of {name} (`slices`)"
    return f"No special point was found {where}."


def _bracket(one: SpecialPoint, names: Sequence[str]) -> str:
    """The parameters between which it is; where the branch turns, a coordinate's values."""
    low, high = sorted(one.bracket[:, 0])
    if low < one.parameter < high:
        return f"{low:.6g}…{high:.6g}"
    changes = np.ptp(one.bracket[:, 1:], axis=0)
    widest = int(np.argmax(changes))
    low, high = sorted(one.bracket[:, 1 + widest])
    return f"{names[widest]} {low:.6g}…{high:.6g}"


def _levels(diagram: Diagram) -> bool:
    return any(branch.levels for branch in diagram.branches)


def _tidy(values: np.ndarray) -> np.ndarray:
    """Numbers without what is round-off beside one."""
    if np.iscomplexobj(values):
        return _tidy(np.real(values)) + 1j * _tidy(np.imag(values))
    return np.where(np.abs(values) < ROUND_OFF, 0.0, values)
