"""Draw bifurcations in weight decay: saddle-node (Euclidean), transcritical (isotropic).

Source: derivations/bifurcations.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray
from matplotlib.figure import Figure

from eigendyn.analysis.rates.decay import decay_equilibria
from eigendyn.settings.choices import LOSS_ROWS
from eigendyn.show.paper.work import Numbers, Work
from eigendyn.show.plot.style import DESCENT, loss_symbol

LOSSES = ("euclidean", "iso-euclidean")
VARIANCES = np.linspace(0.005, 1.15, 230)
STARTS = (1.1, 0.8, 0.5, 0.3, 0.15, 0.05)  # of the modes of one network
DECAYS = {"euclidean": (0.05, 0.15, 0.24, 0.3), "iso-euclidean": (0.2, 0.5, 0.8, 1.1)}
NOISE: dict[str, Any] = {"sigma1": 0.0, "sigma2": 0.1}
RUN: dict[str, Any] = {"learning_rate": 0.1, "steps": 5_000, "saves": 2}


def numbers(work: Work) -> Numbers:
    """Equilibria of a mode over weight decay, and where networks end."""

    def make(loss: str) -> Numbers:
        theory = {"theory": decay_equilibria(loss, VARIANCES, **NOISE)}
        return theory if work.descents is None else theory | {"networks": _ends(work, loss)}

    return work.each(make, {loss: loss for loss in LOSSES})


def _ends(work: Work, loss: str) -> xarray.Dataset:
    """Variances at which networks end, by the population's gradient: no sampling error."""
    ends = []
    for decay in DECAYS[loss]:
        values, _ = work.singular_values(
            f"bifurcation-{loss}-{decay}",
            STARTS,
            loss=loss,
            weight_decay=decay,
            batch=None,
            seeds=1,
            **RUN,
            **NOISE,
        )
        ends.append(values[0, :, -1] ** 2)
    return xarray.Dataset(
        {"variance": (("weight_decay", "start"), np.array(ends), {"units": "variance"})},
        coords={
            "weight_decay": ("weight_decay", np.array(DECAYS[loss]), {"units": "1/time"}),
            "start": ("start", np.array(STARTS), {"units": "variance"}),
        },
    )


def draw(numbers: Numbers) -> Figure:
    """Stable branches solid, unstable ones dashed, special points labelled."""
    figure = Figure(figsize=(5.6, 2.6))
    for ax, loss in zip(figure.subplots(1, 2, sharey=True), LOSSES, strict=True):
        branch = numbers[f"{loss}/theory"]
        _draw_branch(ax, branch, LOSS_ROWS[loss].colour)
        _mark(ax, branch)
        if f"{loss}/networks" in numbers:
            found = numbers[f"{loss}/networks"]["variance"]
            for decay, ends in zip(found["weight_decay"].values, found.values, strict=True):
                ax.plot(np.full(len(ends), decay), ends, **DESCENT, clip_on=False)
        ax.set_title(loss_symbol(loss))
        ax.set_xlabel("weight decay ω")
        ax.set_xlim(0, 1.45 * np.nanmax(branch["weight_decay"]))
        ax.set_ylim(-0.05, 1.1)  # the branch at zero stands clear of the axis
    first = figure.axes[0]
    first.set_ylabel("eigenvalue λ at equilibrium")
    second = figure.axes[1]
    second.plot([], [], color="0.3", label="stable")
    second.plot([], [], "--", color="0.3", label="unstable")
    if any(path.endswith("/networks") for path in numbers):
        second.plot([], [], **DESCENT, label="networks")
    second.legend(loc="upper right")
    return figure


def _draw_branch(ax, branch: xarray.Dataset, colour: str) -> None:
    decay, stable = branch["weight_decay"].values, branch["stable"].values
    for look, wanted in (("-", stable), ("--", ~stable)):
        ax.plot(np.where(wanted, decay, np.nan), branch["variance"], look, color=colour, lw=1.6)
    edge = max(branch.attrs["at_zero"], 0.0)  # below it v = 0 is unstable
    limit = 1.45 * float(decay.max())
    ax.plot([0, edge], [0, 0], "--", color=colour, lw=1.6, clip_on=False)
    ax.plot([edge, limit], [0, 0], "-", color=colour, lw=1.6, clip_on=False)


def _mark(ax, branch: xarray.Dataset) -> None:
    attrs = branch.attrs
    if np.isfinite(attrs["fold"]):
        at, name, offset = (attrs["fold"], attrs["fold_variance"]), "saddle-node", (7, -6)
    else:
        at, name, offset = (attrs["at_zero"], 0.0), "transcritical", (4, 7)
    ax.plot(*at, "kD", ms=3.5, clip_on=False, zorder=4)
    ax.annotate(f"{name}\nω = {at[0]:.3g}", at, offset, textcoords="offset points", fontsize=7)


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    fold = numbers["euclidean/theory"].attrs["fold"]
    crossing = numbers["iso-euclidean/theory"].attrs["at_zero"]
    told = (
        "Equilibria of a mode over weight decay ω. Under the Euclidean loss there are two, up to "
        f"the saddle-node at ω = {fold:.4g}, which is 1/(4(1 + σ₁²)): modes that start below the "
        "unstable branch collapse, and beyond it all do. Under its isotropic form a mode lives "
        f"from any start up to the transcritical point at ω = {crossing:.4g}. Lines: zeros of the "
        "exact growth rate."
    )
    if "euclidean/networks" in numbers:
        told += (
            " Dots: where networks end after 5,000 steps of the population's gradient (learning "
            f"rate 0.1), from modes that start at λ = {', '.join(map(str, STARTS))}."
        )
    return told
