"""Plot work–precision and scaling of measured cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ensemble_tables import time_at
from peers import PEERS

TARGET = 1e-6


def draw(cells: Sequence[dict], stem: Path) -> None:
    """Save STEM-precision.png and STEM-scaling.png."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    whole = [cell for cell in cells if "rungs" in cell]
    names = list(dict.fromkeys(cell["peer"] for cell in whole))
    styles = {
        name: {"color": f"C{i % 10}", "marker": "os^vDPX*<>ph"[i % 12], "ms": 4, "lw": 1.2}
        for i, name in enumerate(names)
    }
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
    for ax, name in zip(axes, "EC", strict=True):
        _precision(ax, [c for c in whole if c["problem"] == [name, 10, 1000]], styles)
        ax.set_title(f"{name}, 10 modes, 1,000 trajectories")
    lines = axes[0].get_legend_handles_labels()
    figure.legend(*lines, loc="outside lower center", ncols=4, fontsize=7)
    figure.savefig(f"{stem}-precision.png", dpi=150)
    figure, axes = plt.subplots(2, 2, figsize=(10, 7.5), layout="constrained", sharex="col")
    coupled = [cell for cell in whole if cell["problem"][0] == "C"]
    for column, (axis, fixed) in enumerate(((2, (1, 10)), (1, (2, 1)))):
        few = [cell for cell in coupled if cell["problem"][fixed[0]] == fixed[1]]
        _scaling(axes[:, column], few, axis, styles)
    axes[0, 0].set_title("C, 10 modes")
    axes[0, 1].set_title("C, 1 trajectory")
    axes[1, 0].set_xlabel("trajectories")
    axes[1, 1].set_xlabel("modes")
    axes[0, 0].set_ylabel(f"time at error {TARGET:g} [s]")
    axes[1, 0].set_ylabel("peak memory of the solves [MB]")
    axes[0, 0].legend(fontsize=7)
    figure.savefig(f"{stem}-scaling.png", dpi=150)


def _precision(ax, cells: Sequence[dict], styles: dict) -> None:
    for cell in cells:
        if cell["peer"] == "writing":
            ax.axhline(cell["rungs"][0]["seconds"], color="0.6", ls=":")
            ax.annotate("writing the output", (0.02, cell["rungs"][0]["seconds"]),
                        xycoords=("axes fraction", "data"), fontsize=7, va="bottom")  # fmt: skip
            continue
        rungs = [rung for rung in cell["rungs"] if rung["error"] < 1]
        ax.loglog(
            [rung["error"] for rung in rungs],
            [rung["seconds"] for rung in rungs],
            label=PEERS[cell["peer"]].label,
            **styles[cell["peer"]],
        )
    ax.invert_xaxis()
    ax.set_xlabel("measured error")
    ax.set_ylabel("time [s]")


def _scaling(axes, cells: Sequence[dict], axis: int, styles: dict) -> None:
    for name, style in styles.items():
        few = sorted((c for c in cells if c["peer"] == name), key=lambda c: c["problem"][axis])
        if not few or name == "writing":
            continue
        sizes = [cell["problem"][axis] for cell in few]
        axes[0].loglog(
            sizes, [time_at(c, TARGET)[0] for c in few], label=PEERS[name].label, **style
        )
        whole = [c for c in few if c["ran"] == c["problem"][2]]
        axes[1].loglog(
            [c["problem"][axis] for c in whole], [max(c["memory"], 0.1) for c in whole], **style
        )
