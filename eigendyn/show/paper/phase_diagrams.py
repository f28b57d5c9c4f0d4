"""Draw where the weakest of three modes lives, over weight decay and noise, beside closed forms.

Source: derivations/bifurcations.py, the saddle-node ω = 1/(4(1 + σ₁²)) and the transcritical ω = 1.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import xarray
from matplotlib.figure import Figure

from eigendyn.results.outcomes import OUTCOMES
from eigendyn.show.paper.work import Numbers, Work
from eigendyn.show.plot.style import loss_symbol
from eigendyn.show.plot.sweep import plot_sweep
from eigendyn.sweeping.sweep import sweep

SPECTRUM = (1.0, 0.3, 0.1)
WEAKEST = 2
LARGEST = {"euclidean": 0.3, "iso-euclidean": 1.2}  # weight decay
POINTS = 201
STEPS = 20_000  # so that modes have come to rest but for a few beside a border


def numbers(work: Work) -> Numbers:
    """Sweep weight decay and the noise of the first view under both Euclidean losses."""

    def make(loss: str) -> Numbers:
        with TemporaryDirectory() as folder:
            swept = sweep(
                loss,
                SPECTRUM,
                weight_decay=np.linspace(0, LARGEST[loss], POINTS),
                sigma1=np.linspace(0, 1, POINTS),
                steps=STEPS,
                keep=("outcome",),
                store=Path(folder) / "sweep.zarr",
            )
            return {"map": swept.load()}

    return work.each(make, {loss: loss for loss in LARGEST})


def draw(numbers: Numbers) -> Figure:
    """Draw a map for each loss."""
    figure = Figure(figsize=(9.6, 3.6), layout="constrained")
    for ax, loss in zip(figure.subplots(1, 2), LARGEST, strict=True):
        plot_sweep(numbers[f"{loss}/map"], ax, mode=(WEAKEST,))
        ax.set_title(loss_symbol(loss))
    return figure


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    lost = [_share(numbers[f"{loss}/map"], "collapsed") for loss in LARGEST]
    return (
        "What becomes of the weakest of three modes (variances 1, 0.3, 0.1) over weight decay and "
        f"noise of the first view, {POINTS} × {POINTS} flows for each loss, of which every one is "
        "a point of a sweep. Under the Euclidean loss the mode has a fixed point to live at left "
        "of the saddle-node ω = 1/(4(1 + σ₁²)) (solid), but its own start is lost already beyond "
        "the dashed line, at which it lies on the unstable fixed point. Under the isotropic loss "
        "both borders are one, ω = 1, whatever the noise: the mode is recruited, or relaxes where "
        "it began with half of what it ends with, or more. Collapsed: "
        f"{lost[0]:.0%} and {lost[1]:.0%} of the points. Maps: gradient flow in machine code, "
        "moments exact; lines: closed forms."
    )


def _share(swept: xarray.Dataset, word: str) -> float:
    found = swept["outcome"].sel(mode=WEAKEST).values
    return float(np.mean(found == list(OUTCOMES).index(word)))
