"""Train the networks of both ReLU figures, and say what they are."""

from __future__ import annotations

import json
from collections.abc import Callable

from numpy.typing import NDArray

from eigendyn.show.paper.variants import NOISE, Panel, panels
from eigendyn.show.paper.work import Numbers, Work

SAVES = 101


def train_panels(
    work: Work,
    figure: str,
    weights: NDArray,
    followed: NDArray | None,
    measure: str,
    learning_rate: Callable[[Panel], float],
) -> Numbers:
    """Train ReLU networks for every panel.

    Args:
        work: What may be done.
        figure: Name of the figure, for its parts.
        weights: First weights (dimensions, inputs).
        followed: Inputs (inputs, samples) that are followed.
        measure: What to measure.
        learning_rate: Of each panel.

    Returns:
        A group for every panel; none if there are to be no networks.
    """

    def make(panel: Panel) -> Numbers:
        trained = work.networks(
            f"{figure}-{panel.name}",
            weights,
            followed=followed,
            measures=(measure,),
            encoder="relu",
            loss=panel.loss,
            **panel.variant,
            learning_rate=learning_rate(panel),
            steps=panel.published["steps"],
            saves=SAVES,
            seeds=1,
            **NOISE,
        )
        return {} if trained is None else {"networks": trained}

    return work.each(make, {panel.name: panel for panel in panels()})


def networks_note(numbers: Numbers) -> str:
    """Say what the networks are, and what differs from the published picture."""
    trained = list(numbers.values())
    batch = json.loads(trained[0].attrs["settings"])["batch"]
    steps = sorted({int(one["step"].values[-1]) for one in trained})
    return (
        f"Networks only: no mode theory covers a ReLU encoder. One network a panel, {batch} "
        f"samples a step, {' or '.join(f'{count:,}' for count in steps)} steps (published: 50,000 "
        "samples, 1,500 steps or 100,000 without predictor). The predictor is W Wᵀ, which matches "
        "the published isotropic panels. Every panel follows the loss's own gradient; the "
        "published ones relax more slowly under the Euclidean loss, plain and without "
        "stop-gradient, and the published update of the cosine loss without stop-gradient is not "
        "its gradient."
    )
