"""Label branches and special points, so that they can be saved, and read back for a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigendyn.analysis.bifurcations.branches import Branch
from eigendyn.analysis.bifurcations.continuation import Diagram
from eigendyn.analysis.bifurcations.folds import FoldCurve
from eigendyn.analysis.bifurcations.special_points import SpecialPoint
from eigendyn.results.labelled import Column, Labelled

if TYPE_CHECKING:
    import xarray

EQUAL = " = "  # between parameters that are driven together


def diagram_data(diagram: Diagram, curves: Sequence[FoldCurve] = (), **attributes: str) -> Labelled:
    """Write a diagram as labelled arrays.

    Points of all branches follow one another along `point`, special points along `special_point`,
    points of curves of saddle-nodes along `fold`; `branch`, or `fold_curve`, is the number of what
    a point is on. Eigenvalues are [1/time].

    Args:
        diagram: Branches, as `continue_fixed_points` finds them.
        curves: Curves of saddle-nodes.
        attributes: What else the whole is.

    Returns:
        Labelled arrays over (point, coordinate), (special_point, coordinate), (branch,) and, if
        there are curves, (fold, coordinate); `eigendyn.save` writes them.
    """
    branches, special = diagram.branches, diagram.special_points
    driven = EQUAL.join(diagram.driven)
    variables = {
        "parameter": Column(
            ("point",), np.concatenate([b.parameter for b in branches]), {"long_name": driven}
        ),
        "x": Column(("point", "coordinate"), np.concatenate([b.x for b in branches]), {}),
        **_complex(
            "eigenvalue", ("point", "rank"), np.concatenate([b.eigenvalues for b in branches])
        ),
        "stability": _words("point", [kind for b in branches for kind in b.stability]),
        "branch": Column(("point",), _numbers([len(b.parameter) for b in branches]), {}),
        "begins": _words("branch_number", [b.ended[0] for b in branches]),
        "ends": _words("branch_number", [b.ended[1] for b in branches]),
    }
    size = len(diagram.names)
    if special:
        variables |= {
            "kind": _words("special_point", [one.kind for one in special]),
            "special_parameter": Column(
                ("special_point",),
                np.array([one.parameter for one in special]),
                {"long_name": driven},
            ),
            "special_x": Column(
                ("special_point", "coordinate"), np.stack([one.x for one in special]), {}
            ),
            **_complex(
                "special_eigenvalue",
                ("special_point", "rank"),
                np.stack([one.eigenvalues for one in special]),
            ),
            "frequency": Column(
                ("special_point",),
                np.array([one.frequency for one in special]),
                {"long_name": "angular frequency of the oscillation", "units": "1/time"},
            ),
            "bracket": Column(
                ("special_point", "side"),
                np.stack([one.bracket[:, 0] for one in special]),
                {"long_name": f"{driven} at the ends of the bracket"},
            ),
        }
    if curves:
        first, second = (EQUAL.join(names) for names in curves[0].driven)
        joined = {
            name: np.concatenate([getattr(c, name) for c in curves])
            for name in ("first", "second", "x")
        }
        variables |= {
            "fold_first": Column(("fold",), joined["first"], {"long_name": first}),
            "fold_second": Column(("fold",), joined["second"], {"long_name": second}),
            "fold_x": Column(("fold", "coordinate"), joined["x"], {}),
            "fold_curve": Column(("fold",), _numbers([len(c.first) for c in curves]), {}),
        }
    return Labelled(
        variables=variables,
        coords={
            "coordinate": _words("coordinate", diagram.names),
            "rank": Column(
                ("rank",), np.arange(size), {"long_name": "by real part, largest first"}
            ),
        },
        attrs={
            "driven": driven,
            "between": np.array(diagram.between),
            "slices": diagram.slices,
            "unfollowed": diagram.unfollowed,
            **attributes,
        },
    )


def diagram_of(data: xarray.Dataset) -> Diagram:
    """Read a diagram back from its labelled arrays, without what only its making needed.

    Args:
        data: What `diagram_data` gave, saved and loaded.

    Returns:
        Its branches and special points; these are not listed with their branches, and no branch
        knows what is conserved along it.
    """
    branches = []
    for number, ended in enumerate(zip(data["begins"].values, data["ends"].values, strict=True), 1):
        points = np.flatnonzero(data["branch"].values == number)
        parameter, x, stability = (
            data[name].values[points] for name in ("parameter", "x", "stability")
        )
        values = _joined(data, "eigenvalue")[points]
        branches.append(Branch(parameter, x, values, stability, (), ended, False, {}))
    special = []
    if "kind" in data:
        names = ("kind", "special_parameter", "special_x", "frequency", "bracket")
        columns = [data[name].values for name in names]
        values = _joined(data, "special_eigenvalue")
        for (kind, parameter, x, frequency, bracket), of in zip(
            zip(*columns, strict=True), values, strict=True
        ):
            special.append(SpecialPoint(str(kind), float(parameter), x, of, frequency, bracket))
    low, high = (float(end) for end in data.attrs["between"])
    return Diagram(
        driven=tuple(data.attrs["driven"].split(EQUAL)),
        between=(low, high),
        names=tuple(str(name) for name in data["coordinate"].values),
        branches=tuple(branches),
        special_points=tuple(special),
        unfollowed=int(data.attrs["unfollowed"]),
        slices=int(data.attrs["slices"]),
        title=str(data.attrs.get("loss", data.attrs.get("model", ""))),
    )


def curves_of(data: xarray.Dataset) -> tuple[FoldCurve, ...]:
    """Read curves of saddle-nodes back; none where none were saved."""
    if "fold_curve" not in data:
        return ()
    words = (data[f"fold_{which}"].attrs["long_name"] for which in ("first", "second"))
    first, second = (tuple(names.split(EQUAL)) for names in words)
    found = []
    for number in np.unique(data["fold_curve"].values):
        points = np.flatnonzero(data["fold_curve"].values == number)
        a, b, x = (data[f"fold_{name}"].values[points] for name in ("first", "second", "x"))
        found.append(FoldCurve((first, second), a, b, x, ("", ""), False))
    return tuple(found)


def _joined(data: xarray.Dataset, name: str) -> NDArray:
    return data[f"{name}_real"].values + 1j * data[f"{name}_imag"].values


def _complex(name: str, dims: tuple[str, ...], values: NDArray) -> dict[str, Column]:
    """Real and imaginary part, since netCDF has no complex numbers."""
    attrs = {"units": "1/time"}
    return {
        f"{name}_real": Column(dims, np.real(values), attrs),
        f"{name}_imag": Column(dims, np.imag(values), attrs),
    }


def _words(dim: str, words: Sequence[str]) -> Column:
    return Column((dim,), np.array(list(words), dtype="U"), {})


def _numbers(lengths: Sequence[int]) -> NDArray:
    """Number, from 1 as in the printed table, of what each of the points is on."""
    return np.repeat(1 + np.arange(len(lengths)), lengths)
