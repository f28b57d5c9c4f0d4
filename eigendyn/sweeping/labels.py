"""Label the arrays of a sweep, so that xarray reads them without this package."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.results.provenance import provenance
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.sweeping.axes import START, VARIANCE
from eigendyn.sweeping.kept import NOT_RUN
from eigendyn.sweeping.plan import Plan

KIND = "a sweep"


@dataclass(frozen=True)
class Labelled:
    """One array of a store.

    Args:
        dims: Its axes.
        shape: Points along each.
        chunks: Points of a chunk along each.
        dtype: Kind of its values.
        fill: What stands where nothing was written.
        attributes: What it is.
        values: What is written at once; None where chunks write it.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: Any
    fill: Any
    attributes: dict[str, Any] = field(default_factory=dict)
    values: NDArray | None = None


def root_attributes(plan: Plan) -> dict[str, Any]:
    """What the whole sweep is, and how it was made."""
    asked = plan.question
    swept = [name for axis in plan.axes for name in axis.columns]
    beside = [name for name in swept if name not in [axis.name for axis in plan.axes]]
    return {
        "title": f"a sweep of {', '.join(map(_words, swept))}",
        "kind": KIND,
        "configuration": json.dumps(plan.configuration(), ensure_ascii=False),
        **provenance("cpu", plan.kind.name),
        **({"coordinates": " ".join(beside)} if beside else {}),
        **{
            n: str(asked.settings[n]) for n in ("loss", "preset") if _is_name(asked.settings.get(n))
        },
    }


def _is_name(value: Any) -> bool:
    return isinstance(value, str)


def _words(name: str) -> str:
    return PARAMETERS[name].label if name in PARAMETERS else name


def coordinates(plan: Plan) -> dict[str, Labelled]:
    """Values along every axis; those of a design are written chunk by chunk."""
    modes = plan.question.modes
    found: dict[str, Labelled] = {
        "mode": _listed("mode", np.arange(modes), {"long_name": "mode, in input order"})
    }
    for axis, chunk in zip(plan.axes, plan.layout.chunks, strict=True):
        for name in axis.columns:
            if axis.is_design:
                whole = ((axis.name,), (axis.size,), (chunk,))
                found[name] = Labelled(*whole, "float64", np.nan, _attributes(name) | OF_SWEEP)
            else:
                values = axis.at(slice(0, axis.size))[name]
                found[name] = _listed(axis.name, _flat(values), _attributes(name))
    return found


def _flat(values: Any) -> NDArray:
    """Values along an axis; of a parameter per mode, those of the first mode."""
    array = np.asarray(values)
    return array if array.ndim == 1 else array[:, 0]


def _listed(axis: str, values: NDArray, attributes: dict[str, Any]) -> Labelled:
    is_text = values.dtype.kind == "U"
    whole = ((axis,), values.shape, values.shape)
    return Labelled(
        *whole, str if is_text else values.dtype, "" if is_text else 0, attributes, values
    )


def _attributes(name: str) -> dict[str, Any]:
    if name in PARAMETERS:
        row = PARAMETERS[name]
        return {"long_name": row.label, "symbol": row.sign}
    words = {VARIANCE: "variance at the start", START: "start"}
    return {"long_name": words.get(name, name)}


OF_SWEEP = {"of": "sweep"}  # of arrays that are written chunk by chunk


def variables(plan: Plan) -> dict[str, Labelled]:
    """What is kept of every trajectory."""
    names, layout = tuple(axis.name for axis in plan.axes), plan.layout
    modes = plan.question.modes
    found = {}
    for name, row in plan.rows.items():
        kind = np.dtype(row.dtype or plan.kind)
        over = ("mode",) * row.per_mode
        more = (modes,) * row.per_mode
        found[name] = Labelled(
            (*names, *over),
            (*layout.shape, *more),
            (*layout.chunks, *more),
            kind,
            np.nan if kind.kind == "f" else NOT_RUN,
            row.attributes | OF_SWEEP,
        )
    return found
