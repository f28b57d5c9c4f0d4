"""Say in a table, or for a script, what a cross-check has found and what it would have caught."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from eigendyn.results.labelled import check_pair
from eigendyn.show.report import SCHEMA_VERSION
from eigendyn.show.report.layout import aligned, listed, number, numbers

if TYPE_CHECKING:
    import xarray

CAUGHT = 0.02  # relative change of a parameter that every table of systems is to notice
HEADINGS = (
    "mode",
    "initial variance",
    "theory",
    "networks",
    "deviation",
    "largest",
    "at step",
)
GRID_HEADINGS = (
    *("system", "order", "largest deviation", "allowed", "median relative", "verdict"),
    f"caught at {CAUGHT:.0%}",
)


def summary(tree: xarray.DataTree) -> dict[str, Any]:
    """Summarise a cross-check for scripts, ready for JSON.

    Args:
        tree: A result of `crosscheck`.

    Returns:
        Per mode, largest initial variance first: initial variance; final variance of theory and
        networks; deviation at the end and the largest one [standard errors]. Then the verdict with
        what it rests on, and what it would have caught: by parameter, the smallest relative change
        that is called wrong, None if none is. Then the settings of both sides. Numbers that are not
        finite are None.
    """
    check_pair(tree)
    theory, descent, compared = (tree[name].to_dataset() for name in GROUPS)
    attrs = compared.attrs
    return {
        "schema_version": SCHEMA_VERSION,
        "loss": theory.attrs["loss"],
        "verdict": attrs["verdict"],
        "largest_deviation": number(attrs["largest_deviation"]),
        "allowed_deviation": number(attrs["allowed_deviation"]),
        "comparisons": int(attrs["comparisons"]),
        "false_alarm": attrs["false_alarm"],
        "median_relative_deviation": number(attrs["median_relative_deviation"]),
        "step": number(compared["step"].values[-1]),
        "variances_initial": numbers(theory["variance"].values[:, 0]),
        "variances_theory": numbers(_theory_end(theory, compared)),
        "variances_networks": numbers(compared["variance"].values[:, -1]),
        "deviation_final": numbers(compared["deviation"].values[:, -1]),
        "deviation_largest": numbers(np.abs(compared["deviation"].values).max(axis=1)),
        "smallest_change": {name: number(value) for name, value in _changes(compared)},
        "batch": descent["batch"].values.tolist(),
        "status": {"theory": theory.attrs["status"], "descent": descent.attrs["status"]},
        "message": _message(theory, descent),
        "settings": {
            "theory": json.loads(theory.attrs["settings"]),
            "descent": json.loads(descent.attrs["settings"]),
        },
    }


def table(tree: xarray.DataTree) -> str:
    """Lay out for a terminal how theory and networks compare, mode by mode, and the verdict.

    Args:
        tree: A result of `crosscheck`.
    """
    check_pair(tree)
    theory, descent, compared = (tree[name].to_dataset() for name in GROUPS)
    size = np.abs(compared["deviation"].values)
    worst = size.argmax(axis=1)
    columns = (
        [str(mode) for mode in compared["mode"].values],
        [f"{value:.6g}" for value in theory["variance"].values[:, 0]],
        [f"{value:.6g}" for value in _theory_end(theory, compared)],
        [f"{value:.6g}" for value in compared["variance"].values[:, -1]],
        [f"{value:+.2f}" for value in compared["deviation"].values[:, -1]],
        [f"{value:.2f}" for value in size.max(axis=1)],
        [f"{step:.0f}" for step in compared["step"].values[worst]],
    )
    rows = [HEADINGS, *zip(*columns, strict=True)]
    facts = listed(_facts(theory, descent, compared))
    return "\n".join([*aligned(rows), "", *facts])


def grid_table(grid: xarray.Dataset) -> str:
    """Lay out for a terminal the verdict on every system.

    Args:
        grid: A result of `crosscheck_all`.
    """
    rows: list[tuple[str, ...]] = [GRID_HEADINGS]
    for system in grid["system"].values:
        one = grid.sel(system=system)
        rows.append(
            (
                str(system),
                str(one["order"].item()),
                f"{one['largest_deviation'].item():.2f}",
                f"{one['allowed_deviation'].item():.2f}",
                f"{one['median_relative_deviation'].item():.1e}",
                str(one["verdict"].item()),
                ", ".join(_flag(name) for name, value in _changes(one) if value <= CAUGHT),
            )
        )
    agreeing = int((grid["verdict"] == "agrees").sum())
    attrs = grid.attrs
    lines = [
        f"{agreeing} of {grid.sizes['system']} systems agree. Deviations in standard errors: "
        f"{attrs['seeds']} networks with {attrs['batch']} samples a step, {attrs['seeds']} with a "
        f"quarter, {attrs['steps']} steps.",
        f"At least one false alarm in at most {attrs['false_alarm']:.0%} of such tables.",
    ]
    table = aligned([row[:-1] for row in rows], left=2)
    caught = [f"{line}  {row[-1]}".rstrip() for line, row in zip(table, rows, strict=True)]
    return "\n".join([*caught, "", *lines, "", *aligned(list(_sharpest(grid)), left=3)])


def grid_summary(grid: xarray.Dataset) -> dict[str, Any]:
    """Summarise the verdicts on all systems for scripts, ready for JSON."""
    names = ("modes", "largest_deviation", "allowed_deviation", "median_relative_deviation")
    systems = [
        {
            "system": str(system),
            "order": str(grid["order"].values[i]),
            **{name: number(grid[name].values[i]) for name in names},
            "verdict": str(grid["verdict"].values[i]),
            "smallest_change": {
                name: number(value) for name, value in _changes(grid.isel(system=i))
            },
        }
        for i, system in enumerate(grid["system"].values)
    ]
    plain = {key: grid.attrs[key] for key in ("seeds", "batch", "steps", "false_alarm")}
    return {"schema_version": SCHEMA_VERSION, **plain, "systems": systems}


GROUPS = ("theory", "descent", "agreement")


def _changes(compared: xarray.Dataset) -> list[tuple[str, float]]:
    """Parameters with the smallest change that is called wrong, the best watched first."""
    if "smallest_change" not in compared:
        return []
    changes = compared["smallest_change"]
    known = zip(changes["parameter"].values, changes.values, strict=True)
    found = [(str(name), float(value)) for name, value in known if not np.isnan(value)]
    return sorted(found, key=lambda one: one[1])


def _flag(name: str) -> str:
    return name.replace("_", "-")


def _sharpest(grid: xarray.Dataset) -> Iterator[tuple[str, ...]]:
    """For every parameter, the system that watches it best."""
    yield "parameter", "smallest change caught", "by the system"
    for name in grid["parameter"].values:
        changes = grid["smallest_change"].sel(parameter=name).fillna(np.inf).values
        best = grid["system"].values[changes.argmin()]
        yield _flag(str(name)), f"{100 * changes.min():.2g} %", str(best)


def _power(changes: list[tuple[str, float]]) -> str:
    """Say which errors of the theory's numbers the verdict excludes."""
    if not changes:
        return "not asked, since the sides do not agree"
    caught = ", ".join(f"{_flag(name)} off by {100 * x:.2g} %" for name, x in changes if x <= 1)
    never = ", ".join(_flag(name) for name, x in changes if x > 1)
    parts = [f"would have been called wrong: {caught}"] if caught else []
    parts += [f"only if off by more than 100 %: {never}"] if never else []
    return "; ".join(parts)


def _theory_end(theory: xarray.Dataset, compared: xarray.Dataset) -> np.ndarray:
    return theory["variance"].values[:, compared.sizes["time"] - 1]


def _message(theory: xarray.Dataset, descent: xarray.Dataset) -> str:
    return " ".join(side.attrs["message"] for side in (theory, descent)).strip()


def _facts(
    theory: xarray.Dataset, descent: xarray.Dataset, compared: xarray.Dataset
) -> Iterator[tuple[str, str]]:
    attrs = compared.attrs
    sizes, counts = np.unique(descent["batch"], return_counts=True)
    yield "loss", theory.attrs["loss"]
    yield (
        "networks",
        " and ".join(
            f"{count} with {size} samples a step"
            for size, count in zip(sizes[::-1], counts[::-1], strict=True)
        )
        + f"; to step {descent['step'].values[-1]:.0f}, {descent.attrs['dtype']}",
    )
    yield (
        "batch",
        f"extrapolated to an infinite one, which moves them by {attrs['extrapolated']:.1e} or less "
        "of the largest singular value",
    )
    yield "closure", f"{theory.attrs['closure']}, expected steps"
    yield (
        "assumed",
        f"singular vectors stay: {descent['off_mode_share'].values.max():.1e} of ‖W‖² left them; "
        f"predictor and correlation commute to {descent['commutator'].values.max():.1e}",
    )
    rank = descent["effective_rank"].values.mean(axis=0)
    yield "collapse", f"effective rank {rank[0]:.3g} → {rank[-1]:.3g}"
    if message := _message(theory, descent):
        yield "status", message
    yield "power", _power(_changes(compared))
    yield (
        "verdict",
        f"{attrs['verdict']}: largest deviation {attrs['largest_deviation']:.2f} standard errors, "
        f"{attrs['allowed_deviation']:.2f} allowed for {attrs['comparisons']} comparisons at "
        f"{attrs['false_alarm']:.0%} false alarms; median relative deviation of variances "
        f"{attrs['median_relative_deviation']:.1e}",
    )
