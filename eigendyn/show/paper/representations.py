"""Draw Figure 2a: where the representations of 20 samples go, by loss and variant.

Source: Halvagal et al. 2023, Figure 2a.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray
from matplotlib.figure import Figure

from eigendyn.analysis.rates.representations import representations
from eigendyn.settings.spectrum import published_samples, published_weights
from eigendyn.show.paper.planes import draw_planes
from eigendyn.show.paper.variants import AS_PUBLISHED, NOISE, Panel, panels, published_update
from eigendyn.show.paper.words import theory_sentence
from eigendyn.show.paper.work import Numbers, Work
from eigendyn.theory.losses import SymbolicLoss

SAVES = 101
NETWORK_SAVES = 11
LEARNING_RATE = 0.01  # of the published trajectory panels


def numbers(work: Work) -> Numbers:
    """Follow the representations in every panel, by the modes and by networks."""
    weights, samples = published_weights("trajectories"), published_samples()

    def make(panel: Panel) -> Numbers:
        run: dict[str, Any] = {
            "learning_rate": LEARNING_RATE,
            "steps": panel.published["steps"],
            "saves": SAVES,
        }
        if panel.as_published:
            return {"theory": follow(published_update(), run)}
        networks = work.networks(
            f"2a-{panel.name}",
            weights,
            followed=samples,
            measures=("representation",),
            loss=panel.loss,
            **panel.variant,
            **run | {"saves": NETWORK_SAVES},
            **NOISE,
        )
        theory = {"theory": follow(panel.loss, run | panel.variant)}
        return theory if networks is None else theory | {"networks": networks}

    def follow(loss: str | SymbolicLoss, settings: dict[str, Any]) -> xarray.Dataset:
        modes = work.expected_steps(loss, weights, **settings, **NOISE)
        paths = representations(weights, samples, modes["singular_value"].values)
        axes = ("dimension", "sample", "time")
        return modes.assign(representation=(axes, paths, {"units": "1"}))

    return work.each(make, {panel.name: panel for panel in (AS_PUBLISHED, *panels())})


def draw(numbers: Numbers) -> Figure:
    """Draw paths as lines, ends of the theory filled, networks as open dots."""
    return draw_planes(numbers, (AS_PUBLISHED, *panels()), "representation", "theory")


def caption(numbers: Numbers) -> str:
    """Say what there is to see."""
    return " ".join(
        [
            "Clean representations of 20 samples, two modes, in the layout of the paper's Figure "
            "2a (learning rate 0.01, 1,500 steps, 100,000 without predictor): each line is one "
            "sample's path, a filled dot its end. Without stop-gradient the Euclidean loss "
            "collapses to a point and the cosine loss to a line; without predictor the Euclidean "
            "one moves nothing and the cosine one takes 100,000 steps; the plain Euclidean loss "
            "moves along one mode first, which bends the paths, and the isotropic one along both. "
            "'As published' follows the published update for the cosine loss without "
            "stop-gradient, which is not that loss's gradient; the panel right of it is the true "
            "one. Each panel has its own scale, set by the theory.",
            theory_sentence(one for path, one in numbers.items() if path.endswith("/theory")),
            _networks_sentence(numbers),
        ]
    )


def _networks_sentence(numbers: Numbers) -> str:
    distances = {
        panel.name: _distance(numbers[f"{panel.name}/networks"], numbers[f"{panel.name}/theory"])
        for panel in panels()
        if f"{panel.name}/networks" in numbers
    }
    if not distances:
        return "No networks were trained for this picture."
    seeds = numbers[f"{panels()[0].name}/networks"].sizes["seed"]
    told = ", ".join(f"{name} {distance:.1e}" for name, distance in distances.items())
    return (
        f"Open dots: the same samples in networks trained by gradient descent, mean of {seeds}. "
        "Largest distance of such a mean from its line, over the largest coordinate: "
        f"{told}. In the plane the gradient of a cosine loss has a heavy tail, as that of a sample "
        "grows with 1/‖z‖, and heavier still on the line that is left without stop-gradient: there "
        "networks leave the path of their expectation, whatever the batch."
    )


def _distance(networks: xarray.Dataset, theory: xarray.Dataset) -> float:
    """Largest distance of the networks' mean from theory, at the steps that both have."""
    expected = theory.swap_dims(time="step")["representation"]
    shared = np.intersect1d(networks["step"], expected["step"])
    mean = networks.swap_dims(time="step")["representation"].mean("seed").sel(step=shared)
    difference = np.abs(mean - expected.sel(step=shared)).max()
    return float(difference / np.abs(expected).max())
