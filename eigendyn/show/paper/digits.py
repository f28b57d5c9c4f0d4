"""Draw what a linear BYOL learns of handwritten digits: which components, in what order, and when.

Source: none; this project's own, with the theory of Halvagal et al. 2023 for inputs that are not
white (derivations/components.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from eigendyn.data.measure import digits
from eigendyn.data.starting import start
from eigendyn.show.paper.words import theory_sentence
from eigendyn.show.paper.work import KEPT, Numbers, Work
from eigendyn.show.plot.shades import colours
from eigendyn.show.plot.style import loss_symbol
from eigendyn.simulation.matrix.matrix_flow import matrix_flow
from eigendyn.simulation.simulate import simulate

AUGMENT = "shift:1,noise:0.05"
LOSSES = ("euclidean", "iso-euclidean")
DECAYS = (0.0, 0.003)
MODES, SCALE, BATCH = 8, 0.3, 256
RUN: dict[str, Any] = {"learning_rate": 0.2, "steps": 3_000, "saves": 151, "method": "steps"}
LIMITS = (3e-4, 2.0)


def numbers(work: Work) -> Numbers:
    """Follow aligned modes and the whole matrix under both losses, without decay and with."""
    data = digits(AUGMENT)
    begun = start(data, MODES, scale=SCALE)
    panels = {f"{loss}/{decay}": (loss, decay) for loss in LOSSES for decay in DECAYS}

    def make(one: tuple[str, float]) -> Numbers:
        loss, decay = one
        modes = simulate(loss, **begun, weight_decay=decay, **RUN)[list(KEPT)]
        whole = matrix_flow(loss, data, modes=MODES, scale=SCALE, weight_decay=decay, **RUN)
        found = {"theory": modes, "matrix": whole[["eigenvalue"]]}
        if work.descents is not None:
            found["agreement"] = _networks(work, data, loss, decay)
        return found

    shape = data.attrs["image_shape"]
    images = data["components"].values[:MODES].reshape(MODES, *shape)
    label = {"long_name": "component of the inputs", "units": "1"}
    shown = xarray.Dataset({"image": (("mode", "row", "column"), images, label)})
    return {"components": shown, **work.each(make, panels)}


def _networks(work: Work, data: xarray.Dataset, loss: str, decay: float) -> xarray.Dataset:
    """Eigenvalues of networks trained on the images, extrapolated to an infinite batch."""
    from eigendyn.crosschecks.on_data import crosscheck_data

    assert work.descents is not None
    steps = min(RUN["steps"], work.descents.longest)
    size = {"batch": BATCH, "seeds": work.descents.seeds, "steps": steps}
    chosen = {name: value for name, value in RUN.items() if name != "method"} | size
    tree = crosscheck_data(
        loss, data, modes=MODES, scale=SCALE, weight_decay=decay, progress=work.progress, **chosen
    )
    found = tree["agreement"].to_dataset()[["networks"]]
    return found.assign_attrs(seeds=size["seeds"], batch=BATCH)


def draw(numbers: Numbers) -> Figure:
    """Losses in rows, without decay and with in columns; below, the components as images."""
    figure = Figure(figsize=(6.0, 5.2))
    grid = figure.add_gridspec(3, 1, height_ratios=(3, 3, 1))
    colour = [to_hex(one) for one in colours()(np.linspace(0.9, 0.1, MODES))]
    for row, loss in enumerate(LOSSES):
        axes: Any = grid[row].subgridspec(1, len(DECAYS)).subplots(sharey=True)
        for ax, decay in zip(axes, DECAYS, strict=True):
            modes, whole = (numbers[f"{loss}/{decay}/{part}"] for part in ("theory", "matrix"))
            for mode in range(MODES):
                ax.plot(modes["step"], modes["variance"][mode], color=colour[mode], lw=1.2)
            ax.plot(whole["step"], whole["eigenvalue"].values.T, "k:", lw=0.8)
            networks = numbers.get(f"{loss}/{decay}/agreement")
            if networks is not None:
                ax.plot(networks["step"][::5], networks["networks"].values.T[::5], "k.", ms=2)
            ax.set_yscale("log")
            ax.set_ylim(*LIMITS)
            ax.set_title(f"{loss_symbol(loss)}, ω = {decay:g}")
            if row == len(LOSSES) - 1:
                ax.set_xlabel("iteration")
        axes[0].set_ylabel("eigenvalue λ")
        axes[1].plot([], [], color="0.4", lw=1.2, label="aligned modes")
        axes[1].plot([], [], "k:", lw=0.8, label="whole matrix")
        if f"{loss}/{DECAYS[1]}/agreement" in numbers:
            axes[1].plot([], [], "k.", ms=2, label="networks")
        if row == len(LOSSES) - 1:
            axes[1].legend(loc="lower right")
    images = numbers["components"]["image"].values
    below: Any = grid[2].subgridspec(1, MODES).subplots()
    for mode, ax in enumerate(below):
        size = np.abs(images[mode]).max()
        ax.imshow(images[mode], cmap="RdBu_r", vmin=-size, vmax=size)
        ax.set_xticks([])
        ax.set_yticks([])
        for side in ax.spines.values():
            side.set(color=colour[mode], linewidth=2, visible=True)
        ax.set_title(str(mode + 1), color=colour[mode])
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see, in numbers."""
    theory = {path: one for path, one in numbers.items() if path.endswith("/theory")}
    learned = {
        path: int((one["variance"].values[:, -1] > one["variance"].values[:, 0]).sum())
        for path, one in theory.items()
    }
    plain, isotropic = (learned[f"{loss}/{DECAYS[1]}/theory"] for loss in LOSSES)
    trained = [one for path, one in numbers.items() if path.endswith("/agreement")]
    networks = (
        f"Dots: mean of {trained[0].attrs['seeds']} networks trained on batches of "
        f"{trained[0].attrs['batch']} images, extrapolated to an infinite batch with as many more "
        f"on a quarter, to step {trained[0]['step'].values[-1]:.0f}."
        if trained
        else "No networks were trained for this picture."
    )
    return " ".join(
        [
            "A linear encoder starts along the leading principal components of scikit-learn's "
            f"handwritten digits (below, in the colours of their lines), augmented by {AUGMENT}, "
            "with a predictor that is the correlation of clean representations. Solid: modes with "
            "the signal and noise of their component, aligned with it for ever; dotted: all "
            "weights, exact for any data under these losses, whose learned directions rotate away "
            "from noise and end higher. Plain losses recruit one component after the other, "
            "isotropic ones all, at the rate 2d of their signal. With a weight decay of "
            f"{DECAYS[1]:g}, {plain} of {MODES} components gain variance under the Euclidean loss "
            f"and {isotropic} under its isotropic form.",
            theory_sentence(theory.values()),
            networks,
        ]
    )
