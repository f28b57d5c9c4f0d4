"""Lay out measured data for a terminal, and summarise it for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from eigendyn.results.labelled import check_data
from eigendyn.show.report import SCHEMA_VERSION
from eigendyn.show.report.layout import aligned, listed, number, numbers

if TYPE_CHECKING:
    import xarray

MEASURED = ("signal", "noise1", "noise2")
ALIGNED = 0.05  # off-diagonal share up to which noise is called diagonal


def summary(data: xarray.Dataset) -> dict[str, Any]:
    """Summarise measured data for scripts: plain numbers in full precision, ready for JSON."""
    check_data(data)
    names = [name + error for name in MEASURED for error in ("", "_error")]
    single = [name + error for name in ("off_diagonal", "commutator") for error in ("", "_error")]
    attrs = data.attrs
    return {
        "schema_version": SCHEMA_VERSION,
        "title": attrs["title"],
        "samples": int(attrs["samples"]),
        "dimensions": data.sizes["input"],
        "image_shape": _image(data) or None,
        "augment": attrs.get("augment"),
        "augment2": attrs.get("augment2"),
        "expectation": attrs["expectation"],
        **{name: numbers(data[name].values) for name in names},
        "cumulative_share": numbers(_share(data["signal"].values)),
        **{name: number(data[name].item()) for name in single},
        "remarks": attrs["remarks"].splitlines(),
    }


def table(data: xarray.Dataset, modes: int = 10) -> str:
    """Lay out for a terminal the signal and noise of the leading components.

    Args:
        data: A result of `eigendyn.data.from_inputs`, `from_views` or `digits`.
        modes: How many components.

    Returns:
        One row for each component, with standard errors, then what was measured, how far the
        picture of aligned modes holds, and what to know of the data.
    """
    check_data(data)
    shares = _share(data["signal"].values)
    headings = ["component"]
    for name in MEASURED:
        headings += [name, "±"]
    rows = [(*headings, "cumulative share")]
    for place in range(min(modes, len(shares))):
        cells = [str(place)]
        for name in MEASURED:
            value, error = (data[one].values[place] for one in (name, f"{name}_error"))
            cells += [f"{value:.4g}", f"{error:.2g}"]
        share = f"{shares[place]:.1%}" if np.isfinite(shares[place]) else "–"
        rows.append((*cells, share))
    remarks = data.attrs["remarks"].splitlines()
    return "\n".join([*aligned(rows), "", *listed(_facts(data)), "", _picture(data), *remarks])


def _share(signal: np.ndarray) -> np.ndarray:
    """Share of all signal in each component and those before it (components,)."""
    kept = np.maximum(signal, 0)
    return np.cumsum(kept) / kept.sum() if kept.any() else np.full(len(signal), np.nan)


def _image(data: xarray.Dataset) -> list[int]:
    return [int(size) for size in data.attrs.get("image_shape", ())]


def _facts(data: xarray.Dataset) -> list[tuple[str, str]]:
    attrs, (image, second) = data.attrs, (_image(data), data.attrs.get("augment2"))
    shape = f"{image[0]} × {image[1]} pixels" if image else f"{data.sizes['input']} dimensions"
    facts = [("data", f"{attrs['samples']} samples of {shape}")]
    if "augment" in attrs:
        other = "" if second == attrs["augment"] else f"; second view {second}"
        facts.append(("augment", f"{attrs['augment']}{other}"))
    return [*facts, ("averages", attrs["expectation"]), ("errors", attrs["errors"])]


def _picture(data: xarray.Dataset) -> str:
    """How far the picture of aligned modes holds, in a sentence or two."""
    share, error = (data[name].item() for name in ("off_diagonal", "off_diagonal_error"))
    commutes = f"(commutator {data['commutator'].item():.2g})"
    measured = f"{share:.1%} ± {error:.1%} of the noise covariance’s norm is off the diagonal"
    if share <= ALIGNED:
        return f"{measured} {commutes}: components hardly mix, and modes are aligned with them."
    gap = data["end_gap"].values[0]
    return (
        f"{measured} {commutes}: noise mixes components.\nAligned modes, which leave that out, "
        "tell which components are learned, in what order and when; less well where they end: the "
        f"largest {gap:.0%} too low under Euclidean losses."
    )
