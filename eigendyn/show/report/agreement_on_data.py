"""Say in a table, or for a script, which theory holds how far on measured data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.settings.checks import check_is
from eigendyn.show.report import SCHEMA_VERSION
from eigendyn.show.report.layout import aligned, listed, number, numbers

if TYPE_CHECKING:
    import xarray

MOST_MOVED = 0.1  # of the largest eigenvalue, by an extrapolation from which a verdict means much
TOO_MUCH = ", too much for a verdict: try a larger --batch or a smaller --learning-rate"
LEAVES_OUT = {"aligned": "leaves out noise off the diagonal", "matrix": "leaves out nothing"}


def check_tree(tree: Any) -> None:
    """Check that an argument is a cross-check on data.

    Raises:
        InvalidSetting: It is something else.
    """
    groups = set(getattr(tree, "children", None) or ())
    is_right = {"aligned", "descent", "agreement"} <= groups
    check_is("tree", tree, is_right, "what crosscheck_data(loss, data) gives")


def summary(tree: xarray.DataTree) -> dict[str, Any]:
    """Summarise a cross-check on data for scripts, ready for JSON.

    Args:
        tree: A result of `crosscheck_data`.

    Returns:
        By theory: verdict, largest and allowed deviation in standard errors, the share within one,
        eigenvalues at the end and recruitment times; the same of the networks. Numbers that are not
        finite are None.
    """
    check_tree(tree)
    compared, descent = (tree[name].to_dataset() for name in ("agreement", "descent"))
    theories = {}
    for name in compared["theory"].values:
        one = compared.sel(theory=name)
        theories[str(name)] = {
            "verdict": str(one["verdict"].item()),
            **{
                key: number(one[key].item())
                for key in ("largest_deviation", "allowed_deviation", "within_one")
            },
            "eigenvalues": numbers(_ends(compared, str(name))),
            "recruitment_time": numbers(one["predicted_time"].values),
        }
    return {
        "schema_version": SCHEMA_VERSION,
        "loss": tree["aligned"].attrs["loss"],
        "views": tree.attrs["views"],
        "theories": theories,
        "networks": {
            "eigenvalues": numbers(compared["networks"].values[:, -1]),
            "recruitment_time": numbers(compared["recruitment_time"].values),
            "recruitment_time_error": numbers(compared["recruitment_time_error"].values),
        },
        "end_gap": numbers(compared["end_gap"].values),
        "time": number(compared["time"].values[-1]),
        "batch": descent["batch"].values.tolist(),
        "message": _message(tree),
        "settings": json.loads(descent.attrs["settings"]),
    }


def table(tree: xarray.DataTree) -> str:
    """Lay out for a terminal how theories and networks compare, and the verdicts.

    Args:
        tree: A result of `crosscheck_data`.
    """
    check_tree(tree)
    compared = tree["agreement"].to_dataset()
    names = [str(name) for name in compared["theory"].values]
    error = compared["standard_error"].values[0, :, -1]
    times = compared["recruitment_time"].values
    columns = {
        "eigenvalue": [str(mode) for mode in compared["mode"].values],
        "networks": [f"{value:.5g}" for value in compared["networks"].values[:, -1]],
        "±": [f"{value:.1g}" for value in error],
        **{name: [f"{value:.5g}" for value in _ends(compared, name)] for name in names},
        "recruited at": [_or_none(value, ".4g") for value in times],
        " ±": [_or_none(value, ".1g") for value in compared["recruitment_time_error"].values],
        **{
            f"by {name}": [
                _or_none(100 * (predicted / time - 1), "+.1f", " %")
                for predicted, time in zip(
                    compared["predicted_time"].sel(theory=name).values, times, strict=True
                )
            ]
            for name in names
        },
    }
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    return "\n".join([*aligned(rows), "", *listed(_facts(tree))])


def _ends(compared: xarray.Dataset, theory: str) -> NDArray:
    """What a theory says of the eigenvalues at the end (modes,)."""
    return (
        compared["networks"].values[:, -1] - compared["difference"].sel(theory=theory)[:, -1].values
    )


def _or_none(value: float, form: str, unit: str = "") -> str:
    return f"{value:{form}}{unit}" if np.isfinite(value) else "–"


def _message(tree: xarray.DataTree) -> str:
    sides = [side.attrs.get("message", "") for side in tree.children.values()]
    return " ".join(one for one in sides if one)


def _facts(tree: xarray.DataTree) -> Iterator[tuple[str, str]]:
    compared, descent = (tree[name].to_dataset() for name in ("agreement", "descent"))
    attrs = compared.attrs
    augment = f", {tree.attrs['augment']}" if tree.attrs["augment"] else ""
    yield "loss", tree["aligned"].attrs["loss"]
    yield "views", f"{tree.attrs['views']}: {tree.attrs['data']}{augment}"
    sizes, counts = np.unique(descent["batch"], return_counts=True)
    groups = " and ".join(
        f"{count} with {size} pairs a step"
        for size, count in zip(sizes[::-1], counts[::-1], strict=True)
    )
    yield "networks", f"{groups}; to step {compared['step'].values[-1]:.0f}"
    yield (
        "batch",
        f"extrapolated to an infinite one, which moves eigenvalues by {attrs['extrapolated']:.1e} "
        f"or less of the largest{TOO_MUCH if attrs['extrapolated'] > MOST_MOVED else ''}",
    )
    gaps = compared["end_gap"].values
    yield (
        "trust",
        f"aligned modes end too low by up to {max(gaps.max(), 0):.1%} in the long run under "
        "Euclidean losses, since noise off the diagonal lets directions turn",
    )
    yield "recruited", "at the time at which half of the end value is reached"
    if message := _message(tree):
        yield "status", message
    for name in compared["theory"].values:
        one = compared.sel(theory=name)
        yield (
            str(name),
            f"{LEAVES_OUT[str(name)]}; {one['verdict'].item()}: largest deviation "
            f"{one['largest_deviation'].item():.2f} standard errors, "
            f"{one['allowed_deviation'].item():.2f} allowed for {attrs['comparisons']} "
            f"comparisons at {attrs['false_alarm']:.0%} false alarms; "
            f"{one['within_one'].item():.0%} within one",
        )
